/** Verify: does each ledger explain every credit? One account, or all whose ids begin so. */

import { h } from "./element.js";
import { path, queryOf } from "./operator-api.js";
import { accountLink, button, credits, facts, failure, panel, pill, table } from "./operator-parts.js";

/** What was found in one account's ledger. */
export function verifyResult(found) {
  const isClean = found.is_clean === true;
  const verdict = found.is_finished === false ? pill("too long for one request", "warn") : pill(isClean ? "explained" : "not explained", isClean ? "ok" : "danger");
  const columns = [
    ["Invariant", (row) => row.invariant],
    ["Where", (row) => h("code", null, row.where)],
    ["What", (row) => row.what],
  ];
  return h(
    "div",
    { class: "stack", role: "status" },
    facts([
      ["Ledger", verdict],
      ["Entries read", credits(found.entries)],
      ["Unexplained credits", h("strong", { class: found.unexplained ? "danger" : "ok" }, credits(found.unexplained))],
      ["Findings", credits(found.findings_total)],
    ]),
    found.findings.length ? table("Findings", columns, found.findings, "") : null,
  );
}

export function verifyView(api, parameters) {
  const result = h("div", { class: "stack" });
  const input = h("input", { id: "verify", name: "prefix", autocomplete: "off", spellcheck: "false", value: parameters.get("prefix") ?? "", placeholder: "all accounts" });
  let running = null;
  const run = async (prefix) => {
    const mine = (running = { stopped: false });
    const tally = { accounts: 0, entries: 0, unexplained: 0, broken: [], left: 0 };
    const show = (state, fault) => result.replaceChildren(...tallyNodes(tally, state, () => (mine.stopped = true), fault));
    try {
      let cursor = null;
      do {
        const page = await api.get(`/v1/accounts${queryOf({ prefix, cursor, limit: 50 })}`);
        for (const { account } of page.accounts) {
          if (mine.stopped || running !== mine || !result.isConnected) return show("stopped");
          const found = await api.get(path`/v1/verify/${account}`);
          tally.accounts += 1;
          tally.entries += found.entries;
          tally.unexplained += Math.round(found.unexplained * 1e6);
          if (found.is_clean === false) tally.broken.push(found);
          if (found.is_finished === false) tally.left += 1;
          show("running");
        }
        cursor = page.next_cursor;
      } while (cursor);
      show("finished");
    } catch (error) {
      show("failed", error);
    }
  };
  const form = h(
    "form",
    { class: "search", onsubmit: (event) => (event.preventDefault(), run(input.value.trim())) },
    h("label", { for: "verify" }, "Account ids that begin with"),
    input,
    h("button", { class: "primary", type: "submit" }, "Verify"),
  );
  const note = h("p", { class: "muted small" }, "Every ledger is read and folded anew; nothing is written. By itself each account has its turn once a day, and an alarm rings when a credit is not explained.");
  return [panel("Verify", null, note, form, result)];
}

function tallyNodes(tally, state, stop, fault) {
  const unexplained = tally.unexplained / 1e6;
  const columns = [
    ["Account", (row) => accountLink(row.account)],
    ["Unexplained", (row) => credits(row.unexplained), "n"],
    ["First finding", (row) => row.findings[0]?.what ?? ""],
  ];
  return [
    facts([
      ["State", pill(state, state === "finished" ? "ok" : state === "running" ? "" : "warn")],
      ["Accounts", credits(tally.accounts)],
      ["Entries read", credits(tally.entries)],
      ["Unexplained credits", h("strong", { class: unexplained || tally.broken.length ? "danger" : "ok" }, credits(unexplained))],
      ["Too long for one request", tally.left ? credits(tally.left) : ""],
    ]),
    state === "running" ? h("div", { class: "actions" }, button("Stop", stop)) : "",
    fault ? failure(fault) : "",
    tally.broken.length ? table("Accounts with findings", columns, tally.broken, "") : "",
  ].filter(Boolean);
}
