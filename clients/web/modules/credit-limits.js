/** <credit-limits>: the limits a customer sets for themselves, and when to be told. */

import { CreditElement, css, define, h, waiting } from "./element.js";

const styles = css(`
form { display: grid; gap: 1.25rem } .fields { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); align-items: start }
label { display: block; font-weight: 550 } .field > * + * { margin-top: .35rem } input[aria-invalid=true] { border-color: var(--danger) }
fieldset { border: 0; margin: 0; padding: 0 } legend { padding: 0; font-weight: 550; margin-bottom: .35rem } .checks { display: flex; gap: 1.25rem; flex-wrap: wrap }
.checks label { display: flex; gap: .45em; align-items: center; font-weight: 400 } .checks input { width: auto; accent-color: var(--accent) }
.end { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap }
`);

const FIELDS = [
  ["daily", "Per day", "day"],
  ["monthly", "Per month", "month"],
  ["per_run_max", "For one run", ""],
  ["low_balance", "Tell me below", ""],
];
const THRESHOLDS = [50, 80, 100];
const AMOUNT = /^\d{1,10}(\.\d{1,6})?$/;

export class CreditLimits extends CreditElement {
  static styles = [styles];
  /** @type {Record<string, string>} */ typed = {};
  /** @type {Record<string, string>} */ wrong = {};
  /** @type {Set<number> | null} */ alerts = null;
  saved = false;

  /** What the field holds: what was typed, else the customer's own limit. */
  #value(name) {
    const { limits } = this.state.account;
    const own = name === "low_balance" ? limits.low_balance : limits.user[name];
    return this.typed[name] ?? (own === null || own === undefined ? "" : String(own));
  }

  /** Why what was typed cannot be, or nothing. */
  #fault(name) {
    const text = this.#value(name).trim();
    const most = this.state.account.limits.operator[name];
    if (text === "") return name === "low_balance" ? "Say a number of credits." : "";
    if (!AMOUNT.test(text)) return "A number such as 20 or 2.5, with at most six decimals.";
    if (name !== "low_balance" && Number(text) === 0) return "More than 0; leave it empty for no limit.";
    if (most != null && Number(text) > most) return `At most ${this.credits(most, true)}, which is set for you.`;
    return "";
  }

  async save() {
    this.saved = false;
    const changes = {};
    this.wrong = {};
    for (const [name] of FIELDS) {
      const fault = name in this.typed ? this.#fault(name) : "";
      if (fault) this.wrong[name] = fault;
      else if (name in this.typed) changes[name] = this.typed[name].trim() || null;
    }
    if (this.alerts) changes.alert_thresholds = [...this.alerts].sort((a, b) => a - b);
    if (Object.keys(this.wrong).length) return this.#pointAtWrong();
    if (Object.keys(changes).length) {
      const answer = await this.attempt(() => this.session?.client.setLimits(changes));
      if (!answer) return this.#read();
      this.typed = {};
      this.alerts = null;
      await this.session?.refresh({ now: true });
    }
    this.saved = true;
    this.update();
  }

  /** The API's own reasons stand at their fields. */
  #read() {
    for (const { member, reason } of this.fault?.problem?.errors ?? []) if (FIELDS.some(([name]) => name === member)) this.wrong[member] = reason;
    if (Object.keys(this.wrong).length) {
      this.fault = null;
      this.#pointAtWrong();
    }
  }

  #pointAtWrong() {
    this.update();
    setTimeout(() => this.root.querySelector("[aria-invalid=true]")?.focus());
  }

  render() {
    const { status, account, error } = this.state;
    if (status === "signed-out") return h("slot");
    if (!account)
      return h("div", { class: "card stack" }, status === "error" ? this.failure(error, () => this.session?.refresh({ now: true })) : waiting("Per day", "Per month"));
    const alerts = this.alerts ?? new Set(account.limits.alert_thresholds);
    const offered = [...new Set([...THRESHOLDS, ...account.limits.alert_thresholds])].sort((a, b) => a - b);
    return h(
      "form",
      { class: "card", part: "card", novalidate: true, "aria-label": "Spending limits", onsubmit: (event) => (event.preventDefault(), this.busy || this.save()) },
      h("div", { class: "fields" }, FIELDS.map((field) => this.#field(field))),
      h(
        "fieldset",
        {},
        h("legend", {}, "Tell me when a limit is used to"),
        h("div", { class: "checks" }, offered.map((percent) => h("label", { key: percent }, h("input", { type: "checkbox", ".checked": alerts.has(percent), onchange: (event) => this.#check(percent, event.target.checked) }), `${percent} %`))),
      ),
      this.fault && this.failure(this.fault),
      h(
        "div",
        { class: "end" },
        h("button", { class: "primary", "aria-disabled": this.busy }, this.busy ? "Saving…" : "Save limits"),
        h("span", { role: "status", class: "ok" }, this.saved && "Saved."),
      ),
    );
  }

  #check(percent, isOn) {
    this.alerts ??= new Set(this.state.account.limits.alert_thresholds);
    this.alerts[isOn ? "add" : "delete"](percent);
    this.saved = false;
    this.update();
  }

  #field(field) {
    const [name, label, window] = field;
    const { limits, windows } = this.state.account;
    const most = limits.operator[name];
    const wrong = this.wrong[name];
    const used = windows.find((it) => it.window === window && it.limit !== null);
    const hint = wrong ?? (most != null ? `At most ${this.credits(most, true)}` : "");
    const oninput = (event) => {
      this.typed[name] = event.target.value;
      delete this.wrong[name];
      this.saved = false;
      this.update();
    };
    return h(
      "div",
      { class: "field", key: name },
      h("label", { for: name }, label),
      h("input", { id: name, inputmode: "decimal", autocomplete: "off", placeholder: name === "low_balance" ? "" : "No limit", ".value": this.#value(name), "aria-invalid": Boolean(wrong), "aria-describedby": hint ? `${name}-hint` : null, oninput }),
      hint && h("p", { id: `${name}-hint`, class: `small ${wrong ? "danger" : "muted"}` }, hint),
      used && h("p", { class: "muted small" }, `${this.credits(used.spent)} of ${this.credits(used.limit)} used`),
      used && this.bar(used.percent ?? 0, `${label}: ${used.percent} % used`),
    );
  }
}

define("credit-limits", CreditLimits);
