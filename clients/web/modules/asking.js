/** The dialog of <credit-gate>: what an action costs, what is there, and what can be done. */

import { newKey } from "./client.js";
import { css, h } from "./element.js";
import { buy, purchaseNote } from "./purchase.js";

export const dialogStyles = css(`
dialog { color: var(--text); background: var(--surface); border: 1px solid var(--border); border-radius: calc(var(--radius) * 1.4);
  padding: 1.5rem; width: min(27rem, calc(100vw - 2rem)); box-shadow: 0 20px 60px #0005 }
dialog::backdrop { background: #0f111a8c } h2 { font-size: 1.1875rem; line-height: 1.3 }
table { width: 100%; border-collapse: collapse } td { padding: .3rem 0; vertical-align: top } td + td { text-align: end; white-space: nowrap; padding-inline-start: 1rem }
.sum td { border-top: 1px solid var(--border); padding-top: .5rem } .strong td { font-weight: 600 }
.offer { display: flex; justify-content: space-between; gap: 1rem; width: 100%; text-align: start }
.end { display: flex; justify-content: flex-end; gap: .5rem; flex-wrap: wrap }
`);

const LIMITS = {
  daily_limit: "The daily limit would be passed",
  monthly_limit: "The monthly limit would be passed",
  per_run_max: "One run may not cost that much",
  feature_limit: "Your plan's limit is reached",
  parent: "The budget cannot pay for it",
  debt: "The account owes credits",
};
/** What credits help with. */
export const HELPED = /^(balance|debt)$/;

/** `asked` as a dialog of the gate: its problem, or the price before a run. */
export function askingDialog(gate, asked) {
  const { run, problem, required, lines, isEnough, answer } = asked;
  const label = gate.getAttribute("label") ?? run?.model;
  const needed = problem?.required ?? required;
  const has = gate.spendable;
  const isBalance = !problem || HELPED.test(problem.blocking);
  const what = label ? ` for ${label}` : "";
  const refused = isEnough ? "You have enough credits now" : (LIMITS[problem?.blocking] ?? "Not enough credits") + what;
  const title = problem ? refused : `Use ${gate.credits(needed, true)} credits${what}?`;
  const missing = has === problem?.spendable ? problem.shortfall : Math.max(0, needed - has);
  const { limit, spent, used } = problem?.problem ?? {};
  const rows = [
    ["This costs", needed, "sum strong"],
    ["You have", isBalance ? has : null],
    ["Set aside for other runs", problem?.held || null, "muted"],
    ["Missing", problem && isBalance ? missing || null : null, "strong danger"],
    ["Left afterwards", problem ? null : has - needed, "strong"],
    ["Limit", limit],
    ["Used of it", spent ?? used],
  ].filter(([, amount]) => amount != null);
  const href = gate.getAttribute("pricing-href");
  const models = problem?.affordable?.models ?? [];
  return h(
    "dialog",
    { "aria-labelledby": "title", part: "dialog", oncancel: (event) => (event.preventDefault(), answer("cancel")) },
    h(
      "div",
      { class: "stack" },
      h("h2", { id: "title" }, title),
      problem && !isEnough && h("p", { class: "muted" }, problem.message),
      h(
        "table",
        {},
        lines?.map((line) => h("tr", { class: "small muted" }, h("td", {}, `${line.item}: ${gate.number(line.quantity)} at ${line.rate}`), h("td", {}, gate.credits(line.credits, true)))),
        rows.map(([name, amount, tone]) => h("tr", { class: tone, key: name }, h("td", {}, name), h("td", {}, gate.credits(amount, true)))),
      ),
      problem?.resets_at && !isEnough && h("p", { class: "muted small" }, `${isBalance ? "The plan's next credits come" : "It starts anew"} ${gate.date(problem.resets_at)}.`),
      !isEnough && models.length > 0 && h("p", { class: "small muted" }, `You could use ${models.slice(0, 3).join(", ")} instead.`),
      purchaseNote(gate),
      gate.fault && gate.failure(gate.fault),
      !isEnough && problem?.offers.map((offer) => offerButton(gate, offer, asked)),
      h(
        "div",
        { class: "end" },
        h("button", { type: "button", onclick: () => answer("cancel") }, "Cancel"),
        !isEnough && problem && href && h("a", { class: "button", href }, problem.plans[0] ? `Upgrade to ${problem.plans[0].name}` : "See plans"),
        (!problem || isEnough || !isBalance) && h("button", { type: "button", class: "primary", autofocus: true, key: "go", onclick: () => answer("proceed") }, isBalance ? "Continue" : "Try again"),
      ),
    ),
  );
}

/** Buys the pack; pressed again after a failure it is the same purchase. */
function offerButton(gate, { pack, credits, price, currency }, asked) {
  const pay = () => {
    const keys = (asked.keys ??= {});
    keys[pack] ??= newKey();
    asked.leave();
    return gate.attempt(() => buy(gate, { pack }, keys[pack]));
  };
  return h(
    "button",
    { type: "button", class: "primary offer", key: pack, autofocus: true, disabled: gate.busy, onclick: pay },
    h("span", {}, `Buy ${gate.credits(credits)} credits`),
    h("span", {}, gate.money(price, currency)),
  );
}
