/** The operator's page: a key is typed in and kept by this tab; views are told apart by the hash. */

import { h } from "./element.js";
import { Api, forgetKey, keepKey, keptKey } from "./operator-api.js";
import { accountView, entryView } from "./operator-account.js";
import { casesView } from "./operator-cases.js";
import { customersView } from "./operator-customers.js";
import { keysView } from "./operator-keys.js";
import { button } from "./operator-parts.js";
import { usageView } from "./operator-usage.js";
import { verifyView } from "./operator-verify.js";

const VIEWS = { customers: "Customers", usage: "Usage", quarantine: "Quarantine", verify: "Verify", keys: "Keys" };
const app = document.getElementById("app") ?? document.body;

const go = (where) => {
  location.hash = `#/${where}`;
};

/** The hash as its parts and its query, each decoded. */
function place() {
  const [where, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = where.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { parts, parameters: new URLSearchParams(query) };
}

function signIn(problem) {
  const input = h("input", { id: "key", name: "key", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "key-hint", placeholder: "tk_…" });
  const fault = h("p", { class: "danger", role: "alert" }, problem ?? "");
  const submit = h("button", { class: "primary", type: "submit" }, "Open");
  const form = h(
    "form",
    {
      class: "panel sign-in",
      onsubmit: async (event) => {
        event.preventDefault();
        fault.replaceChildren();
        submit.setAttribute("aria-disabled", "true");
        const key = input.value.trim();
        try {
          await new Api(key).get("/v1/accounts?limit=1");
          keepKey(key);
          show();
        } catch (error) {
          fault.replaceChildren(error.status === 401 || error.status === 403 ? "This key does not open the page: it needs the scope admin." : error.message);
          submit.removeAttribute("aria-disabled");
        }
      },
    },
    h("h1", null, "Operators"),
    h("label", { for: "key" }, "Service key"),
    input,
    h("p", { id: "key-hint", class: "muted small" }, "With the scope admin; reports need report, grants grant, refunds refund. This tab keeps it until it is closed."),
    fault,
    submit,
  );
  app.replaceChildren(form);
  input.focus();
}

function show() {
  const key = keptKey();
  if (!key) return signIn();
  const api = new Api(key);
  const { parts, parameters } = place();
  const view = parts[0] === "account" ? "customers" : parts[0] in VIEWS ? parts[0] : "customers";
  const current = (name) => (name === view ? "page" : null);
  const links = Object.entries(VIEWS).map(([name, text]) => h("a", { href: `#/${name}`, "aria-current": current(name) }, text));
  const forget = button("Forget key", () => {
    forgetKey();
    signIn();
  });
  const heading = parts[0] === "account" ? null : h("h1", { class: "out" }, VIEWS[view]);
  const body = h("div", { class: "view" }, heading, viewOf(api, parts, parameters, view));
  document.title = `${parts[0] === "account" ? parts[1] : VIEWS[view]} · Operators`;
  app.replaceChildren(h("header", { class: "op-top" }, h("nav", { "aria-label": "Views" }, links), forget), body);
  window.scrollTo(0, 0);
}

function viewOf(api, parts, parameters, view) {
  if (parts[0] === "account" && parts[1]) return parts[2] === "entry" && parts[3] ? entryView(api, parts[1], parts[3]) : accountView(api, parts[1]);
  if (view === "usage") return usageView(api, parameters, go);
  if (view === "quarantine") return casesView(api);
  if (view === "keys") return keysView(api);
  if (view === "verify") return verifyView(api, parameters);
  return customersView(api, parameters, go);
}

window.addEventListener("hashchange", show);
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("search");
  event.preventDefault();
  if (search) search.focus();
  else go("customers");
});
show();
