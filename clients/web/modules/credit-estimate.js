/** <credit-estimate>: what a run will cost, before it runs. */

import { CreditElement, css, define, h, waiting } from "./element.js";

const styles = css(`
:host([compact]) { display: inline-block; font-size: inherit }
dl { display: grid; grid-template-columns: repeat(3, 1fr); gap: .75rem } dt { color: var(--muted); font-size: .8125rem }
dd { font-weight: 600; font-size: 1.125rem } .mid dd { font-size: 1.5rem; line-height: 1.2 } dl > div { align-self: end }
`);

/** The run that an element's attributes name, or its property `request`. */
export function runOf(element) {
  if (element.request) return element.request;
  const run = {};
  for (const name of ["operation", "model", "feature", "subtype", "provider", "quantity"])
    if (element.hasAttribute(name)) run[name] = element.getAttribute(name);
  for (const name of ["usage", "resource"])
    try {
      if (element.hasAttribute(name)) run[name] = JSON.parse(element.getAttribute(name));
    } catch {
      console.error(`${element.localName}: ${name} is not JSON`);
    }
  return run.operation ? run : null;
}

/** Whether the operation runs on the customer's own machine: asked of the cost table alone, once. */
export async function isLocal(element, run) {
  if (element.hasAttribute("local")) return true;
  const table = await element.session?.catalog().catch(() => null);
  return Boolean(table?.operations.some((it) => it.id === run.operation && it.rule === "local"));
}

export class CreditEstimate extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["operation", "model", "quantity", "usage", "resource", "local", "compact"];
  /** @type {any} */ #request = null;
  /** @type {any} */ #timer;
  /** @type {any} */ estimate = null;
  isLocal = false;

  /** The run; it goes before the attributes. */
  get request() {
    return this.#request;
  }
  set request(request) {
    this.#request = request;
    this.#soon();
  }

  opened() {
    this.#soon(0);
  }

  attributeChangedCallback() {
    this.#soon();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  #soon(wait = 250) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load(), wait);
  }

  async load() {
    const run = runOf(this);
    if (!this.isConnected || !run || !(this.session || this.hasAttribute("local"))) return this.update();
    await this.attempt(async () => {
      const here = await isLocal(this, run);
      const estimate = here ? null : await this.session?.client.estimate(run);
      // An answer to a question that is no longer asked is left.
      if (JSON.stringify(run) !== JSON.stringify(runOf(this))) return;
      this.isLocal = here;
      this.estimate = estimate;
    });
  }

  render() {
    const isCompact = this.hasAttribute("compact");
    const shape = isCompact ? "span" : "div";
    const card = isCompact ? "" : "card stack";
    if (this.isLocal || this.hasAttribute("local")) return h(shape, { class: `${card} ok`, part: "card", role: "status" }, "Local mode, 0 credits");
    if (this.state.status === "signed-out" || !runOf(this)) return h("slot");
    if (this.fault) return h("div", { class: card }, this.failure(this.fault, () => this.load()));
    if (!this.estimate) return h(shape, { class: card, "aria-busy": "true" }, waiting("About 00 credits"));
    const { min, typical, max, explanation } = this.estimate;
    const { available } = this.state;
    const isShort = available !== null && (this.state.account?.spendable ?? available) < typical;
    const range = min === max ? "" : ` (${this.credits(min, true)}–${this.credits(max, true)})`;
    if (isCompact)
      return h("span", { title: explanation, class: isShort ? "warn" : "", role: "status" }, `${min === max ? "" : "About "}${this.credits(typical, true)} credits${range}`);
    return h(
      "section",
      { class: card, part: "card", "aria-label": "Estimated cost", "aria-busy": this.busy },
      h("div", { role: "status" }, h("dl", {}, (range ? [["At least", min, ""], ["Typically", typical, "mid"], ["At most", max, ""]] : [["Costs", typical, "mid"]]).map(([name, amount, role]) => h("div", { class: role, key: name }, h("dt", {}, name), h("dd", {}, this.credits(amount, true), h("span", { class: "out" }, " credits")))))),
      h("p", { class: "muted small" }, explanation),
      isShort && h("p", { class: "warn small" }, `You have ${this.credits(Number(available))} credits.`),
    );
  }
}

define("credit-estimate", CreditEstimate);
