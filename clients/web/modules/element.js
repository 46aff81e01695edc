/** What every element is made of: nodes, style, state. How to write one: clients/web/README.md. */

import { watchSession } from "./session.js";

const SVG = "http://www.w3.org/2000/svg";
/** @type {WeakMap<Node, Record<string, any>>} */
const given = new WeakMap();

/**
 * A node. `on…` are listeners, `style` an object, `.name` a property, true and false an attribute
 * that is there or not; children that are null, false or "" are left out. Texts are only ever text.
 */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  given.set(node, props ?? {});
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false || name === "key") continue;
    if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else if (name.startsWith("on")) node[name] = value;
    else if (name.startsWith(".")) node[name.slice(1)] = value;
    else node.setAttribute(name, value === true && !name.startsWith("aria") ? "" : value);
  }
  node.append(...listed(children));
  return node;
}

function listed(children) {
  const all = [children].flat(Infinity).filter((child) => child != null && child !== false && child !== "");
  return all.map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * `parent` has these children; nodes of the same kind and `key` stay, with focus and what was typed.
 */
export function morph(parent, children) {
  let old = parent.firstChild;
  for (const child of listed(children)) {
    const next = child instanceof Node ? child : document.createTextNode(child);
    if (old && isAlike(old, next)) {
      const kept = old;
      old = old.nextSibling;
      if (kept !== next) become(kept, next);
    } else parent.insertBefore(next, old);
  }
  while (old) {
    const gone = old;
    old = old.nextSibling;
    parent.removeChild(gone);
  }
}

const isAlike = (old, next) => old.nodeName === next.nodeName && given.get(old)?.key === given.get(next)?.key;

function become(old, next) {
  if (old.nodeType !== 1) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  const was = given.get(old) ?? {};
  const props = given.get(next) ?? {};
  for (const { name } of [...old.attributes])
    if (name !== "style" && name !== "open" && !next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.style.cssText !== next.style.cssText) old.style.cssText = next.style.cssText;
  for (const name of Object.keys({ ...was, ...props })) {
    if (name.startsWith("on")) old[name] = props[name] ?? null;
    else if (name.startsWith(".") && was[name] !== props[name]) old[name.slice(1)] = props[name];
  }
  given.set(old, props);
  morph(old, [...next.childNodes]);
}

/** The shape of texts that come. */
export const waiting = (...texts) => texts.map((text) => h("span", { class: "wait", "aria-hidden": "true" }, text));

/** A style sheet for `static styles`. */
export function css(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

const base = css(`
:host {
  --accent: var(--tollkeeper-accent, light-dark(#4f46e5, #a5b4fc));
  --on-accent: var(--tollkeeper-on-accent, light-dark(#fff, #1e1b4b));
  --text: var(--tollkeeper-text, light-dark(#1a1d26, #eceef4));
  --muted: var(--tollkeeper-muted, light-dark(#5b6172, #a3a9b8));
  --surface: var(--tollkeeper-surface, light-dark(#fff, #171a21));
  --border: var(--tollkeeper-border, light-dark(#e3e5eb, #2d323e));
  --warn: var(--tollkeeper-warn, light-dark(#a14a06, #fbbf24));
  --danger: var(--tollkeeper-danger, light-dark(#c0262d, #fca5a5));
  --ok: var(--tollkeeper-ok, light-dark(#086a41, #6ee7a8));
  --radius: var(--tollkeeper-radius, 10px);
  --track: color-mix(in srgb, var(--text) 9%, transparent);
  display: block; color: var(--text); text-align: start; overflow-wrap: anywhere;
  font: 400 0.9375rem/1.5 var(--tollkeeper-font, system-ui, sans-serif);
  font-variant-numeric: tabular-nums;
}
:host([theme=light]) { color-scheme: light } :host([theme=dark]) { color-scheme: dark }
:host([theme=auto]) { color-scheme: light dark } :host([hidden]) { display: none }
*, ::before, ::after { box-sizing: border-box }
h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0 } ul { list-style: none }
h2, h3 { font-size: 1em; font-weight: 600 }
.card { background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius); padding: 1.25rem }
.stack { display: grid; gap: 1rem } .row { display: flex; align-items: center; gap: .5rem }
.spread { display: flex; align-items: baseline; justify-content: space-between; gap: .75rem; flex-wrap: wrap }
.muted { color: var(--muted) } .small { font-size: .8125rem }
.warn { color: var(--warn) } .danger { color: var(--danger) } .ok { color: var(--ok) }
.big { font-size: clamp(1.5rem, 8vw, 2.25rem); font-weight: 600; letter-spacing: -.02em; line-height: 1.1 }
.out { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
a { color: var(--accent); text-underline-offset: .2em }
button, .button {
  font: inherit; font-weight: 550; color: var(--text); background: transparent; cursor: pointer;
  border: 1px solid var(--border); border-radius: calc(var(--radius) * .7); padding: .45em .9em;
  text-decoration: none; display: inline-block; text-align: center; transition: background .12s, opacity .12s;
}
button:hover, .button:hover { background: var(--track) }
.primary { color: var(--on-accent); background: var(--accent); border-color: transparent }
.primary:hover { background: color-mix(in srgb, var(--accent) 88%, var(--text)) }
button[disabled], [aria-disabled=true] { opacity: .55; cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.note { display: flex; gap: .75rem; justify-content: space-between; align-items: center; flex-wrap: wrap; padding: .65rem .9rem;
  border-radius: calc(var(--radius) * .7); background: color-mix(in srgb, currentColor 9%, transparent) }
input, select { font: inherit; color: inherit; background: transparent; width: 100%; padding: .45em .65em;
  border: 1px solid color-mix(in srgb, var(--text) 45%, transparent); border-radius: calc(var(--radius) * .7) }
.bar { height: .375rem; border-radius: 1rem; background: var(--track); overflow: hidden }
.bar > i { display: block; height: 100%; border-radius: inherit; background: var(--accent); transition: width .4s }
.bar.warn > i { background: var(--warn) } .bar.danger > i { background: var(--danger) }
.wait { color: transparent; background: var(--track); border-radius: .3em; animation: wait 1.4s infinite alternate }
@keyframes wait { to { opacity: .45 } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important } }
`);

/**
 * An element of the page's session. A subclass has `static styles`, `static observedAttributes` and
 * `render()`, which answers nodes; it is called again after each change of the session, an
 * attribute or `update()`.
 */
export class CreditElement extends HTMLElement {
  /** @type {CSSStyleSheet[]} */
  static styles = [];
  /** What the page set before the element was there. @type {any} */ #given = { ...this };
  /** @type {any} */
  session;
  /** What went wrong last in `attempt`. @type {any} */
  fault = null;
  busy = false;
  #isDue = false;
  /** @type {(() => void)[]} */ #stops = [];

  constructor() {
    super();
    /** @type {any} */
    this.root = this.attachShadow({ mode: "open" });
    const { styles } = /** @type {typeof CreditElement} */ (this.constructor);
    this.root.adoptedStyleSheets = [base, ...styles];
  }

  connectedCallback() {
    for (const [name, value] of Object.entries(this.#given)) {
      delete this[name];
      this[name] = value;
    }
    this.#given = {};
    let stop = () => {};
    const unwatch = watchSession((session) => {
      stop();
      this.session = session;
      let before = session?.state;
      this.opened();
      stop = session?.subscribe((state) => {
        this.changed(state, before);
        before = state;
        this.update();
      }) ?? (() => {});
      this.update();
    });
    this.#stops = [() => stop(), unwatch];
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop();
  }

  attributeChangedCallback() {
    this.update();
  }

  /** The element has a session, or another one: the place to load what it shows. */
  opened() {}

  /** The session's state is another than `before`. */
  changed(state, before) {}

  /** What it shows now. */
  render() {}

  /** It is rendered once, before the next frame. */
  update() {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (this.isConnected) morph(this.root, this.render());
    });
  }

  get state() {
    return this.session?.state ?? { account: null, available: null, seq: 0, status: "loading", error: null };
  }

  /** Runs `work` with `busy` set; a failure is `fault` and an event. */
  async attempt(work) {
    this.busy = true;
    this.fault = null;
    this.update();
    try {
      return await work();
    } catch (error) {
      this.fault = error;
      this.fire("credit-error", { error });
    } finally {
      this.busy = false;
      this.update();
    }
  }

  /** An event for the page; false where a listener prevented it. */
  fire(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable, bubbles: true, composed: true }));
  }

  /** Credits as text: two decimals, or `exact`. */
  credits(amount, exact = false) {
    const most = exact || (amount && Math.abs(amount) < 0.01) ? 6 : 2;
    // What is there is never shown as more than it is.
    const shown = exact ? amount : Math.floor(amount * 10 ** most + 1e-6) / 10 ** most;
    return this.number(shown, { maximumFractionDigits: most });
  }

  get language() {
    return this.closest("[lang]")?.getAttribute("lang") || undefined;
  }

  number(value, options) {
    return new Intl.NumberFormat(this.language, options).format(/** @type {any} */ (value));
  }

  /** A price as the API says it, to its last digit. */
  money(price, currency) {
    const digits = (price.split(".")[1] ?? "").length;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return this.number(price, { style: "currency", currency, ...options });
  }

  date(moment, options) {
    return new Intl.DateTimeFormat(this.language, options ?? { dateStyle: "medium" }).format(new Date(moment));
  }

  /** A failure as people read it, with a button that tries again. */
  failure(error, retry) {
    const isDown = error.status >= 500 && !error.code;
    return h(
      "div",
      { class: "spread", role: "alert" },
      h("span", { class: "danger" }, isDown ? "The service does not answer right now." : error.message),
      retry && h("button", { type: "button", onclick: retry }, "Try again"),
    );
  }

  /** A bar of `percent`, in the colour of its tone. */
  bar(percent, label, tone = toneOf(percent)) {
    const width = Math.min(Math.max(percent, 0), 100);
    return h(
      "div",
      { class: `bar ${tone}`, role: "progressbar", "aria-label": label, "aria-valuenow": Math.round(width), "aria-valuemin": 0, "aria-valuemax": 100 },
      h("i", { style: { width: `${width}%` } }),
    );
  }
}

/** How near its end a limit is, from 80 percent on. */
export const toneOf = (percent) => (percent >= 100 ? "danger" : percent >= 80 ? "warn" : "");

/** The windows of an account; the plan's says what is gone of the plan's own credits. */
export function windowsOf({ windows, grants, plan }) {
  let [limit, left] = [0, 0];
  for (const { kind, amount, remaining } of grants)
    if (kind === "plan") (limit += amount), (left += remaining);
  limit = Math.max(limit, plan.allocation);
  return windows.flatMap((it) => (it.window !== "period" ? it : limit ? { ...it, limit, spent: limit - left, percent: Math.round(100 - (100 * left) / limit) } : []));
}

/** The element exists; twice is fine. */
export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}
