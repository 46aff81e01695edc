/** Customers: the search by how ids begin, and who uses most. */

import { h } from "./element.js";
import { queryOf } from "./operator-api.js";
import { about, accountLink, button, credits, failure, filled, paged, panel, statusPill, table, usd } from "./operator-parts.js";

const DAY_MS = 864e5;

export const dayBefore = (days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** Until when a report is complete, in words. */
export function throughNote(report) {
  if (!report.since) return h("p", { class: "muted small" }, "Nothing is folded yet: the reports are made at 13:30 and 14:30 UTC from days that are over.");
  const until = report.through ? `Complete through ${report.through}; later days may still grow.` : "No day is complete yet; what is shown may still grow.";
  return h("p", { class: "muted small" }, until);
}

export function customersView(api, parameters, go) {
  const prefix = parameters.get("prefix") ?? "";
  const input = h("input", { type: "search", name: "prefix", id: "search", value: prefix, autocomplete: "off", spellcheck: "false", placeholder: "user_…" });
  const search = h(
    "form",
    {
      class: "search",
      role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        go(`customers${queryOf({ prefix: input.value.trim() })}`);
      },
    },
    h("label", { for: "search" }, "Account ids that begin with"),
    input,
    h("button", { class: "primary", type: "submit" }, "Search"),
  );
  return [panel("Accounts", null, search, found(api, prefix)), highUsage(api)];
}

function found(api, prefix) {
  const columns = [
    ["Account", (row) => [accountLink(row.account), row.name ? h("span", { class: "muted" }, ` ${row.name}`) : null]],
    ["Status", (row) => statusPill(row.status)],
    ["Plan", (row) => row.plan],
    ["Available", (row) => credits(row.available), "n"],
    ["Held", (row) => credits(row.held), "n"],
    ["Debt", (row) => (row.debt ? h("span", { class: "danger" }, credits(row.debt)) : "0"), "n"],
    ["Spent ever", (row) => credits(row.spent), "n"],
    ["Budget of", (row) => (row.parent ? accountLink(row.parent) : "")],
  ];
  return paged(
    async (cursor) => {
      const page = await api.get(`/v1/accounts${queryOf({ prefix, cursor, limit: 25 })}`);
      return { rows: page.accounts, next: page.next_cursor };
    },
    (rows) => table("Accounts", columns, rows, prefix ? `No account's id begins with “${prefix}”.` : "There are no accounts yet."),
  );
}

function highUsage(api) {
  let days = 7;
  const columns = [
    ["Account", (row) => accountLink(row.account)],
    ["Credits", (row) => credits(row.credits), "n"],
    ["Part of all", (row) => h("span", { class: "part" }, h("i", { style: { width: `${Math.min(row.percent, 100) * 0.6}px` } }), `${about(row.percent)} %`), "n"],
    ["Calls", (row) => credits(row.calls), "n"],
    ["Failed", (row) => credits(row.failed), "n"],
    ["Provider cost", (row) => usd(row.cost_usd), "n"],
    ["Days", (row) => row.days, "n"],
  ];
  const span = () => ({ from: dayBefore(days), to: dayBefore(0) });
  const place = filled(
    () => api.get(`/v1/reports/customers${queryOf({ ...span(), limit: 20 })}`),
    (report) => [
      table("High usage", columns, report.rows, "No closed day has any usage in this time."),
      report.rows.length ? h("p", { class: "muted small" }, `All others: ${credits(report.others.credits)} credits in ${credits(report.others.calls)} calls.`) : null,
      throughNote(report),
    ],
  );
  const choice = (count) =>
    button(`${count} days`, (event) => {
      days = count;
      for (const each of event.currentTarget.parentNode.children) each.setAttribute("aria-pressed", String(each === event.currentTarget));
      place.reload();
    }, { "aria-pressed": String(count === days) });
  const fault = h("div", null);
  const csv = button("CSV", () => {
    fault.replaceChildren();
    api.download(`/v1/reports/customers${queryOf({ ...span(), limit: 200 })}`, "customers.csv").catch((error) => fault.replaceChildren(failure(error)));
  });
  return panel("High usage", [h("span", { class: "choices", role: "group", "aria-label": "Time" }, choice(7), choice(30)), csv], fault, place);
}

