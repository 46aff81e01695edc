/** <credit-history>: every change of the balance, newest first, each explained; and as a file. */

import { CreditElement, css, define, h } from "./element.js";
import { headingOf, nameOf, readable, withCatalog } from "./words.js";

const styles = css(`
section { position: relative } .save { position: absolute; inset-block-start: .8rem; inset-inline-end: 1.25rem }
.day { color: var(--muted); padding: .25rem 0 .5rem } div + div > .day { padding-top: 1.5rem } ul > li { border-top: 1px solid var(--border) }
.entry { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; width: 100%; text-align: start; border: 0;
  border-radius: 0; padding: .6rem .5rem; margin-inline: -.5rem; width: calc(100% + 1rem); font-weight: 400 }
.entry b { font-weight: 550; overflow-wrap: anywhere } .entry > :nth-child(even) { text-align: end }
.more { padding: .9rem 1rem; margin-bottom: 1rem; border-radius: calc(var(--radius) * .7); background: color-mix(in srgb, var(--text) 4%, transparent) } table { border-collapse: collapse; width: 100% }
th { color: var(--muted); font-weight: 400 } th, td { text-align: end; padding: .25em 0 .25em .75em; overflow-wrap: anywhere }
th:first-child, td:first-child { text-align: start; padding-inline-start: 0 }
dl { display: grid; grid-template-columns: minmax(6rem, auto) 1fr; gap: .3em 1rem } dt { color: var(--muted) }
dd { overflow-wrap: anywhere } code { font-size: .9em } ol { margin: 0; padding-inline-start: 1.25em; overflow-wrap: anywhere }
`);

/** What a row is, where its kind does not say it. `…` stands for the operation. */
const KINDS = {
  grant: "Credits added", charge: "…", void: "… undone", expire: "Credits expired", reset: "Plan credits renewed",
  run_failed: "… failed, not charged", hold: "Set aside for …", settle: "…", release: "Given back", hold_expired: "Given back",
  freeze: "Account frozen", transfer_out: "Moved to a budget", transfer_in: "Moved from an account",
  rerate: "Price corrected", clawback: "Payment went back", reinstate: "Payment came again",
};
const PAGE = 15;
const TRIES = 4;

export class CreditHistory extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["heading", "no-cost"];
  /** @type {any[] | null} */ entries = null;
  /** @type {any} */ catalog = null;
  /** @type {string | null} */ next = null;
  /** @type {string | null} */ open = null;
  /** @type {Map<string, any>} */ #explained = new Map();
  #wanted = 0;
  #isReading = false;
  /** @type {any} */ #timer;

  opened() {
    this.entries = this.open = this.next = null;
    this.#explained.clear();
    this.#wanted = 0;
    withCatalog(this);
  }

  changed({ account, seq }) {
    if (account && seq > this.#wanted) {
      this.#wanted = seq;
      this.#refresh();
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  /** The newest rows are there; the list may lag the balance, so it is asked again for a while. */
  async #refresh(tried = 1) {
    clearTimeout(this.#timer);
    if (this.#isReading) return void (this.#timer = setTimeout(() => this.#refresh(tried), 200));
    this.#isReading = true;
    await this.attempt(async () => {
      const page = await this.session?.client.entries({ limit: PAGE });
      const known = this.entries ?? [];
      const oldest = page.entries.at(-1)?.seq ?? 0;
      const follows = known.length > 0 && oldest <= known[0].seq + 1;
      if (!follows || !this.entries) this.next = page.next_cursor;
      this.entries = [...page.entries, ...(follows ? known.filter((it) => it.seq < oldest) : [])];
      for (const { refers_to: key } of page.entries) this.#explained.delete(key);
    });
    this.#isReading = false;
    const isBehind = !this.fault && (this.entries?.[0]?.seq ?? 0) < this.#wanted;
    if (isBehind && tried < TRIES) this.#timer = setTimeout(() => this.#refresh(tried + 1), 300 * tried);
  }

  #more() {
    return this.attempt(async () => {
      const page = await this.session?.client.entries({ limit: PAGE, cursor: this.next });
      this.entries = [...(this.entries ?? []), ...page.entries];
      this.next = page.next_cursor;
    });
  }

  async #toggle(key) {
    this.open = this.open === key ? null : key;
    this.update();
    if (!this.open || this.#explained.has(key)) return;
    this.#explained.set(key, await this.session?.client.entry(key).catch((error) => ({ error })));
    this.update();
  }

  #again(key) {
    this.#explained.delete(key);
    this.open = null;
    this.#toggle(key);
  }

  /** All rows as one file on the reader's disk. */
  #save() {
    return this.attempt(async () => {
      const parts = [];
      let cursor;
      do {
        const page = await this.session?.client.csv({ cursor });
        parts.push(cursor ? page.text.replace(/^.*\r?\n/, "") : page.text);
        cursor = page.next_cursor;
      } while (cursor);
      const href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
      h("a", { href, download: `credits-${this.state.account.account.replace(/\W+/g, "_")}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 1e4);
    });
  }

  render() {
    if (this.state.status === "signed-out") return h("slot");
    const { entries, next, busy } = this;
    const fault = this.fault ?? (!entries && this.state.error);
    return h(
      "section",
      { class: "card stack", part: "card", "aria-label": "History" },
      headingOf(this, "History"),
      entries && h("button", { type: "button", class: "small save", disabled: !entries.length, onclick: () => this.#save() }, "Download CSV"),
      fault && this.failure(fault, () => (this.session?.refresh({ now: true }), this.#refresh())),
      entries ? this.#days(entries) : !fault && h("p", { class: "wait", "aria-busy": "true" }, "Loading history"),
      next && h("button", { type: "button", disabled: busy, onclick: () => this.#more() }, "Show more"),
    );
  }

  #days(entries) {
    if (!entries.length) return h("p", { class: "muted" }, "Nothing has happened yet. What you use and buy will be listed here.");
    const days = new Map();
    for (const it of entries) days.set(this.date(it.at), [...(days.get(this.date(it.at)) ?? []), it]);
    return h("div", {}, [...days].map(([day, rows]) => h("div", { key: day }, h("h3", { class: "day small" }, day), h("ul", {}, rows.map((it) => this.#row(it))))));
  }

  #row(entry) {
    const { key, seq, delta, at, available_after: after, charged } = entry;
    const isOpen = this.open === key;
    const about = [this.date(at, { timeStyle: "short" }), entry.model, entry.feature && readable(entry.feature)].filter(Boolean).join(" · ");
    const settled = entry.kind === "settle" && charged ? ` (${this.credits(charged, true)} used)` : "";
    return h(
      "li",
      { key: seq },
      h(
        "button",
        { type: "button", class: "entry", "aria-expanded": String(isOpen), onclick: () => this.#toggle(key) },
        h("b", {}, this.#title(entry) + settled),
        h("b", { class: delta > 0 ? "ok" : delta ? "" : "muted" }, this.number(delta, { signDisplay: "exceptZero", maximumFractionDigits: 6 })),
        h("span", { class: "muted small" }, about),
        h("span", { class: "muted small" }, h("span", { class: "out" }, "balance "), this.credits(after, true)),
      ),
      isOpen && h("div", { class: "more stack small" }, this.#explain(this.#explained.get(key), key)),
    );
  }

  #title({ kind, operation }) {
    return (KINDS[kind] ?? readable(kind)).replace("…", operation ? nameOf(this.catalog, operation) : "a run").replace(/^a /, "A ");
  }

  #explain(entry, key) {
    if (!entry) return h("p", { class: "wait", "aria-busy": "true" }, "Loading");
    if (entry.error) return this.failure(entry.error, () => this.#again(key));
    const { computation, tokens } = entry;
    const withCost = !this.hasAttribute("no-cost");
    const moved = (grants) => grants.map(({ kind, amount, grant }) => `${this.credits(amount, true)} ${kind} (${grant})`).join(", ");
    const facts = {
      "Paid from": moved(entry.grants_moved),
      "Given back to": moved(entry.grants_returned),
      Reason: entry.reason,
      Service: entry.service,
      Tokens: Object.entries(tokens ?? {}).map(([pool, count]) => `${this.number(count)} ${readable(pool).toLowerCase()}`).join(", "),
      ...Object.fromEntries(Object.entries(entry.metadata ?? {}).map(([name, value]) => [readable(name), typeof value === "object" ? JSON.stringify(value) : value])),
      Cost: withCost && entry.cost_usd && `${entry.cost_usd} USD`,
      "Not collected": entry.uncollected && this.credits(entry.uncollected, true),
      "Belongs to": entry.refers_to,
      "Undone by": entry.returned_by,
      Prices: entry.price_version && h("code", {}, entry.price_version),
      Entry: h("code", {}, `${entry.seq} · ${entry.key}`),
    };
    return [
      entry.breakdown?.length > 0 &&
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, ["Item", "Quantity", "Rate", "Credits"].map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, entry.breakdown.map((line) => h("tr", {}, h("td", {}, line.item), h("td", {}, this.credits(line.quantity, true)), h("td", {}, withCost || !line.rate.includes("USD") ? line.rate : ""), h("td", {}, this.credits(line.credits, true))))),
        ),
      h("dl", {}, Object.entries(facts).filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      withCost && computation && h("details", {}, h("summary", {}, computation.agrees === false ? "Computed again: it differs" : "How this was computed"), h("ol", {}, computation.steps.map((step) => h("li", {}, step.text)))),
    ];
  }
}

define("credit-history", CreditHistory);
