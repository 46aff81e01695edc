/** The demo's page: an ordinary chat. What has to do with credits is in the elements. */

import { configure } from "/tollkeeper/elements.js";

const find = (id) => document.getElementById(id);
const post = (path, body = {}) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

const me = await (await fetch("/api/me")).json();

/** The page's own backend mints the token, for whom its session says. */
const session = configure({
  api: me.api,
  getToken: async () => (await (await post("/api/token")).json()).token,
});

// ---- Who is signed in

for (const [id, name] of Object.entries(me.users)) find("user").append(new Option(name, id, false, id === me.user));
find("user").addEventListener("change", async ({ target }) => {
  await post("/api/sign-in", { user: target.value });
  location.assign("/");
});

// ---- Who one talks to. What was said and written stays, also while the reader is at the checkout.

const kept = {
  name: (what) => `parlour:${me.user}:${what}`,
  read: (what, otherwise) => JSON.parse(sessionStorage.getItem(kept.name(what)) ?? "null") ?? otherwise,
  write: (what, value) => sessionStorage.setItem(kept.name(what), JSON.stringify(value)),
};
let character = me.characters[0];

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

for (const each of me.characters) {
  const choice = element("input", { type: "radio", name: "character", value: each.id });
  choice.addEventListener("change", () => choose(each));
  find("cast").append(
    element(
      "label",
      {},
      choice,
      element("b", {}, each.name),
      element("small", { className: "about" }, each.about),
      element("small", { className: "model" }, each.model ?? "on this machine"),
    ),
  );
}

function choose(next) {
  character = next;
  kept.write("character", next.id);
  find("cast").querySelector(`[value="${next.id}"]`).checked = true;
  find("to").textContent = `Message to ${next.name}`;
  find("text").placeholder = `Write to ${next.name}`;
  for (const id of ["gate", "estimate"]) {
    find(id).setAttribute("operation", next.operation);
    find(id).toggleAttribute("local", next.model === null);
    if (next.model) find(id).setAttribute("model", next.model);
    else find(id).removeAttribute("model");
  }
  find("gate").setAttribute("label", next.name);
  find("log").replaceChildren(...kept.read(`log:${next.id}`, []).flatMap(shown));
}

// ---- What was said

/** A message and its reply as list items; `said` is {text, reply, cost, failed}. */
function shown(said) {
  const reply = element("p", {}, said.reply ?? "");
  const cost = element("p", { className: said.failed ? "cost failed" : "cost" }, said.cost ?? "");
  return [element("li", { className: "mine" }, said.text), element("li", {}, reply, cost)];
}

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** Whether it was answered. Throws before anything is shown where it cannot be paid or sent. */
async function send(text, fails) {
  const response = await ask({ character: character.id, text, fails });
  const said = { text, reply: "", cost: "", failed: false };
  const [mine, theirs] = shown(said);
  const [reply, cost] = theirs.children;
  find("log").append(mine, theirs);
  for await (const event of events(response)) {
    if (event.text) said.reply += event.text;
    if (event.seq) session.saw(event);
    if (event.error) Object.assign(said, { failed: true, cost: `${event.error} Nothing was charged.` });
    if (event.done) said.cost = [number.format(event.charged ?? 0), "credits"].join(" ");
    reply.textContent = said.reply;
    cost.textContent = said.cost;
    cost.className = said.failed ? "cost failed" : "cost";
    theirs.scrollIntoView({ block: "nearest" });
  }
  kept.write(`log:${character.id}`, [...kept.read(`log:${character.id}`, []), said]);
  return !said.failed;
}

/** The client's own fetch: a 402 is an InsufficientCreditsError, no answer a NetworkError. */
function ask(message) {
  const headers = { "content-type": "application/json" };
  return session.client.fetch("/api/chat", { method: "POST", headers, body: JSON.stringify(message) });
}

async function* events(response) {
  let rest = "";
  for await (const part of parts(response)) {
    const whole = (rest + part).split("\n");
    rest = whole.pop();
    for (const line of whole) yield JSON.parse(line);
  }
}

async function* parts(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

// ---- The form. The gate asks first whether it can be paid; a 402, its own or the backend's, is its
// dialog; and what was written waits in it, also while the reader is at the checkout.

find("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("form").requestSubmit();
});

find("gate").action = async () => {
  const text = find("text").value.trim();
  if (!text) return;
  find("send").disabled = true;
  try {
    if (await send(text, find("fails").checked)) find("text").value = "";
  } finally {
    find("send").disabled = false;
    find("text").focus();
  }
};

find("more").href = me.page;
choose(me.characters.find(({ id }) => id === kept.read("character", "")) ?? character);
