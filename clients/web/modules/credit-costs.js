/** <credit-costs>: what each operation costs, out of the catalog. */

import { CreditElement, css, define, h } from "./element.js";
import { headingOf } from "./words.js";

const styles = css(`
table { border-collapse: collapse; width: 100% } tr + tr > * { border-top: 1px solid var(--border) }
th, td { text-align: start; font-weight: 400; padding: .55em 0; vertical-align: top } td { text-align: end; padding-inline-start: 1rem }
th span { display: block } tr.model > * { border: 0; padding-block: 0 .4em } tr.model th { padding-inline-start: 1rem; color: var(--muted) }
`);
const MANY = 12;

export class CreditCosts extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["heading", "operations"];
  /** @type {any} */ catalog = null;
  wanted = "";

  opened() {
    this.load();
  }

  load() {
    const { session } = this;
    if (session) this.attempt(async () => {
      this.catalog = await session.catalog();
    });
  }

  render() {
    const { catalog, fault } = this;
    if (!catalog && this.state.status === "signed-out") return h("slot");
    return h(
      "section",
      { class: "card stack", part: "card", "aria-label": "What things cost" },
      headingOf(this, "What things cost"),
      fault && !catalog && this.failure(fault, () => this.load()),
      catalog ? this.#table(catalog) : !fault && h("p", { class: "wait", "aria-busy": "true" }, "Loading prices"),
    );
  }

  #table({ operations, plans }) {
    const only = this.getAttribute("operations")?.split(/[\s,]+/);
    const own = plans.find(({ id }) => id === this.state.account?.plan.id)?.prices ?? [];
    const listed = operations.filter(({ id }) => !only || only.includes(id)).map((each) => own.find(({ id }) => id === each.id) ?? each);
    const found = listed.filter(({ name, models }) => [name, ...models.map((it) => it.name)].join(" ").toLowerCase().includes(this.wanted));
    const search = (event) => ((this.wanted = event.target.value.toLowerCase()), this.update());
    return [
      listed.length > MANY && h("input", { type: "search", placeholder: "Find", "aria-label": "Find an operation or model", oninput: search }),
      h("table", {}, h("thead", { class: "out" }, h("tr", {}, h("th", { scope: "col" }, "Operation"), h("th", { scope: "col" }, "Cost"))), h("tbody", {}, found.map((each) => this.#rows(each)))),
      !found.length && h("p", { class: "muted" }, "Nothing has this name."),
    ];
  }

  #rows(operation) {
    const { id, name, models, minimum, free_allowance: free, tiers } = operation;
    const notes = [
      this.#left(operation),
      minimum && `at least ${this.credits(minimum, true)} credits`,
      free && `the first ${this.credits(free, true)} of a period are free`,
      ...(tiers ?? []).map(({ above, percent }) => `${this.credits(percent, true)} % less above ${this.credits(above, true)}`),
    ].filter(Boolean);
    return [
      h("tr", { key: id }, h("th", { scope: "row" }, name, notes.map((note) => h("span", { class: "muted small" }, note))), h("td", { class: models.length ? "muted" : "" }, this.#price(operation))),
      models.map((model) => h("tr", { key: `${id} ${model.name}`, class: "model" }, h("th", { scope: "row" }, model.name), h("td", {}, this.#counted(model.price)))),
    ];
  }

  /** The price in a few words; how the provider's bill becomes credits is not for here. */
  #price({ rule, price, unit, models, explanation }) {
    if (rule === "local") return explanation;
    if (rule === "tokens") return "by model and tokens";
    const per = unit === "call" ? "" : ` per ${unit}`;
    if (price !== null) return this.#counted(price) + per;
    return models.length ? per.trim() || "by model" : explanation;
  }

  #counted(price) {
    return `${this.credits(price, true)} ${price === 1 ? "credit" : "credits"}`;
  }

  /** How often the plan still allows it. */
  #left({ feature }) {
    const count = feature && this.state.account?.features.find((it) => it.feature === feature);
    return count && count.limit !== null && `${this.number(count.used)} of ${this.number(count.limit)} used this period`;
  }
}

define("credit-costs", CreditCosts);
