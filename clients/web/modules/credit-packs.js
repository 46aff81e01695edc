/** <credit-packs>: what can be bought, what a credit costs, and the way to pay. */

import { newKey } from "./client.js";
import { CreditElement, css, define, h, waiting } from "./element.js";
import { buy, follow, purchaseNote } from "./purchase.js";

const styles = css(`
.packs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12rem), 1fr)); gap: 1rem }
.pack { display: flex; flex-direction: column; gap: .75rem; height: 100% }
.best { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent) }
.save { color: var(--ok); font-weight: 600; font-size: .8125rem }
.price { font-size: 1.125rem; font-weight: 600 } ul { display: grid; gap: .35rem } .pack button { margin-top: auto; width: 100% }
.pack li::before { content: "✓"; color: var(--ok); margin-inline-end: .5em }
`);

export class CreditPacks extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["only", "success-url", "cancel-url"];
  /** @type {any[] | undefined} */ packs;
  chosen = "";
  #keys = {};

  opened() {
    if (!this.session) return;
    this.load();
    follow(this.session);
  }

  load() {
    return this.attempt(async () => (this.packs = (await this.session?.client.packs()).packs));
  }

  async buy(pack) {
    if (this.chosen) return;
    this.chosen = pack;
    // Pressed again after a failure it is the same purchase.
    const key = (this.#keys[pack] ??= newKey());
    const isLeaving = await this.attempt(() => buy(this, { pack }, key));
    const stay = () => {
      this.chosen = "";
      this.update();
      follow(this.session);
    };
    if (isLeaving !== undefined) delete this.#keys[pack];
    if (!isLeaving) return stay();
    // Back from the payment page by the browser's own button.
    addEventListener("pageshow", stay, { once: true });
  }

  render() {
    const retry = () => this.load();
    if (!this.packs) {
      if (this.fault) return h("div", { class: "card" }, this.failure(this.fault, retry));
      return h("div", { class: "packs", "aria-busy": "true" }, [1, 2, 3].map(() => h("div", { class: "card stack" }, waiting("Pack", "000 credits", "Buy"))));
    }
    const only = this.getAttribute("only")?.split(/[\s,]+/);
    const packs = this.packs.filter((pack) => !only || only.includes(pack.id));
    const most = Math.max(0, ...packs.map((pack) => pack.savings_percent));
    return h(
      "div",
      { class: "stack" },
      purchaseNote(this),
      this.fault && this.failure(this.fault),
      packs.length ? h("ul", { class: "packs", "aria-label": "Credit packs" }, packs.map((pack) => this.#pack(pack, most))) : h("p", { class: "muted" }, "There is nothing to buy right now."),
    );
  }

  #pack(pack, most) {
    const { id, name, credits, price, currency, price_per_credit, savings_percent, features, expires_after_days } = pack;
    const isBest = most > 0 && savings_percent === most;
    const isChosen = this.chosen === id;
    return h(
      "li",
      { key: id },
      h(
        "article",
        { class: `card pack ${isBest ? "best" : ""}`, "aria-label": name, part: "pack" },
        h("div", { class: "spread" }, h("h3", {}, name), savings_percent > 0 && h("span", { class: "save" }, `Save ${this.number(savings_percent)} %`)),
        h("div", {}, h("span", { class: "big" }, this.credits(credits)), h("span", { class: "muted" }, " credits")),
        h("div", {}, h("div", { class: "price" }, this.money(price, currency)), h("div", { class: "muted small" }, `${this.money(price_per_credit, currency)} per credit`)),
        h("ul", { class: "small" }, features.map((feature) => h("li", {}, feature)), expires_after_days && h("li", {}, `For ${expires_after_days} days`)),
        h("button", { type: "button", class: isBest ? "primary" : "", disabled: Boolean(this.chosen), "aria-busy": isChosen, onclick: () => this.buy(id) }, isChosen ? "One moment…" : `Buy ${name}`),
      ),
    );
  }
}

define("credit-packs", CreditPacks);
