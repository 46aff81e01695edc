/** <credit-usage>: what ran, day by day: credits, runs, tokens and cost, by operation or model. */

import { CreditElement, css, define, h, svg } from "./element.js";
import { rangeOf, seriesOf, topOf, valueOf } from "./series.js";
import { headingOf, nameOf, readable, withCatalog } from "./words.js";

const styles = css(`
:host { --g0: var(--accent); --g1: light-dark(#0d9488, #2dd4bf); --g2: light-dark(#d97706, #fbbf24);
  --g3: light-dark(#db2777, #f472b6); --g4: light-dark(#0284c7, #38bdf8); --g5: light-dark(#94a3b8, #64748b) }
.controls { margin-inline-start: auto } .controls:first-child { flex: 1; justify-content: space-between } button { border-color: transparent } [aria-pressed=true] { background: var(--track) } .row button { padding: .2em .7em }
select { width: auto; padding: .2em .4em; border-color: var(--border) } option { background: var(--surface) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .25rem }
.tiles button { text-align: start; padding: .5rem .75rem; font-weight: 400 }
.tiles b { display: block; font-size: 1.375rem; font-weight: 600; letter-spacing: -.01em; line-height: 1.3 }
.plot { position: relative; height: 11rem; margin-block: .5rem .25rem; touch-action: pan-y; border-radius: 4px }
svg { display: block; width: 100%; height: 100%; overflow: visible }
line { stroke: var(--border); vector-effect: non-scaling-stroke }
.dim { opacity: .35 }
.plot span { position: absolute; inset-inline-start: 0; transform: translateY(-100%); background: var(--surface);
  padding-inline-end: .5em; font-size: .75rem; color: var(--muted); line-height: 1.3; pointer-events: none }
.none { position: absolute; inset: 0; display: grid; place-content: center; color: var(--muted) }
.legend { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .25rem 1.5rem }
.legend li { display: flex; align-items: baseline; gap: .5em } .legend b { margin-inline-start: auto; font-weight: 550 }
.legend i { width: .625em; height: .625em; border-radius: 2px; flex: none }
.legend .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
summary { cursor: pointer; color: var(--muted); width: fit-content }
.scroll { overflow-x: auto; margin-top: .75rem } table { border-collapse: collapse; width: 100%; font-size: .8125rem }
th, td { text-align: end; padding: .3em .6em; border-bottom: 1px solid var(--border); white-space: nowrap; font-weight: 400 }
thead th { color: var(--muted) } th:first-child { text-align: start; padding-inline-start: 0 }
`);

const MEASURES = { credits: "Credits", calls: "Runs", tokens: "Tokens", cost: "Cost" };
const GROUPS = { operation: "By operation", model: "By model", feature: "By feature" };

export class CreditUsage extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["days", "group-by", "measure", "no-cost", "heading"];
  /** @type {any} */ stats = null;
  /** @type {any} */ catalog = null;
  /** @type {number | null} */ at = null;
  #asked = "";
  #isReading = false;

  get days() {
    return Math.min(Math.max(Number(this.getAttribute("days")) || 30, 1), 400);
  }
  get groupBy() {
    return this.#named("group-by", GROUPS);
  }
  get measure() {
    return this.#named("measure", MEASURES);
  }
  /** The attribute's value, or the first that it may have. */
  #named(name, known) {
    const given = this.getAttribute(name) ?? "";
    return known[given] ? given : Object.keys(known)[0];
  }
  get bucket() {
    return this.days > 45 ? "week" : "day";
  }

  opened() {
    this.stats = null;
    this.#asked = "";
    withCatalog(this);
  }

  changed() {
    this.load();
  }

  attributeChangedCallback() {
    this.at = null;
    this.load();
    this.update();
  }

  /** The stats are those of the latest change and of the attributes; asked for once each. */
  async load() {
    const { account, seq, status } = this.state;
    if (!account || status === "signed-out" || this.#isReading) return;
    const { from, to } = rangeOf(this.days, account.zone);
    const question = { from, to, bucket: this.bucket, group_by: this.groupBy };
    const asked = JSON.stringify([question, seq]);
    if (asked === this.#asked) return;
    this.#isReading = true;
    await this.attempt(async () => {
      const stats = await this.session?.client.stats(question);
      this.stats = { ...stats, bucket: question.bucket, groupBy: question.group_by };
    });
    this.#isReading = false;
    this.#asked = asked;
    this.load();
  }

  render() {
    if (this.state.status === "signed-out") return h("slot");
    const again = () => ((this.#asked = ""), this.session?.refresh({ now: true }), this.load());
    const fault = this.fault ?? (!this.stats && this.state.error);
    return h(
      "section",
      { class: "card stack", part: "card", "aria-label": "Usage" },
      h("div", { class: "spread" }, headingOf(this, "Usage"), this.#controls()),
      fault && this.failure(fault, again),
      this.stats ? this.#filled() : !fault && h("div", { class: "plot wait", "aria-busy": "true" }, "Loading usage"),
    );
  }

  #controls() {
    const ranges = [7, 30, 90].map((days) =>
      h("button", { type: "button", key: days, "aria-label": `${days} days`, "aria-pressed": String(days === this.days), onclick: () => this.setAttribute("days", String(days)) }, `${days} d`),
    );
    const options = Object.entries(GROUPS).map(([id, name]) => h("option", { value: id, selected: id === this.groupBy }, name));
    const group = (event) => this.setAttribute("group-by", event.target.value);
    return h("div", { class: "row small controls" }, h("select", { "aria-label": "Group", onchange: group }, options), h("div", { role: "group", "aria-label": "Range" }, ranges));
  }

  #filled() {
    const series = seriesOf(this.stats, { bucket: this.stats.bucket, groupBy: this.stats.groupBy, measure: this.measure });
    if (this.at !== null && this.at >= series.buckets.length) this.at = null;
    return [this.#tiles(), this.#chart(series), this.#legend(series), this.#table(series)];
  }

  #tiles() {
    const shown = Object.entries(MEASURES).filter(([id]) => id !== "cost" || !this.hasAttribute("no-cost"));
    return h(
      "div",
      { class: "tiles", role: "group", "aria-label": "Totals" },
      shown.map(([id, name]) =>
        h("button", { type: "button", key: id, "aria-pressed": String(id === this.measure), onclick: () => this.setAttribute("measure", id) }, h("span", { class: "muted small" }, name), h("b", {}, this.#amount(valueOf(this.stats.totals, id), id))),
      ),
    );
  }

  #chart({ buckets, groups, sums, max }) {
    const top = topOf(max);
    const shown = max > 0 ? [top, top / 2] : [];
    const point = (event) => this.#point(event, buckets.length);
    const leave = () => this.#choose(null);
    return h(
      "figure",
      {},
      h(
        "div",
        { class: "plot", tabindex: "0", role: "slider", "aria-label": readable(this.stats.bucket), "aria-valuemin": 1, "aria-valuemax": buckets.length, "aria-valuenow": (this.at ?? buckets.length - 1) + 1, "aria-valuetext": this.#spoken({ buckets, groups, sums }), onkeydown: (event) => this.#key(event, buckets.length), onpointermove: point, onpointerdown: point, onpointerleave: leave, onblur: leave },
        svg(
          "svg",
          { viewBox: `0 0 ${buckets.length * 10} 100`, preserveAspectRatio: "none", "aria-hidden": "true" },
          [0, 50, 100].map((y) => svg("line", { x1: 0, x2: buckets.length * 10, y1: y, y2: y })),
          buckets.map((name, index) => this.#column(groups, index, top)),
        ),
        shown.map((value, index) => h("span", { key: index, style: { top: `${index * 50}%` }, "aria-hidden": "true" }, this.#amount(value))),
        max <= 0 && h("p", { class: "none" }, "Nothing was used in this time."),
      ),
      h("div", { class: "spread small muted", "aria-hidden": "true" }, h("span", {}, this.#day(buckets[0])), h("span", {}, this.#day(buckets[buckets.length - 1]))),
    );
  }

  #column(groups, index, top) {
    let y = 100;
    return groups.map((group, number) => {
      const height = Math.max(0, (group.values[index] / top) * 100);
      if (!height) return null;
      y -= height;
      const isDim = this.at !== null && this.at !== index;
      return svg("rect", { class: isDim && "dim", style: { fill: `var(--g${number})` }, x: index * 10 + 1.5, y, width: 7, height });
    });
  }

  #legend({ buckets, groups, sums }) {
    if (!groups.length) return null;
    const { at } = this;
    const sum = at === null ? valueOf(this.stats.totals, this.measure) : sums[at];
    const rows = groups.map((group, number) => [group, number, at === null ? group.total : group.values[at]]);
    return h(
      "div",
      {},
      h("div", { class: "spread" }, h("b", {}, at === null ? `Last ${this.days} days` : this.#day(buckets[at], true)), h("b", {}, this.#amount(sum))),
      h(
        "ul",
        { class: "legend small" },
        rows.map(([group, number, value]) =>
          h("li", { key: group.id }, h("i", { style: { background: `var(--g${number})` } }), h("span", { class: "name", title: this.#name(group.id) }, this.#name(group.id)), h("b", {}, this.#amount(value))),
        ),
      ),
    );
  }

  #table({ buckets, groups, sums }) {
    const used = buckets.map((_, index) => index).filter((index) => groups.some((group) => group.values[index]));
    if (!used.length) return null;
    const head = ["Day", ...groups.map((group) => this.#name(group.id)), "All"];
    return h(
      "details",
      { class: "small" },
      h("summary", {}, "As a table"),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Usage as a table" },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
          h(
            "tbody",
            {},
            used.reverse().map((index) =>
              h("tr", { key: buckets[index] }, h("th", { scope: "row" }, this.#day(buckets[index], true)), groups.map((group) => h("td", {}, this.#amount(group.values[index]))), h("td", {}, this.#amount(sums[index]))),
            ),
          ),
        ),
      ),
    );
  }

  #key(event, count) {
    const from = this.at ?? count - 1;
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(Math.min(Math.max(to, 0), count - 1));
  }

  #point(event, count) {
    const box = event.currentTarget.getBoundingClientRect();
    this.#choose(Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * count), 0), count - 1));
  }

  #choose(at) {
    if (at === this.at) return;
    this.at = at;
    this.update();
  }

  #spoken({ buckets, groups, sums }) {
    const at = this.at ?? buckets.length - 1;
    const parts = groups.filter((group) => group.values[at]).map((group) => `${this.#name(group.id)} ${this.#amount(group.values[at])}`);
    return [`${this.#day(buckets[at], true)}: ${this.#amount(sums[at])} ${MEASURES[this.measure].toLowerCase()}`, ...parts].join(", ");
  }

  #name(id) {
    if (id === "") return "Other";
    if (id === null) return this.stats.groupBy === "model" ? "No model" : "No feature";
    return this.stats.groupBy === "operation" ? nameOf(this.catalog, id) : this.stats.groupBy === "feature" ? readable(id) : id;
  }

  #day(day, isLong = false) {
    const text = this.date(day, { timeZone: "UTC", month: "short", day: "numeric", ...(isLong && this.stats.bucket === "day" ? { weekday: "short" } : {}) });
    return isLong && this.stats.bucket === "week" ? `Week of ${text}` : text;
  }

  /** A measure's value in few letters. */
  #amount(value, measure = this.measure) {
    if (measure === "credits") return this.credits(value);
    if (measure !== "cost") return this.number(value, value >= 1e6 ? { notation: "compact", maximumFractionDigits: 2 } : {});
    const precision = value && Math.abs(value) < 1 ? { maximumSignificantDigits: 3 } : {};
    return this.number(value, { style: "currency", currency: "usd", ...precision });
  }
}

define("credit-usage", CreditUsage);
