/** <credit-gate>: asks before an action whether it can be paid for, and what to do where it cannot. */

import { HELPED, askingDialog, dialogStyles } from "./asking.js";
import { errorOf, newKey } from "./client.js";
import { isLocal, runOf } from "./credit-estimate.js";
import { CreditElement, css, define, h } from "./element.js";
import { follow, keep, kept } from "./purchase.js";

const styles = css(`
.over { display: grid; position: relative } .shade { position: absolute; inset: 0; border-radius: var(--radius);
  background: color-mix(in srgb, var(--surface) 20%, transparent); cursor: not-allowed }
.panel { position: relative; margin-top: .5rem }
`);

const PRIVATE = "[data-private], [autocomplete^=cc-], [autocomplete=one-time-code]";
const INPUTS = "input, textarea, select, button";

/** Sets a field as typing would, so that frameworks notice. */
function type(field, value) {
  Reflect.set(Object.getPrototypeOf(field), "value", value, field);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The refusal that an error or an answer of the app's own backend stands for, or nothing. */
async function refusal(thing) {
  if (thing?.status !== 402) return null;
  if (thing instanceof Error && "shortfall" in thing) return thing;
  if (thing instanceof Response) return errorOf(402, await thing.clone().json().catch(() => null));
  return errorOf(402, thing.problem ?? thing.body ?? thing.data ?? thing);
}

export class CreditGate extends CreditElement {
  static styles = [styles, dialogStyles];
  static observedAttributes = ["operation", "model", "quantity", "usage", "resource", "cost", "mode", "local", "label"];
  /** The run; it goes before the attributes. @type {any} */
  request = null;
  /** What a form's or button's action does instead of being submitted or pressed again. @type {any} */
  action = null;
  /** The key of the action under way. */
  key = "";
  /** What the dialog is about. @type {any} */
  asked = null;
  /** @type {Promise<any> | null} */ #under = null;
  /** @type {any} */ #draft = null;
  /** The key of an action whose outcome nobody knows. @type {any} */ #unsure = null;
  /** @type {any} */ #again = null;
  /** @type {any} */ #timer;
  /** @type {Map<any, any>} */ #blocked = new Map();
  #watch = new MutationObserver(() => this.#look());
  #passes = false;
  #cost = NaN;

  constructor() {
    super();
    this.addEventListener("submit", (event) => this.#stop(event, event.target), true);
    this.addEventListener("click", (event) => this.#press(event), true);
  }

  connectedCallback() {
    super.connectedCallback();
    this.#watch.observe(this, { childList: true, subtree: true });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#watch.disconnect();
    this.asked?.answer("leave");
  }

  attributeChangedCallback() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#price(), 250);
  }

  opened() {
    // Another customer's session has nothing of the last one's.
    this.#draft = this.#unsure = null;
    this.asked?.answer("leave");
    this.#price();
  }

  changed(state) {
    if (state.account && !this.#draft && (this.#draft = this.#kept())) this.#look();
    this.#weigh();
    this.#block();
  }

  /** Where there is enough by now, the action goes on by itself or by a button. */
  #weigh() {
    const { asked } = this;
    if (!asked?.problem || asked.isEnough || !HELPED.test(asked.problem.blocking) || this.spendable < asked.problem.required) return;
    asked.isEnough = true;
    const retry = this.getAttribute("retry");
    if (retry === "auto" || (retry !== "button" && !asked.isBack)) asked.answer("proceed");
  }

  /** What a run may take now. */
  get spendable() {
    const { available, account, seq } = this.state;
    return account?.seq === seq ? account.spendable : (available ?? 0);
  }

  /**
   * Runs `action({ key })` once it can be paid for, and answers what it answers. A 402, of the check
   * or of the action, opens the dialog; then the action runs with the same key, or the refusal is
   * thrown. While one is under way, another call joins it; one with another key comes after it.
   */
  run(action, options) {
    const { run = runOf(this), key = newKey(), problem = null, source, fields } = options ?? {};
    const isOther = this.#under && options?.key && key !== this.key;
    if (isOther) return this.#under?.catch(() => {}).then(() => this.run(action, options));
    if (!this.session) throw new Error("configure() comes first");
    this.#under ??= this.#go(action, { run, key, problem, source, fields }).finally(() => {
      this.#under = null;
      this.key = "";
      this.update();
    });
    return this.#under;
  }

  async #go(action, { run, key, problem, source, fields }) {
    this.fault = null;
    this.key = key;
    let isAsked = false;
    const isBack = Boolean(problem);
    this.update();
    for (;;) {
      let required = 0;
      if (!problem && run && !this.hasAttribute("no-check") && !(await isLocal(this, run)))
        try {
          ({ required } = await this.session.client.check(run));
        } catch (error) {
          problem = await refusal(error);
          if (!problem) throw error;
        }
      const above = this.getAttribute("confirm");
      if (!problem && !isAsked && above !== null && required > Number(above)) {
        isAsked = true;
        if ((await this.#ask({ run, required })) !== "proceed") throw new DOMException("The action was cancelled.", "AbortError");
      }
      if (!problem)
        try {
          if (source && this.action) this.#keep({ run, key, source, fields });
          this.fire("credit-proceed", { key, run });
          const answer = await action({ key });
          problem = await refusal(answer);
          if (!problem) {
            this.#forget();
            return answer;
          }
        } catch (error) {
          problem = await refusal(error);
          if (!problem) throw error;
        }
      if (!isBack || isAsked) this.fire("credit-shortage", { problem: problem.problem });
      isAsked = true;
      const left = { run, key, problem: problem.problem, source, fields };
      this.#keep(left);
      const choice = await this.#ask({ run, problem, isBack, left });
      if (choice === "cancel") this.#forget();
      if (choice !== "proceed") throw problem;
      problem = null;
    }
  }

  /** The dialog's answer: "proceed", "cancel", or "leave" where the page goes on without it. */
  #ask(asked) {
    return new Promise((done) => {
      const answer = (choice) => {
        this.asked = null;
        this.root.querySelector("dialog")?.close();
        if (choice === "cancel") this.fire("credit-cancel");
        this.update();
        done(choice);
      };
      // The way to the payment page leaves what was typed behind, for the way back.
      this.asked = { ...asked, answer, leave: () => this.#keep({ ...asked.left, left: true }) };
      const { run } = asked;
      // The exact lines come from the estimate, which answers even where nothing can be paid.
      if (run)
        this.session.client.estimate(run).then(({ breakdown }) => {
          if (this.asked) this.asked.lines = breakdown;
          this.update();
        }, () => {});
      this.update();
      queueMicrotask(() => this.root.querySelector("dialog")?.showModal());
      this.#weigh();
      if (asked.problem) this.session.refresh();
      follow(this.session);
    });
  }

  #stop(event, form) {
    if (this.#passes || this.getAttribute("mode") === "off") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    this.#start(form, () => form.requestSubmit(submitter?.isConnected ? submitter : null));
  }

  #press(event) {
    const button = event.target.closest?.("button");
    if (!button || this.#passes || button.form || !this.contains(button) || button.hasAttribute("data-free")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#start(button, () => button.click());
  }

  /** The action of a form or a button, from its first moment or where the last page left it. */
  #start(target, again, left) {
    const go = () => {
      if (this.action) return this.action({ key: this.key, target });
      this.#passes = true;
      try {
        return again();
      } finally {
        this.#passes = false;
      }
    };
    if (this.#under) return;
    const source = { kind: target.localName, at: [...this.querySelectorAll(target.localName)].indexOf(target) };
    const fields = this.#typed;
    const same = JSON.stringify([source, fields]);
    // Where nobody knows whether the last try was done, the same thing goes on with its key.
    const key = left?.key ?? (this.#unsure?.same === same ? this.#unsure.key : newKey());
    this.#unsure = { same, key };
    this.#again = () => this.#start(target, again);
    const isDone = () => (this.#unsure = null);
    this.run(go, { ...left, source, fields, key }).then(isDone, (error) => {
      const { name, status } = error;
      if (name === "AbortError" || (status >= 400 && status < 500)) isDone();
      if (name === "AbortError" || status === 402) return;
      this.fault = error;
      this.#keep({ source, fields, key: this.#unsure?.key });
      // An app that emptied its fields at once gets back what stood there.
      this.#draft = { fields };
      this.#look();
      this.fire("credit-error", { error });
      this.update();
    });
  }

  // What was typed survives a shortage, the way to the payment page and a lost connection.

  get #place() {
    return `tollkeeper:draft:${this.id || location.pathname}`;
  }

  get #fields() {
    /** @type {any[]} */
    const all = [...this.querySelectorAll("input, textarea, select")];
    const isKept = (it) => !/^(password|file|hidden|submit|button)$/.test(it.type) && !it.matches(PRIVATE);
    return all.filter(isKept).map((it, at) => [it.name || it.id || `${at}`, it]);
  }

  get #typed() {
    return this.#fields.map(([name, it]) => [name, /^(checkbox|radio)$/.test(it.type) ? it.checked : it.value, it.type]);
  }

  #keep(left) {
    const { source, fields = this.#typed } = left;
    const same = JSON.stringify([source, fields]);
    const account = this.state.account?.account;
    keep(this.#place, { ...left, fields, same, account, path: location.pathname });
    this.#draft = {};
  }

  #forget() {
    keep(this.#place, null);
    this.#draft = {};
  }

  #kept() {
    const draft = kept(this.#place) ?? {};
    const isOwn = draft.account === this.state.account.account;
    if (!isOwn) keep(this.#place, null);
    return isOwn && draft.path === location.pathname ? draft : {};
  }

  /** Fields of the draft that are there by now are filled in; then its action can go on. */
  #look() {
    this.#block();
    const draft = this.#draft;
    if (!draft?.fields) return;
    draft.fields = draft.fields.filter(([name, value, kind]) => {
      const found = this.#fields.find(([its, it]) => its === name && it.type === kind)?.[1];
      if (found && typeof value === "boolean") found.checked = value;
      else if (found && !found.value) type(found, value);
      return !found;
    });
    const { source, problem, run, key, left, same } = draft;
    const target = source && this.querySelectorAll(source.kind)[source.at];
    if (draft.fields.length || (source && !target)) return;
    this.#draft = {};
    if (key) this.#unsure = { same, key };
    this.fire("credit-restore", { run, key });
    if (!target || !problem || !(left || this.spendable >= problem.required)) return;
    const again = () => (source.kind === "form" ? target.requestSubmit() : target.click());
    this.#start(target, again, { run, key, problem: errorOf(402, problem) });
  }

  // mode="overlay": the inputs are disabled while what is left is less than the cost.

  async #price() {
    this.update();
    if (!this.session || this.getAttribute("mode") !== "overlay") return this.#block();
    const run = runOf(this);
    this.#cost = Number(this.getAttribute("cost") ?? NaN);
    if (Number.isNaN(this.#cost) && run)
      this.#cost = (await isLocal(this, run)) ? 0 : await this.session?.client.estimate(run).then((it) => it.typical, () => NaN);
    this.#block();
    this.update();
  }

  get isBlocked() {
    return this.getAttribute("mode") === "overlay" && this.state.available !== null && this.#cost > this.spendable;
  }

  get #why() {
    return `This needs ${this.credits(this.#cost, true)} credits; you have ${this.credits(this.spendable)}.`;
  }

  #block() {
    if (!this.isBlocked) {
      for (const [it, { disabled, placeholder }] of this.#blocked) {
        it.disabled = disabled;
        if (placeholder !== undefined) it.placeholder = placeholder;
      }
      this.#blocked.clear();
      return;
    }
    /** @type {any[]} */
    const all = [...this.querySelectorAll(INPUTS)];
    for (const it of all) {
      if (!this.#blocked.has(it)) this.#blocked.set(it, { disabled: it.disabled, placeholder: it.placeholder });
      it.disabled = true;
      if (it.placeholder !== undefined) it.placeholder = this.#why;
    }
  }

  render() {
    return [
      h("div", { class: "over", "aria-busy": Boolean(this.#under) }, h("slot"), this.isBlocked && h("div", { class: "shade", key: "shade" }), this.isBlocked && this.#panel()),
      this.fault && h("div", { key: "fault", class: "panel" }, this.failure(this.fault, this.#again)),
      this.asked && askingDialog(this, this.asked),
    ];
  }

  #panel() {
    const href = this.getAttribute("pricing-href");
    const ask = () => this.run(async () => {}).catch(() => {});
    return h(
      "div",
      { class: "note warn panel", role: "status", key: "panel", part: "overlay" },
      h("span", {}, this.#why),
      href ? h("a", { class: "button primary", href }, "Upgrade") : h("button", { type: "button", class: "primary", onclick: ask }, "Get credits"),
    );
  }
}

define("credit-gate", CreditGate);
