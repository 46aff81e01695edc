/** Service keys: which there are, a new one (shown once), and the end of one. */

import { h } from "./element.js";
import { path } from "./operator-api.js";
import { formOpener } from "./operator-forms.js";
import { button, filled, moment, panel, pill, table } from "./operator-parts.js";

const KINDS = [
  ["check deduct read purchase token", "A backend: check, deduct, read, purchase, token"],
  ["read report", "Reading: read, report"],
  ["admin grant refund read report", "An operator: admin, grant, refund, read, report"],
];

export function keysView(api) {
  const forms = h("div", { class: "forms" });
  const open = formOpener(forms);
  const issue = open({
    title: "Issue a service key",
    verb: "Issue",
    fields: [
      { name: "name", label: "Name", hint: "Who uses it, such as backend or Ada." },
      { name: "scopes", label: "For", options: KINDS },
      { name: "expires_at", label: "Ends after", type: "date", optional: true },
    ],
    sentence: (v) => `A key named ${v.name} that may ${v.scopes.replaceAll(" ", ", ")}${v.expires_at ? `, until the end of ${v.expires_at} UTC` : ""}.`,
    send: (v, key) => api.send("POST", "/v1/keys", { ...v, scopes: v.scopes.split(" "), ...(v.expires_at ? { expires_at: `${v.expires_at}T23:59:59Z` } : {}) }, key),
    done: (answer) => (answer.key ? ["Keep it now, it is shown this once: ", h("code", null, answer.key)] : "It was issued by an earlier try, whose answer got lost: revoke it and issue another."),
    onDone: () => list.reload(),
  });
  const revoke = (row) =>
    open({
      title: `Revoke the key ${row.name}`,
      verb: "Revoke",
      fields: [],
      sentence: () => `Whoever uses ${row.name} (${row.key_id}) gets in nowhere from a minute on, for good.`,
      send: (_, key) => api.send("DELETE", path`/v1/keys/${row.key_id}`, undefined, key),
      done: () => "It is revoked.",
      onDone: () => list.reload(),
      danger: true,
    });
  const now = new Date().toISOString();
  const state = (row) => (row.revoked_at ? pill("revoked", "danger") : row.expires_at && row.expires_at < now ? pill("ended", "warn") : pill("valid", "ok"));
  const columns = [
    ["Name", (row) => row.name],
    ["Key", (row) => h("code", null, row.key_id)],
    ["May", (row) => row.scopes.join(", ")],
    ["Issued (UTC)", (row) => moment(row.created_at)],
    ["By", (row) => row.created_by],
    ["Ends (UTC)", (row) => moment(row.expires_at) || "never"],
    ["State", state],
    ["", (row) => (row.revoked_at ? "" : button("Revoke…", revoke(row)))],
  ];
  const list = filled(
    () => api.get("/v1/keys"),
    (answer) => table("Service keys", columns, answer.keys, "There are no keys."),
  );
  return [panel("Service keys", button("Issue…", issue), forms, list)];
}
