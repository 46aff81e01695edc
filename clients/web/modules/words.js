/** Names out of the catalog, ids made readable, headings. */

import { h } from "./element.js";

/** `script_generation` as people write it. */
export function readable(id) {
  const words = id.replace(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The operation's own name, or its id made readable. */
export const nameOf = (catalog, id) => catalog?.operations.find((it) => it.id === id)?.name ?? readable(id);

/** The element has the catalog as `catalog`, now or soon; without it ids are shown readable. */
export function withCatalog(element) {
  element.session?.catalog().then((found) => ((element.catalog = found), element.update()), () => {});
}

/** The element's attribute `heading`, or its usual one; nothing where that is empty. */
export function headingOf(element, usual) {
  const text = element.getAttribute("heading") ?? usual;
  return text && h("h2", {}, text);
}
