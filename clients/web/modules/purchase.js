/** The way to the payment page and back: what is bought is kept in the tab until it is settled. */

import { h } from "./element.js";

const KEPT = "tollkeeper:purchase";
const MARK = "credit-purchase";
const OPEN = new Set(["created", "pending"]);
const PATIENCE_MS = 90_000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const followed = new WeakSet();

/** What this tab keeps by that name, over pages; without a store there is nothing. */
export function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps it, or with null no longer; a store that is full or forbidden keeps nothing. */
export function keep(name, value) {
  try {
    if (value) sessionStorage.setItem(name, JSON.stringify(value));
    else sessionStorage.removeItem(name);
  } catch {
    // The page works without.
  }
}

/** Whether the customer leaves for the payment page now; `credit-checkout` may be prevented. */
export async function buy(element, wanted, key) {
  const { client } = element.session;
  const back = (name, outcome) => {
    const given = element.getAttribute(name);
    const url = new URL(given ?? location.href, location.href);
    if (!given) {
      url.hash = "";
      url.searchParams.set(MARK, outcome);
    }
    return url.href;
  };
  const urls = { success_url: back("success-url", "done"), cancel_url: back("cancel-url", "left") };
  const made = await client.checkout({ ...wanted, ...urls }, { key });
  const { purchase_id: id, checkout_url: url, credits } = made;
  keep(KEPT, { id, url, credits, api: client.api, ...wanted });
  followed.delete(element.session);
  const isLeaving = element.fire("credit-checkout", { ...wanted, url, purchase_id: id }, true);
  if (isLeaving) location.assign(url);
  else follow(element.session);
  return isLeaving;
}

/** `state.purchase` of the session says what became of the last purchase of this tab. */
export async function follow(session) {
  const bought = kept(KEPT);
  if (!bought || bought.api !== session.client.api || followed.has(session)) return;
  followed.add(session);
  const here = new URL(location.href);
  const outcome = here.searchParams.get(MARK);
  if (outcome) {
    here.searchParams.delete(MARK);
    history.replaceState(history.state, "", here);
  }
  const begun = Date.now();
  for (let wait = 1000; followed.has(session); wait = Math.min(wait * 1.3, 60_000)) {
    let status = "created";
    while (document.visibilityState !== "visible") await pause(1000);
    try {
      ({ status } = await session.client.purchase(bought.id));
    } catch (/** @type {any} */ error) {
      if (error.status === 404) return forget(session);
    }
    const left = status === "created" && (outcome === "left" || Date.now() - begun > PATIENCE_MS);
    if (!followed.has(session)) return;
    session.put({ purchase: { ...bought, status: left ? "left" : status } });
    if (!OPEN.has(status)) {
      keep(KEPT, null);
      return session.refresh({ now: true });
    }
    if (left) return;
    await pause(wait);
  }
}

/** It is not spoken of any more. */
export function forget(session) {
  keep(KEPT, null);
  followed.delete(session);
  session.put({ purchase: null });
}

/** @type {Record<string, string[]>} */
const SAYS = {
  created: ["", "Waiting for the payment…"],
  pending: ["", "The bank confirms the payment. The credits come by themselves."],
  left: ["warn", "The payment was not finished."],
  paid: ["ok", "Paid. Thank you!"],
  failed: ["danger", "The payment failed. Nothing was bought."],
  expired: ["warn", "The payment page has expired. Nothing was bought."],
  quarantined: ["warn", "The payment came, and a person looks at it before the credits come."],
};

/** What became of the last purchase, as a note; nothing where there was none. */
export function purchaseNote(element) {
  const { purchase } = element.state;
  if (!purchase) return null;
  const [tone, text] = SAYS[purchase.status] ?? ["", `The payment is ${purchase.status.replaceAll("_", " ")}.`];
  const added = purchase.status === "paid" && purchase.credits;
  return h(
    "div",
    { class: `note ${tone}`, role: "status", key: "purchase" },
    h("span", {}, added ? `Paid. ${element.credits(added)} credits were added.` : text),
    h(
      "span",
      { class: "row" },
      purchase.status === "left" && h("a", { class: "button", href: purchase.url }, "Finish payment"),
      purchase.status !== "created" && h("button", { type: "button", onclick: () => forget(element.session) }, "Dismiss"),
    ),
  );
}
