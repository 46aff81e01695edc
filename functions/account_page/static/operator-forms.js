/** Forms that act: filled in, looked at once more, sent with one key however often one clicks. */

import { h } from "./element.js";
import { newKey } from "./operator-api.js";
import { button, failure } from "./operator-parts.js";

let number = 0;

/** What was sent and not answered yet, by form: it may have happened. */
const unanswered = {
  place: (form) => `tollkeeper-unanswered ${location.hash} ${form.title}`,
  read: (place) => JSON.parse(sessionStorage.getItem(place) ?? "null"),
  keep: (place, sent) => sessionStorage.setItem(place, JSON.stringify(sent)),
  forget: (place) => sessionStorage.removeItem(place),
};

/** No answer, or one that does not say whether it happened. */
const isOpen = (error) => !(error.status >= 400 && error.status < 500);

/** A field: {name, label, type?, hint?, options?, value?, optional?, pattern?}. */
function fieldNode(field) {
  const id = `f${++number}`;
  const hint = field.hint ? h("small", { id: `${id}h`, class: "muted" }, field.hint) : null;
  const common = { id, name: field.name, required: !field.optional, "aria-describedby": hint ? `${id}h` : null };
  const input = field.options
    ? h("select", common, field.options.map(([value, text]) => h("option", { value, selected: value === field.value }, text)))
    : field.type === "long"
      ? h("textarea", { ...common, rows: "2", maxlength: "300" })
      : h("input", { ...common, type: field.type ?? "text", pattern: field.pattern, inputmode: field.inputmode, autocomplete: "off", value: field.value, placeholder: field.placeholder });
  return h("div", { class: "field" }, h("label", { for: id }, field.label, field.optional ? h("span", { class: "muted" }, " (optional)") : null), input, hint);
}

export const REASON = { name: "reason", label: "Reason", type: "long", hint: "The ledger keeps it for good." };
export const AMOUNT = { name: "amount", label: "Credits", inputmode: "decimal", pattern: "[0-9]+([.][0-9]{1,6})?", hint: "A number with at most six decimals." };

/**
 * A form in two steps: what is filled in is shown as one sentence, and then sent.
 *
 * `form` = {title, verb, fields, sentence(values), send(values, key), done(answer) -> node, onDone, danger}.
 * The key is made with the form, so a second click acts once. What got no answer is kept by the tab:
 * the same form opens with it again, and sends it under the same key, until an answer says what became of it.
 */
export function actionForm(form, onClose) {
  const kept = unanswered.place(form);
  const before = unanswered.read(kept);
  const key = before?.key ?? newKey();
  let isSending = false;
  const close = () => isSending || onClose();
  const title = `f${++number}`;
  const box = h("form", { class: "action", "aria-labelledby": title, onkeydown: (event) => event.key === "Escape" && close() });
  const heading = h("h3", { id: title }, form.title);
  const fields = h("div", { class: "fields" }, form.fields.map(fieldNode));
  const foot = h("div", { class: "foot", "aria-live": "polite" });
  const values = () => Object.fromEntries([...new FormData(box)].map(([name, text]) => [name, String(text).trim()]).filter(([, text]) => text));
  const lock = (isLocked) => {
    for (const control of fields.querySelectorAll("input, select, textarea")) control.toggleAttribute("disabled", isLocked);
  };

  const fill = () => {
    lock(false);
    foot.replaceChildren(h("button", { class: "primary", type: "submit" }, "Review"), button("Cancel", close));
  };
  const review = () => {
    const given = values();
    lock(true);
    const confirm = button(form.verb, () => send(given, confirm), { class: form.danger ? "primary danger-fill" : "primary" });
    foot.replaceChildren(h("p", { class: "sentence" }, form.sentence(given)), confirm, button("Back", fill));
    confirm.focus();
  };
  const send = async (given, confirm) => {
    if (isSending) return;
    isSending = true;
    confirm.setAttribute("aria-disabled", "true");
    unanswered.keep(kept, { key, given });
    try {
      const answer = await form.send(given, key);
      unanswered.forget(kept);
      foot.replaceChildren(h("p", { class: "done", role: "status" }, form.done(answer)), button("Close", close));
      fields.remove();
      form.onDone?.(answer);
    } catch (error) {
      if (isOpen(error)) return unsure(given, error);
      unanswered.forget(kept);
      foot.replaceChildren(failure(error), button("Back", fill), button("Cancel", close));
    } finally {
      isSending = false;
    }
  };
  const unsure = (given, error) => {
    lock(true);
    const again = button(`${form.verb} again`, () => send(given, again), { class: "primary" });
    const anew = button("Start anew", () => {
      unanswered.forget(kept);
      onClose();
    });
    const what = h("p", { class: "sentence" }, form.sentence(given), " No answer came: it may have happened. Sent again as it is, it happens once.");
    foot.replaceChildren(...[error ? failure(error) : null, what, again, anew, button("Close", close)].filter(Boolean));
  };
  box.onsubmit = (event) => {
    event.preventDefault();
    if (!fields.querySelector("[disabled]")) review();
  };
  box.append(heading, fields, foot);
  if (before) {
    fields.hidden = true;
    unsure(before.given);
  } else fill();
  queueMicrotask(() => box.querySelector(before ? "button" : "input, select, textarea, button")?.focus());
  return box;
}

/** Buttons that open one form at a time in `place`, and give the focus back. */
export function formOpener(place) {
  return (form) => (event) => {
    const opener = event.currentTarget;
    place.replaceChildren(
      actionForm(form, () => {
        place.replaceChildren();
        if (opener.isConnected) opener.focus();
      }),
    );
  };
}
