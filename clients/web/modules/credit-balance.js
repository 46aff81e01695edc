/** <credit-balance>: the balance, compact for a navigation bar or detailed with bars. */

import { CreditElement, css, define, h, toneOf, waiting, windowsOf } from "./element.js";

const styles = css(`
:host(:not([detailed])) { display: inline-block; color: inherit; font: inherit; font-variant-numeric: tabular-nums }
.pill { display: inline-flex; align-items: center; gap: .45em; color: inherit; white-space: nowrap }
a.pill { text-decoration: none } a.pill:hover b { text-decoration: underline; text-underline-offset: .2em }
.pill b { font-weight: 600 } .pill.warn, .pill.danger { font-weight: 550 }
.window { display: grid; gap: .3rem } dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); gap: 1rem }
dt { color: var(--muted); font-size: .8125rem } dd { font-weight: 600 }
`);

/** @type {Record<string, string>} */
const WINDOWS = { day: "Today", month: "This month", period: "Plan credits used" };

export class CreditBalance extends CreditElement {
  static styles = [styles];
  static observedAttributes = ["detailed", "buy-href", "href", "label", "low"];
  /** @type {number | null} */ #shown = null;

  /** "", "warn" or "danger": how near the end the balance is. */
  get tone() {
    const { available, account } = this.state;
    if (available === null) return "";
    const low = Number(this.getAttribute("low") ?? account?.limits?.low_balance ?? 0);
    const isLow = available <= low || account?.warnings?.some((it) => it.code === "low_balance");
    return (account?.spendable ?? available) <= 0 ? "danger" : isLow ? "warn" : "";
  }

  render() {
    const { status, available, seq } = this.state;
    if (status === "signed-out") return h("slot");
    if (available !== null && available !== this.#shown) {
      this.#shown = available;
      this.fire("credit-change", { available, seq });
    }
    return this.hasAttribute("detailed") ? this.#detailed() : this.#compact();
  }

  #compact() {
    const { status, available, error } = this.state;
    const { tone } = this;
    const href = this.getAttribute("href");
    const label = this.getAttribute("label") ?? "credits";
    if (available === null && status === "error")
      return h("button", { type: "button", class: "pill", title: error?.message, onclick: () => this.session?.refresh({ now: true }) }, "Credits: try again");
    const shown = available === null ? waiting("000") : h("b", { title: this.credits(available, true) }, this.credits(available));
    return h(
      href ? "a" : "span",
      { class: `pill ${tone}`, href, part: "pill", "aria-busy": available === null },
      tone && mark(),
      h("span", { role: "status" }, shown, ` ${label}`, tone && h("span", { class: "out" }, tone === "danger" ? ", used up" : ", running low")),
    );
  }

  #detailed() {
    const { status, available, account, error } = this.state;
    const retry = () => this.session?.refresh({ now: true });
    if (!account || available === null)
      return h("div", { class: "card stack", part: "card" }, status === "error" ? this.failure(error, retry) : [h("div", { class: "big", "aria-busy": "true" }, waiting("000")), waiting("Balance")]);
    const { plan, totals, held } = account;
    const facts = [
      account.spendable === account.available ? null : ["May be spent", account.spendable],
      ["Purchased", totals.purchased],
      ["Used", totals.spent],
      held ? ["Set aside", held] : null,
    ].filter((fact) => fact !== null);
    return h(
      "section",
      { class: "card stack", part: "card", "aria-label": "Credit balance" },
      h(
        "div",
        { class: "spread" },
        h("div", { role: "status", "aria-live": "polite" }, h("span", { class: `big ${this.tone}`, title: this.credits(available, true) }, this.credits(available)), h("span", { class: "muted" }, ` ${this.getAttribute("label") ?? "credits"}`)),
        h("span", { class: "muted small" }, plan.name),
      ),
      this.#note(),
      status === "error" && this.failure(error, retry),
      windowsOf(account).filter((it) => it.limit !== null).map((it) => this.#window(it)),
      h("dl", {}, facts.map(([name, amount]) => h("div", { key: name }, h("dt", {}, name), h("dd", {}, this.credits(Number(amount)))))),
    );
  }

  #note() {
    const { tone } = this;
    const { status } = this.state.account;
    const href = this.getAttribute("buy-href");
    const buy = href && h("a", { class: "button primary", href }, "Buy credits");
    if (status !== "active") return h("div", { class: "note danger" }, `This account is ${status}.`);
    if (!tone) return buy && h("div", {}, buy);
    return h("div", { class: `note ${tone}`, role: "status" }, h("span", { class: "row" }, mark(), tone === "danger" ? "Your credits are used up." : "Your credits are running low."), buy);
  }

  #window({ window, spent, limit, percent, resets_at }) {
    const name = WINDOWS[window] ?? window;
    const tone = window === "period" ? "" : toneOf(percent);
    return h(
      "div",
      { key: window, class: "window" },
      h("div", { class: "spread small" }, h("span", { class: tone }, tone && mark(), ` ${name}`), h("span", { class: "muted" }, `${this.credits(spent)} of ${this.credits(limit)}`)),
      this.bar(percent ?? 0, `${name}: ${percent ?? 0} %`, tone),
      h("div", { class: "muted small" }, `Starts anew ${this.date(resets_at)}`),
    );
  }
}

const mark = () => h("span", { "aria-hidden": "true", class: "mark" }, "▲");

define("credit-balance", CreditBalance);
