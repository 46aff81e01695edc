/** Quarantine: charges whose model has no price yet, and payments that need a person. */

import { h } from "./element.js";
import { path, queryOf } from "./operator-api.js";
import { AMOUNT, REASON, formOpener } from "./operator-forms.js";
import { accountLink, button, credits, link, moment, paged, panel, table } from "./operator-parts.js";

export function casesView(api) {
  const first = h("div", { class: "forms" });
  const second = h("div", { class: "forms" });
  const charges = list(() => chargesOf(api, formOpener(first), () => charges.reload()));
  const payments = list(() => paymentsOf(api, formOpener(second), () => payments.reload()));
  return [
    panel("Payments that need a person", null, second, payments),
    panel("Charges of models without a price", null, first, charges),
  ];
}

function list(make) {
  const place = h("div", null);
  const reload = () => place.replaceChildren(make());
  queueMicrotask(reload);
  return Object.assign(place, { reload });
}

function chargesOf(api, open, onDone) {
  const rerate = (row) =>
    open({
      title: `Price the charge ${row.key} of ${row.account} anew`,
      verb: "Price anew",
      fields: [REASON],
      sentence: () => `The charge is corrected to what ${row.model ?? "its model"} costs in the catalog in force, once. What was too much goes back.`,
      send: (v, key) => api.send("POST", path`/v1/accounts/${row.account}/entries/${row.key}/rerate`, v, key),
      done: (answer) => `It was ${credits(answer.before)} and is ${credits(answer.price)} credits: ${credits(answer.returned)} went back, ${credits(answer.taken)} were taken.`,
      onDone,
    });
  const columns = [
    ["When (UTC)", (row) => moment(row.at)],
    ["Account", (row) => accountLink(row.account)],
    ["Operation", (row) => row.operation],
    ["Model", (row) => row.model ?? ""],
    ["Charged", (row) => credits(row.charged), "n"],
    ["Key", (row) => link(`account/${encodeURIComponent(row.account)}/entry/${encodeURIComponent(row.key)}`, h("code", null, row.key))],
    ["", (row) => button("Price anew…", rerate(row))],
  ];
  return paged(
    async (cursor) => {
      const page = await api.get(`/v1/quarantine${queryOf({ cursor, limit: 50 })}`);
      return { rows: page.charges, next: page.next_cursor };
    },
    (rows) => table("Charges without a price", columns, rows, "Every charge has its price."),
  );
}

function paymentsOf(api, open, onDone) {
  const send = (row, action) => (v, key) => api.send("POST", path`/v1/quarantine/payments/${row.case}/release`, { action, ...v }, key);
  const done = (answer) => [`Case ${answer.resolution}. `, answer.account ? accountLink(answer.account) : ""];
  const money = (row) => (row.amount ? `${row.amount} ${row.currency.toUpperCase()}` : "this payment");
  const grant = (row) =>
    open({
      title: `Give credits for ${money(row)}`,
      verb: "Give credits",
      fields: row.purchase_id && row.account
        ? [
            { ...AMOUNT, name: "credits", optional: true, hint: "Empty where a purchase waits: what it recorded." },
            REASON,
          ]
        : [{ name: "account", label: "Account", value: row.account ?? "", optional: Boolean(row.account) }, { ...AMOUNT, name: "credits" }, REASON],
      sentence: (v) => `${v.credits ? `${credits(v.credits)} credits` : "What the purchase recorded"} for ${v.account ?? row.account ?? "its account"}.`,
      // What the case names itself is not sent again.
      send: (v, key) => send(row, "grant")(v.account === row.account ? { ...v, account: undefined } : v, key),
      done,
      onDone,
    });
  const dismiss = (row) =>
    open({
      title: `Put ${money(row)} aside`,
      verb: "Put aside",
      fields: [REASON],
      sentence: () => "No credits are given. Give the money back at Stripe.",
      send: send(row, "dismiss"),
      done,
      onDone,
      danger: true,
    });
  const columns = [
    ["When (UTC)", (row) => moment(row.at)],
    ["Why", (row) => row.reason],
    ["Money", (row) => (row.amount ? money(row) : ""), "n"],
    ["Account", (row) => (row.account ? accountLink(row.account) : h("span", { class: "muted" }, "unknown"))],
    ["Purchase", (row) => (row.purchase_id ? h("code", null, row.purchase_id) : "")],
    ["At Stripe", (row) => h("code", null, row.payment ?? row.event ?? "")],
    ["", (row) => h("span", { class: "tools" }, button("Give credits…", grant(row)), button("Put aside…", dismiss(row)))],
  ];
  return paged(
    async (cursor) => {
      const page = await api.get(`/v1/quarantine/payments${queryOf({ cursor, limit: 50 })}`);
      return { rows: page.cases, next: page.next_cursor };
    },
    (rows) => table("Payments that need a person", columns, rows, "No payment needs a person."),
  );
}
