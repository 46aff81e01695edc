/** What all accounts ran: a chart by time, a table by name, and both as files. */

import { h, svg } from "./element.js";
import { queryOf } from "./operator-api.js";
import { about, button, credits, failure, filled, panel, table, usd } from "./operator-parts.js";
import { dayBefore, throughNote } from "./operator-customers.js";
import { bucketsOf, topOf } from "./series.js";

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 56;
const BOTTOM = 22;
const MEASURES = { credits: "Credits", calls: "Calls", tokens_total: "Tokens", cost_usd: "Provider cost" };
const GROUPS = { operation: "Operation", model: "Model", feature: "Feature" };

export function usageView(api, parameters, go) {
  const asked = {
    from: parameters.get("from") || dayBefore(29),
    to: parameters.get("to") || dayBefore(0),
    by: parameters.get("by") in GROUPS ? parameters.get("by") : "operation",
    show: parameters.get("show") in MEASURES ? parameters.get("show") : "credits",
  };
  const span = { from: asked.from, to: asked.to };
  const move = (changed) => go(`usage${queryOf({ ...asked, ...changed })}`);
  const day = (name, label) =>
    h("label", null, label, h("input", { type: "date", name, value: asked[name], required: true, onchange: (event) => event.target.value && move({ [name]: event.target.value }) }));
  const choose = (name, label, options) =>
    h("label", null, label, h("select", { name, onchange: (event) => move({ [name]: event.target.value }) }, Object.entries(options).map(([value, text]) => h("option", { value, selected: value === asked[name] }, text))));
  const fault = h("div", null);
  const csv = (query, name) =>
    button("CSV", () => {
      fault.replaceChildren();
      api.download(`/v1/reports/usage${queryOf({ ...span, ...query })}`, name).catch((error) => fault.replaceChildren(failure(error)));
    });
  const controls = h("div", { class: "controls" }, day("from", "From"), day("to", "To"), choose("show", "Show", MEASURES), choose("by", "By", GROUPS));
  const chart = filled(
    () => api.get(`/v1/reports/usage${queryOf({ ...span, bucket: "day" })}`),
    (report) => [totals(report.totals), bars(report, asked.show), throughNote(report)],
  );
  const named = filled(
    () => api.get(`/v1/reports/usage${queryOf({ ...span, bucket: "month", group_by: asked.by })}`),
    (report) => byName(report, asked.by),
  );
  return [
    panel("Usage", csv({ bucket: "day" }, "usage.csv"), controls, fault, chart),
    panel(`By ${GROUPS[asked.by].toLowerCase()}`, csv({ bucket: "day", group_by: asked.by }, `usage-by-${asked.by}.csv`), named),
  ];
}

function totals(all) {
  const shown = [
    ["Credits", credits(all.credits)],
    ["Calls", credits(all.calls)],
    ["Failed", credits(all.failed)],
    ["Refunded", credits(all.refunded)],
    ["Tokens", about(all.tokens_total)],
    ["Provider cost", usd(all.cost_usd)],
  ];
  return h("dl", { class: "numbers" }, shown.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

/** A bar for each day. Its numbers are in the days' own texts, and in the file. */
function bars(report, measure) {
  const days = bucketsOf(report.from, report.to, "day");
  const at = new Map(report.rows.map((row) => [row.bucket, Number(row[measure])]));
  const values = days.map((name) => Math.max(0, at.get(name) ?? 0));
  const top = topOf(Math.max(0, ...values));
  const text = (value) => (measure === "cost_usd" ? usd(value) : about(value));
  const step = (WIDTH - LEFT) / days.length;
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 8) * value) / top;
  const lines = [0, top / 2, top].map((value) => [
    svg("line", { x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value), class: "grid" }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, text(value)),
  ]);
  const every = Math.ceil(days.length / 10);
  const columns = days.map((name, index) => {
    const isOpen = !report.through || name > report.through;
    const x = LEFT + index * step;
    const label = `${name}: ${text(at.get(name) ?? 0)}${isOpen ? ", not complete" : ""}`;
    return svg(
      "g",
      { class: isOpen ? "open" : null },
      svg("rect", { x, y: 0, width: step, height: HEIGHT - BOTTOM, class: "aim" }, svg("title", null, label)),
      svg("rect", { x: x + step * 0.15, width: Math.max(step * 0.7, 0.5), y: y(values[index]), height: HEIGHT - BOTTOM - y(values[index]), rx: Math.min(3, step * 0.2), class: "value" }),
      index % every ? null : svg("text", { x: x + step / 2, y: HEIGHT - 6, "text-anchor": "middle" }, name.slice(5)),
    );
  });
  const name = `${MEASURES[measure]} by day, ${report.from} to ${report.to}`;
  return h("figure", { class: "chart" }, svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name }, lines, columns));
}

/** Micro-credits, so that sums are exact. */
const micro = (value) => Math.round(value * 1e6);

function byName(report, group) {
  const sums = new Map();
  for (const row of report.rows) {
    const sum = sums.get(row[group]) ?? { name: row[group], calls: 0, failed: 0, credits: 0, refunded: 0, tokens: 0, cost: 0 };
    sum.calls += row.calls;
    sum.failed += row.failed;
    sum.credits += micro(row.credits);
    sum.refunded += micro(row.refunded);
    sum.tokens += row.tokens_total;
    sum.cost += Number(row.cost_usd);
    sums.set(row[group], sum);
  }
  const rows = [...sums.values()].sort((a, b) => b.credits - a.credits);
  const all = micro(report.totals.credits);
  const columns = [
    [GROUPS[group], (row) => row.name ?? h("span", { class: "muted" }, "none")],
    ["Credits", (row) => credits(row.credits / 1e6), "n"],
    ["Part of all", (row) => (all > 0 ? `${about((row.credits / all) * 100)} %` : ""), "n"],
    ["Calls", (row) => credits(row.calls), "n"],
    ["Failed", (row) => credits(row.failed), "n"],
    ["Refunded", (row) => credits(row.refunded / 1e6), "n"],
    ["Tokens", (row) => about(row.tokens), "n"],
    ["Provider cost", (row) => usd(row.cost), "n"],
  ];
  return table(`By ${group}`, columns, rows, "No closed day has any usage in this time.");
}
