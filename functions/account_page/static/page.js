/** The account page: who looks, what they see, and what happens when that ends. */

import { CreditElement, css, define, h, toneOf, windowsOf } from "./element.js";
import { configure } from "./elements.js";
import { newKey, TollkeeperClient } from "./client.js";
import { buy } from "./purchase.js";
import { readable } from "./words.js";
import "./credit-usage.js";
import "./credit-history.js";
import "./credit-costs.js";

const KEPT = "tollkeeper:token";
const WHO = "tollkeeper:account";
const api = new URL(".", location.href).href;
const WINDOWS = { day: "Today", month: "This month", period: "Plan credits" };

const summaryStyles = css(`
.card { display: grid; gap: 1.75rem 3rem; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); padding: clamp(1.25rem, 4vw, 2rem) }
.huge { font-size: clamp(2.75rem, 9vw, 4rem); font-weight: 650; letter-spacing: -.035em; line-height: 1.1; overflow-wrap: anywhere }
.stack { align-content: start } .top { flex-wrap: nowrap; align-items: flex-start } .button, button { white-space: nowrap; flex: none }
.note { padding: .6rem .9rem; border-radius: calc(var(--radius) * .7); background: color-mix(in srgb, currentColor 10%, transparent); margin-top: .75rem; width: fit-content }
dl { display: grid; grid-template-columns: repeat(3, auto); justify-content: start; gap: .25rem 2rem } dt { grid-row: 1 }
dt { color: var(--muted); font-size: .8125rem } dd { font-weight: 600; grid-row: 2 }
.actions { display: flex; flex-wrap: wrap; gap: .5rem } .plan { font-weight: 600; font-size: 1.0625rem }
.window { display: grid; gap: .3rem } .bar { height: .5rem }
.wide { grid-column: 1 / -1 }
@media (max-width: 40rem) { .card { grid-template-columns: minmax(0, 1fr) } dl { gap: .25rem 1.25rem } }
`);

/** The balance in large format, what it was and what it becomes, the plan, and the windows' bars. */
class AccountSummary extends CreditElement {
  static styles = [summaryStyles];
  sells = false;

  opened() {
    this.session?.catalog().then(
      (catalog) => {
        this.sells = catalog.plans.some((plan) => plan.price);
        this.update();
      },
      () => {},
    );
  }

  render() {
    const { account, available, status, error } = this.state;
    if (!account)
      return h("div", { class: "card", "aria-busy": String(status !== "error") }, status === "error" ? h("div", { class: "wide" }, this.failure(error, () => this.session?.refresh({ now: true }))) : [this.#waiting("Available"), this.#waiting("Plan")]);
    return h("div", { class: "card", part: "card" }, this.#balance(account, available), this.#plan(account));
  }

  #waiting(label) {
    return h("div", { class: "stack" }, h("span", { class: "muted" }, label), h("span", { class: "huge wait" }, "000"), h("span", { class: "wait" }, "Loading"));
  }

  #balance(account, available) {
    const { totals, held, debt } = account;
    const facts = { Purchased: totals.purchased, Used: totals.spent, "Set aside": held, Owed: debt };
    const shown = Object.entries(facts).filter(([name, amount]) => amount || name === "Purchased" || name === "Used");
    const tone = this.#tone(account, available);
    return h(
      "div",
      { class: "stack" },
      h(
        "div",
        {},
        h("span", { class: "muted" }, "Available"),
        h("div", { role: "status" }, h("span", { class: `huge ${tone}`, title: this.credits(available, true) }, this.credits(available)), h("span", { class: "muted" }, " credits")),
        this.#note(account, tone),
      ),
      h("dl", {}, shown.map(([name, amount]) => [h("dt", {}, name), h("dd", {}, this.credits(amount))])),
      h("div", { class: "actions" }, h("a", { class: "button primary", href: "#buy" }, "Get credits"), h("a", { class: "button", href: "#history" }, "See history")),
    );
  }

  #tone(account, available) {
    if (account.spendable <= 0) return "danger";
    const isLow = available <= account.limits.low_balance || account.warnings.some((it) => it.code === "low_balance");
    return isLow ? "warn" : "";
  }

  #note(account, tone) {
    const says = {
      frozen: "This account is frozen. Nothing can be spent until it is opened again.",
      closed: "This account is closed.",
      danger: "Your credits are used up.",
      warn: "Your credits are running low.",
    };
    const text = says[account.status] ?? says[tone];
    return text && h("div", { class: `note small ${says[account.status] ? "danger" : tone}`, role: "status" }, text);
  }

  #plan(account) {
    const { plan } = account;
    const isPaid = plan.driven_by === "stripe" || plan.subscription;
    const ends = account.grants.filter((grant) => grant.kind !== "plan" && grant.expires_at && grant.remaining > 0);
    const soonest = ends.sort((a, b) => a.expires_at.localeCompare(b.expires_at))[0];
    return h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "spread top" },
        h(
          "div",
          {},
          h("span", { class: "muted" }, "Plan"),
          h("div", { class: "plan" }, plan.name),
          h("div", { class: "muted small" }, `${this.credits(plan.allocation)} credits` + (plan.period_end ? `, renewed on ${this.day(plan.period_end)}` : "")),
          plan.next_plan && h("div", { class: "muted small" }, `Then ${readable(plan.next_plan)}`),
        ),
        isPaid ? h("button", { type: "button", disabled: this.busy, onclick: () => this.manage() }, "Manage plan") : h("a", { class: "button", href: this.sells ? "#plans" : "#buy" }, "Upgrade"),
      ),
      this.fault && this.failure(this.fault),
      windowsOf(account).map((it) => this.#window(it)),
      soonest && h("p", { class: "muted small" }, `${this.credits(soonest.remaining)} credits end on ${this.day(soonest.expires_at)}.`),
    );
  }

  #window({ window, spent, limit, percent, resets_at: at }) {
    const name = WINDOWS[window] ?? readable(window);
    const tone = window === "period" ? "" : toneOf(percent);
    const isBound = limit !== null;
    const when = this.date(at, window === "day" ? { timeStyle: "short" } : { month: "short", day: "numeric" });
    return h(
      "div",
      { key: window, class: "window" },
      h("div", { class: "spread small" }, h("span", {}, name), h("span", { class: (isBound && tone) || "muted" }, isBound ? `${this.credits(spent)} of ${this.credits(limit)} used` : `${this.credits(spent)} used`)),
      isBound ? this.bar(percent ?? 0, `${name}: ${this.credits(spent)} of ${this.credits(limit)} used`, tone) : h("div", { class: "bar" }),
      h("div", { class: "spread small muted" }, h("span", {}, isBound ? `${this.number(percent ?? 0)} %` : h("a", { href: "#limits" }, "Set a limit")), h("span", {}, `resets ${when}`)),
    );
  }

  day(moment) {
    return this.date(moment, { month: "short", day: "numeric" });
  }

  /** Stripe's own page opens, where the customer changes plan and cards. */
  manage() {
    return manage(this);
  }
}

const manage = (element) =>
  element.attempt(async () => {
    const made = await element.session.client.portal({ return_url: location.origin + location.pathname });
    location.assign(made.portal_url);
  });

const planStyles = css(`
ul.plans { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: 1rem }
.plan { display: flex; flex-direction: column; gap: .75rem; height: 100% } .plan button { margin-top: auto; width: 100% }
.now { border-color: var(--accent) } ul.small { display: grid; gap: .3rem }
`);

/** The plans that can be subscribed to; nothing where the catalog sells none. */
class AccountPlans extends CreditElement {
  static styles = [planStyles];
  /** @type {any[]} */ plans = [];
  #keys = {};

  opened() {
    this.session?.catalog().then(
      ({ plans }) => {
        this.plans = plans.filter((plan) => plan.price);
        const section = this.closest("section");
        if (section) section.hidden = !this.plans.length;
        this.update();
      },
      () => {},
    );
  }

  choose(plan) {
    if (this.state.account?.plan.subscription) return manage(this);
    const key = (this.#keys[plan] ??= newKey());
    return this.attempt(() => buy(this, { plan }, key).then(() => delete this.#keys[plan]));
  }

  render() {
    const now = this.state.account?.plan.id;
    return [this.fault && this.failure(this.fault), h("ul", { class: "plans" }, this.plans.map((plan) => this.#plan(plan, plan.id === now)))];
  }

  #plan({ id, name, price, currency, interval, allocation, features }, isNow) {
    return h(
      "li",
      { key: id },
      h(
        "article",
        { class: `card plan ${isNow ? "now" : ""}`, "aria-label": name },
        h("div", { class: "spread" }, h("h3", {}, name), isNow && h("span", { class: "small muted" }, "Your plan")),
        h("div", {}, h("span", { class: "big" }, this.money(price, currency)), h("span", { class: "muted" }, ` per ${interval}`)),
        h("ul", { class: "small muted" }, h("li", {}, `${this.credits(allocation)} credits each ${interval}`), features.map((it) => h("li", {}, it.limit === null ? readable(it.feature) : `${readable(it.feature)}: up to ${this.number(it.limit)}`))),
        h("button", { type: "button", class: isNow ? "" : "primary", disabled: this.busy, onclick: () => this.choose(id) }, isNow ? "Manage" : `Choose ${name}`),
      ),
    );
  }
}

/** The token that the app's link brought; it leaves the address at once. */
function takeToken() {
  const found = /(?:^#|&)token=([^&]*)/.exec(location.hash);
  if (!found) return "";
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return "";
  }
}

/** @type {(selector: string) => HTMLElement} */
const find = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

function show({ status, account }) {
  document.body.dataset.state = status;
  if (status === "signed-out") sessionStorage.removeItem(KEPT), sessionStorage.removeItem(WHO);
  if (account) sessionStorage.setItem(WHO, account.account);
  // Whose account it is stands where money is spent: a link can be anybody's.
  for (const place of document.querySelectorAll(".who")) place.textContent = account ? (account.name ?? account.account) : "";
  find("#notice").hidden = !(status === "error" && account);
}

function open(token) {
  sessionStorage.setItem(KEPT, token);
  find("#other").hidden = true;
  const session = configure({ api, token });
  session.subscribe(show);
  find("#notice button").onclick = () => void session.refresh({ now: true });
}

/** A link of the account that this tab shows, or the first one, opens; another account's asks. */
async function start() {
  const token = takeToken();
  const kept = sessionStorage.getItem(KEPT);
  const known = sessionStorage.getItem(WHO);
  if (!token || !kept || token === kept) {
    const either = token || kept;
    return either ? open(either) : show({ status: "signed-out", account: null });
  }
  const found = await new TollkeeperClient({ api, token }).account().catch(() => null);
  if (!found) return open(kept);
  if (!known || found.account === known) return open(token);
  open(kept);
  find("#other p").textContent = `The link that you followed opens the account ${found.name ?? found.account}. This tab shows ${known}.`;
  find("#other .primary").onclick = () => open(token);
  find("#other button:last-child").onclick = () => void (find("#other").hidden = true);
  find("#other").hidden = false;
}

define("account-summary", AccountSummary);
define("account-plans", AccountPlans);
start();
// The app's link, opened again in this tab, changes nothing but the fragment.
addEventListener("hashchange", () => void (/token=/.test(location.hash) && start()));
// A busy page is told of several changes at once: the last one is what holds.
const isAway = (seen) => find(".top").classList.toggle("away-from-balance", !seen.at(-1).isIntersecting);
new IntersectionObserver(isAway, { rootMargin: "-120px 0px 0px" }).observe(find("#overview"));
