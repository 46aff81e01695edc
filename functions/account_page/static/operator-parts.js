/** What every view of the operator's page is made of: tables, panels, numbers, states. */

import { h, morph } from "./element.js";

const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** Credits to their last digit. */
export const credits = (value) => exact.format(value);
export const about = (value) => short.format(value);
export const signed = (value) => (value > 0 ? `+${credits(value)}` : credits(value));
export const usd = (text) => `$${Number(text).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 })}`;

/** A moment in UTC, as logs and ledgers say it. */
export function moment(text) {
  if (!text) return "";
  return h("time", { datetime: text, title: text }, new Date(text).toISOString().slice(0, 16).replace("T", " "));
}

export const link = (where, ...children) => h("a", { href: `#/${where}` }, ...children);
export const accountLink = (id) => link(`account/${encodeURIComponent(id)}`, id);

/** A section with a heading; `tools` stand beside it. */
export function panel(title, tools, ...children) {
  return h("section", { class: "panel" }, h("header", { class: "panel-head" }, h("h2", null, title), h("div", { class: "tools" }, tools)), ...children);
}

/** Rows of cells; a column is [heading, cell of a row, "n" for numbers]. */
export function table(label, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const heads = columns.map(([heading, , kind]) => h("th", { scope: "col", class: kind }, heading));
  const line = (row) => h("tr", null, columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row))));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows.map(line))),
  );
}

/** Names and values side by side. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

export const pill = (text, tone = "") => h("span", { class: `pill ${tone}` }, text);

export function statusPill(status) {
  const tones = { active: "ok", frozen: "warn", closed: "danger" };
  return pill(status, tones[status] ?? "");
}

export function button(text, onclick, options) {
  return h("button", { type: "button", onclick, ...options }, text);
}

/** A failure in words, with its request's id for the logs, and a button that tries again. */
export function failure(error, retry) {
  const denied = error.status === 403 ? "This key may not do that. " : "";
  const id = error.requestId ? h("span", { class: "muted" }, ` Request ${error.requestId}`) : null;
  return h("div", { class: "failure", role: "alert" }, h("span", null, denied, error.message, id), retry ? button("Try again", retry) : null);
}

const waiting = () => h("div", { class: "waiting", role: "status" }, h("span", { class: "out" }, "Loading"), [1, 2, 3].map(() => h("i", null)));

/**
 * A place that is filled by `load`: grey lines while it waits, the failure where it fails. `reload`
 * fills it anew, and an answer that was overtaken by a later one is not shown.
 */
export function filled(load, show) {
  const place = h("div", { class: "filled", "aria-busy": "false" });
  let turn = 0;
  const reload = async () => {
    const mine = ++turn;
    place.setAttribute("aria-busy", "true");
    if (!place.firstChild) morph(place, [waiting()]);
    try {
      const answer = await load();
      if (mine === turn) place.replaceChildren(...[show(answer, reload)].flat().filter(Boolean));
    } catch (error) {
      if (mine === turn) place.replaceChildren(failure(error, reload));
    } finally {
      if (mine === turn) place.setAttribute("aria-busy", "false");
    }
  };
  reload();
  return Object.assign(place, { reload });
}

/** A list in pages: `page(cursor)` answers {rows, next}; `show(rows)` all that were read. */
export function paged(page, show) {
  const place = h("div", null);
  const rows = [];
  const more = async (cursor) => {
    const next = h("div", { class: "more" });
    const body = filled(
      () => page(cursor),
      (answer) => {
        rows.push(...answer.rows);
        const again = answer.next ? button("Show more", () => more(answer.next)) : null;
        place.replaceChildren(show(rows), h("div", { class: "more" }, again));
      },
    );
    next.append(body);
    if (place.lastChild) place.lastChild.replaceWith(next);
    else place.append(next);
  };
  more(null);
  return place;
}
