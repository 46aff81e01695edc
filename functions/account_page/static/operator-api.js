/** The API as an operator's page calls it: with the key of this tab. */

import { TollkeeperClient, newKey } from "./client.js";

const PLACE = "tollkeeper-operator-key";

export const keptKey = () => sessionStorage.getItem(PLACE);
export const forgetKey = () => sessionStorage.removeItem(PLACE);
export const keepKey = (key) => sessionStorage.setItem(PLACE, key);

export { newKey };

/** A path with its parts encoded: path`/v1/accounts/${id}`. */
export function path(parts, ...values) {
  return parts.map((part, at) => part + (at < values.length ? encodeURIComponent(values[at]) : "")).join("");
}

export function queryOf(members) {
  const given = Object.entries(members).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** Calls with one key. */
export class Api {
  constructor(key) {
    this.client = new TollkeeperClient({ api: location.origin, token: key });
  }

  get(where) {
    return this.client.request("GET", where);
  }

  send(method, where, body, key) {
    return this.client.request(method, where, body, { key });
  }

  /** The answer as a file of the browser's downloads. */
  async download(where, name) {
    const answer = await this.client.fetch(location.origin + where, { headers: { Accept: "text/csv" }, withToken: true });
    if (!answer.ok) throw new Error(`The file could not be read (${answer.status}).`);
    const url = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  }
}
