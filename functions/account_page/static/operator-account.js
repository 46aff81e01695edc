/** One account: what it has, what happened, and what an operator can do about it. */

import { h } from "./element.js";
import { path, queryOf } from "./operator-api.js";
import { AMOUNT, REASON, formOpener } from "./operator-forms.js";
import { about, accountLink, button, credits, facts, filled, link, moment, paged, panel, pill, signed, statusPill, table } from "./operator-parts.js";
import { verifyResult } from "./operator-verify.js";

export function accountView(api, id) {
  const of = (rest = "") => path`/v1/accounts/${id}` + rest;
  const forms = h("div", { class: "forms" });
  const open = formOpener(forms);
  const history = historyOf(api, of, id);
  const purchases = purchasesOf(api, of, open, () => head.reload());
  const head = filled(
    () => api.get(of()),
    (account) => [summary(account), actions(api, of, account, open, () => (head.reload(), history.reload()))],
  );
  const verified = h("div", null);
  const verify = button("Verify ledger", () => verified.replaceChildren(filled(() => api.get(path`/v1/verify/${id}`), verifyResult)));
  return [
    h("h1", null, id),
    panel("Balance", verify, head, forms, verified),
    panel("History", null, history),
    panel("Purchases", null, purchases),
  ];
}

function summary(account) {
  const { plan } = account;
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "balance" }, h("strong", null, credits(account.available)), h("span", { class: "muted" }, "credits available"), statusPill(account.status)),
    facts([
      ["Spendable", credits(account.spendable)],
      ["Held", credits(account.held)],
      ["Debt", account.debt ? h("span", { class: "danger" }, credits(account.debt)) : "0"],
      ["Owed for returned money", account.clawback_debt ? credits(account.clawback_debt) : ""],
      ["Plan", `${plan.name} (${plan.id})`],
      ["Allocation", credits(plan.allocation)],
      ["Period ends", moment(plan.period_end)],
      ["Next plan", plan.next_plan],
      ["Subscription", plan.subscription],
      ["Name", account.name],
      ["Zone", account.zone],
      ["Budget of", account.parent ? accountLink(account.parent) : ""],
      ["Granted ever", credits(account.totals.granted)],
      ["Purchased ever", credits(account.totals.purchased)],
      ["Spent ever", credits(account.totals.spent)],
      ["Refunded ever", credits(account.totals.refunded)],
    ]),
    account.warnings.map((warning) => h("p", { class: "warning" }, warning.message ?? warning.code)),
    h("div", { class: "columns" }, grants(account), windows(account)),
  );
}

function grants(account) {
  const columns = [
    ["Grant", (grant) => grant.id],
    ["Kind", (grant) => pill(grant.kind)],
    ["Remaining", (grant) => credits(grant.remaining), "n"],
    ["Of", (grant) => credits(grant.amount), "n"],
    ["Expires", (grant) => moment(grant.expires_at) || "never"],
  ];
  return h("div", null, h("h3", null, "Grants"), table("Grants", columns, account.grants, "No grant has credits left."));
}

function windows(account) {
  const rows = [
    ...account.windows.map((each) => ({ name: each.window, used: each.spent, limit: each.limit, resets: each.resets_at })),
    ...account.features.map((each) => ({ name: each.feature, used: each.used, limit: each.limit })),
  ];
  const columns = [
    ["Limit", (row) => row.name],
    ["Used", (row) => credits(row.used), "n"],
    ["Limit", (row) => (row.limit === null ? "none" : credits(row.limit)), "n"],
    ["Resets", (row) => moment(row.resets)],
  ];
  return h("div", null, h("h3", null, "Limits"), table("Limits", columns, rows, "No limits."));
}

/** What was done, with the row that says so. */
function done(account) {
  return (answer) =>
    answer.changed === false
      ? "Nothing had to change."
      : ["Done. ", link(`account/${encodeURIComponent(account)}/entry/${encodeURIComponent(answer.key)}`, `Entry ${answer.seq}`), ` leaves ${credits(answer.available)} credits.`];
}

function actions(api, of, account, open, onDone) {
  const id = account.account;
  const isFrozen = account.status === "frozen";
  const act = (form) => open({ ...form, done: done(id), onDone });
  const standing = isFrozen ? "unfreeze" : "freeze";
  const grant = act({
    title: "Grant credits",
    verb: "Grant",
    fields: [
      AMOUNT,
      { name: "kind", label: "Kind", options: [["promo", "Promotion"], ["adjustment", "Adjustment"], ["pack", "Paid elsewhere"]] },
      { name: "expires_at", label: "Expires after", type: "date", optional: true },
      REASON,
    ],
    sentence: (v) => `Grant ${credits(v.amount)} credits (${v.kind}) to ${id}${v.expires_at ? `, until the end of ${v.expires_at} UTC` : ", for good"}.`,
    send: (v, key) => api.send("POST", of("/grants"), { ...v, ...(v.expires_at ? { expires_at: `${v.expires_at}T23:59:59Z` } : {}) }, key),
  });
  const adjust = act({
    title: "Adjust the balance",
    verb: "Adjust",
    fields: [{ ...AMOUNT, pattern: "-?[0-9]+([.][0-9]{1,6})?", inputmode: "text", hint: "With a minus to take credits away." }, REASON],
    sentence: (v) => `${Number(v.amount) < 0 ? "Take" : "Give"} ${credits(Math.abs(v.amount))} credits ${Number(v.amount) < 0 ? "from" : "to"} ${id}.`,
    send: (v, key) => api.send("POST", of("/adjustments"), v, key),
    danger: true,
  });
  const freeze = act({
    title: isFrozen ? "Unfreeze the account" : "Freeze the account",
    verb: isFrozen ? "Unfreeze" : "Freeze",
    fields: [REASON],
    sentence: () => (isFrozen ? `${id} can spend again.` : `${id} can spend nothing until somebody unfreezes it. Purchases and resets go on.`),
    send: (v, key) => api.send("POST", of(`/${standing}`), v, key),
    danger: !isFrozen,
  });
  const changePlan = async (event) => {
    const opener = event.currentTarget;
    const catalog = await api.get("/v1/catalog").catch(() => ({ plans: [] }));
    const plans = catalog.plans.map((plan) => [plan.id, plan.name ?? plan.id]);
    const field = plans.length ? { options: plans, value: account.plan.id } : {};
    act({
      title: "Change the plan",
      verb: "Change",
      fields: [
        { name: "plan", label: "Plan", ...field },
        { name: "at", label: "When", options: [["period_end", "At the period's end"], ["now", "Now: the rest of the old allocation expires"]] },
        REASON,
      ],
      sentence: (v) => `${id} moves from ${account.plan.id} to ${v.plan} ${v.at === "now" ? "now" : "at the period's end"}.`,
      send: (v, key) => api.send("PUT", of("/plan"), v, key),
    })({ currentTarget: opener });
  };
  if (account.status === "closed") return h("p", { class: "muted" }, "A closed account cannot be changed.");
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": "Actions" },
    button("Grant…", grant),
    button("Adjust…", adjust),
    button("Change plan…", changePlan),
    button(isFrozen ? "Unfreeze…" : "Freeze…", freeze),
  );
}

function historyOf(api, of, id) {
  const columns = [
    ["#", (row) => link(`account/${encodeURIComponent(id)}/entry/${encodeURIComponent(row.key)}`, row.seq), "n"],
    ["When (UTC)", (row) => moment(row.at)],
    ["What", (row) => row.kind.replaceAll("_", " ")],
    ["Operation", (row) => [row.operation, row.model, row.feature].filter(Boolean).join(" · ")],
    ["Change", (row) => h("span", { class: row.delta > 0 ? "ok" : "" }, signed(row.delta)), "n"],
    ["Available", (row) => credits(row.available_after), "n"],
    ["Key", (row) => h("code", null, row.key)],
  ];
  const make = () =>
    paged(
      async (cursor) => {
        const page = await api.get(of(`/entries${queryOf({ cursor, limit: 25 })}`));
        return { rows: page.entries, next: page.next_cursor };
      },
      (rows) => table("History", columns, rows, "Nothing happened yet."),
    );
  const place = h("div", null, make());
  return Object.assign(place, { reload: () => place.replaceChildren(make()) });
}

function purchasesOf(api, of, open, onDone) {
  const refund = (purchase) =>
    open({
      title: `Refund the purchase of ${purchase.price} ${purchase.currency.toUpperCase()}`,
      verb: "Refund",
      fields: [
        { name: "amount", label: `Money in ${purchase.currency.toUpperCase()}`, optional: true, pattern: "[0-9]+([.][0-9]{1,6})?", hint: "Empty: all that is left." },
        REASON,
      ],
      sentence: (v) => `Give back ${v.amount ? `${v.amount} ${purchase.currency.toUpperCase()}` : "all that is left"} by Stripe; credits are taken back in proportion.`,
      send: (v, key) => api.send("POST", path`/v1/purchases/${purchase.purchase_id}/refund`, v, key),
      done: (answer) => `Stripe has refund ${answer.refund}; the purchase is ${answer.status}.`,
      onDone,
      danger: true,
    });
  const columns = [
    ["When (UTC)", (row) => moment(row.created_at)],
    ["What", (row) => row.pack ?? row.plan ?? row.kind],
    ["Credits", (row) => credits(row.credits), "n"],
    ["Price", (row) => `${row.price} ${row.currency.toUpperCase()}`, "n"],
    ["Refunded", (row) => row.refunded, "n"],
    ["Status", (row) => pill(row.status, row.status === "paid" ? "ok" : row.status === "quarantined" || row.status === "disputed" ? "danger" : "")],
    ["Id", (row) => h("code", null, row.purchase_id)],
    ["", (row) => (row.status === "paid" || row.status === "partially_refunded" ? button("Refund…", refund(row)) : "")],
  ];
  return paged(
    async (cursor) => {
      const page = await api.get(of(`/purchases${queryOf({ cursor, limit: 25 })}`));
      return { rows: page.purchases, next: page.next_cursor };
    },
    (rows) => table("Purchases", columns, rows, "Nothing was bought."),
  );
}

/** One entry with all that explains it. */
export function entryView(api, id, key) {
  const forms = h("div", { class: "forms" });
  const open = formOpener(forms);
  const back = (entry, reload) =>
    open({
      title: `Give back the charge ${entry.key}`,
      verb: "Give back",
      fields: [{ ...AMOUNT, optional: true, hint: `Empty: all ${credits(entry.charged)}.` }, REASON],
      sentence: (v) => `${v.amount ? credits(v.amount) : `All ${credits(entry.charged)}`} credits of this charge go back to ${id}, once.`,
      send: (v, mine) => api.send("POST", path`/v1/accounts/${id}/refunds`, { key: entry.key, ...v }, mine),
      done: done(id),
      onDone: reload,
    });
  const show = (entry, reload) => [
    facts([
      ["Kind", entry.kind.replaceAll("_", " ")],
      ["When", moment(entry.at)],
      ["Change", signed(entry.delta)],
      ["Available after", credits(entry.available_after)],
      ["Charged", entry.charged === null ? "" : credits(entry.charged)],
      ["Operation", entry.operation],
      ["Model", entry.model],
      ["Feature", entry.feature],
      ["Provider cost", entry.cost_usd ? `$${entry.cost_usd}` : ""],
      ["Tokens", entry.tokens ? Object.entries(entry.tokens).map(([name, count]) => `${name} ${about(count)}`).join(", ") : ""],
      ["Reason", entry.reason],
      ["By", entry.actor],
      ["Refers to", entry.refers_to],
      ["Given back by", entry.returned_by],
      ["Corrected by", entry.rerated_by],
      ["Uncollected", entry.uncollected ? credits(entry.uncollected) : ""],
      ["Expired", entry.expired ? credits(entry.expired) : ""],
    ]),
    entry.computation
      ? h("div", null, h("h3", null, "How the price came about ", entry.computation.agrees === false ? pill("does not agree", "danger") : null), h("ol", { class: "steps" }, entry.computation.steps.map((step) => h("li", null, step.text))))
      : null,
    entry.metadata ? h("div", null, h("h3", null, "Metadata"), h("pre", null, JSON.stringify(entry.metadata, null, 2))) : null,
    entry.charged > 0 && !entry.returned_by && entry.kind !== "rerate" ? h("div", { class: "actions" }, button("Give back…", back(entry, reload))) : null,
    forms,
  ];
  return [
    h("h1", null, accountLink(id), h("span", { class: "muted" }, ` / ${key}`)),
    panel("Entry", null, filled(() => api.get(path`/v1/accounts/${id}/entries/${key}`), show)),
  ];
}
