/** The API as one object, in a browser and in Node. Types: client.d.ts; use: docs/web.md. */

const TRIES = 3;
const PASSING = new Set([429, 502, 503, 504]);

/** A request that was answered with an error; `problem` is the answer (RFC 9457). */
export class TollkeeperError extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || problem.title || problem.message || `HTTP ${status}`);
    this.name = new.target.name;
    this.status = status;
    this.code = problem.code || "";
    this.title = problem.title || "";
    this.detail = problem.detail || "";
    this.requestId = problem.request_id || "";
    this.problem = problem;
  }
}

/** 402: the account cannot pay; the problem's members are the error's own. */
export class InsufficientCreditsError extends TollkeeperError {
  constructor(status, problem) {
    super(status, problem);
    const amounts = { required: 0, available: 0, spendable: problem.available ?? 0, shortfall: 0, held: 0 };
    const others = { blocking: "balance", resets_at: null, offers: [], plans: [], affordable: {} };
    for (const [name, none] of Object.entries({ ...amounts, ...others })) this[name] = problem[name] ?? none;
  }
}

/** 402 that credits do not help with: a spend limit, or a plan's count of a feature. */
export class LimitReachedError extends InsufficientCreditsError {}

/** No answer came: nobody knows whether the request arrived. */
export class NetworkError extends TollkeeperError {
  constructor(cause) {
    super(0, { code: "network", detail: "The network did not answer. Nothing is lost; try again." });
    this.cause = cause;
  }
}

/** The error that an answer stands for. */
export function errorOf(status, body) {
  if (status !== 402) return new TollkeeperError(status, body ?? {});
  // A backend may hand the problem on inside of its own error.
  const found = [body, body?.detail, body?.error, body?.problem].find((it) => it?.required != null);
  const problem = found ?? (typeof body === "object" ? body : null) ?? {};
  const isLimit = problem.code === "limit_reached" || problem.code === "feature_limit";
  return new (isLimit ? LimitReachedError : InsufficientCreditsError)(402, problem);
}

/** A new idempotency key. */
export const newKey = () => `web_${globalThis.crypto.randomUUID()}`;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function query(parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

export class TollkeeperClient {
  /** @type {Promise<any> | null} */ #token = null;
  #kept = new Map();
  #seq = 0;

  constructor({ api, token, getToken, account = "me", fetch, onAvailable }) {
    this.api = api.replace(/\/+$/, "");
    this.accountId = account;
    this.getToken = getToken ?? (() => token ?? null);
    this.canRenew = Boolean(getToken);
    this.onAvailable = onAvailable;
    this.fetcher = fetch ?? ((url, init) => globalThis.fetch(url, init));
  }

  /** The token in use; `stale` is one that was refused. */
  async token(stale) {
    const kept = this.#token;
    if (kept && (stale === undefined || (await kept.catch(() => null)) !== stale)) return kept;
    if (this.#token !== kept && this.#token) return this.#token;
    this.#token = Promise.resolve(this.getToken({ refresh: stale !== undefined }));
    this.#token.catch(() => (this.#token = null));
    // Another token may be another account's.
    this.#seq = 0;
    return this.#token;
  }

  /**
   * A request with what this client knows: a 402 is an InsufficientCreditsError, no answer a
   * NetworkError, and every other answer is returned as it is. `key` is its Idempotency-Key;
   * `withToken` sends the token ("maybe": where there is one); `repeat: false` never sends it again.
   */
  async fetch(url, options) {
    const { key, withToken, repeat, ...init } = options ?? {};
    const headers = new Headers(init.headers);
    if (key) headers.set("Idempotency-Key", key);
    const isSafe = /^(GET|HEAD)$/i.test(init.method ?? "GET");
    const mayRepeat = repeat ?? (isSafe || headers.has("Idempotency-Key"));
    let renewed = false;
    for (let tried = 1; ; tried++) {
      const token = withToken ? await this.token() : null;
      if (withToken === true && !token) throw new TollkeeperError(401, { code: "signed_out", detail: "Nobody is signed in." });
      if (token) headers.set("Authorization", `Bearer ${token}`);
      const again = mayRepeat && tried < TRIES;
      let answer;
      try {
        answer = await this.fetcher(url, { ...init, headers });
      } catch (error) {
        const isOver = init.signal?.aborted;
        if (isOver && /** @type {any} */ (error).name !== "TimeoutError") throw error;
        if (!again || isOver || globalThis.navigator?.onLine === false) throw new NetworkError(error);
        await pause(250 * 2 ** tried * (0.5 + Math.random() / 2));
        continue;
      }
      this.#hear(answer.headers.get("X-Credits-Available"));
      if (token && !renewed && this.canRenew && (await isRefusedToken(answer))) {
        renewed = true;
        await this.token(token);
        tried--;
      } else if (PASSING.has(answer.status) && again) {
        const wait = Math.min(Number(answer.headers.get("Retry-After")) || 0.25 * 2 ** tried, 5);
        await pause(wait * 1000 * (1 + Math.random() / 4));
      } else if (answer.status === 402) {
        throw errorOf(402, await answer.json().catch(() => null));
      } else return Object.assign(answer, { tried });
    }
  }

  /**
   * A request to the API, and the members of its answer.
   */
  async request(method, path, body, options) {
    const isRead = method === "GET";
    const kept = isRead ? this.#kept.get(path) : undefined;
    /** @type {any} */
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (kept) headers["If-None-Match"] = kept.etag;
    const answer = await this.fetch(this.api + path, {
      method,
      headers,
      key: options?.key,
      withToken: options?.withToken ?? true,
      repeat: true,
      cache: "no-store",
      signal: AbortSignal.timeout(20_000),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status === 304 && kept) return kept.body;
    const members = await answer.json().catch(() => null);
    if (!answer.ok) throw errorOf(answer.status, members);
    // A replay of this call's own lost try is no replay to the caller.
    const isReplay = answer.headers.get("Idempotency-Replayed") === "true";
    if (isReplay && /** @type {any} */ (answer).tried === 1) members.replayed = true;
    const etag = answer.headers.get("ETag");
    if (isRead && etag) {
      this.#kept.delete(path);
      this.#kept.set(path, { etag, body: members });
      if (this.#kept.size > 40) this.#kept.delete([...this.#kept.keys()][0]);
    }
    return members;
  }

  #hear(header) {
    const found = /^\s*(-?[\d.]+)\s*;\s*seq=(\d+)/.exec(header ?? "");
    if (!found || Number(found[2]) < this.#seq) return;
    this.#seq = Number(found[2]);
    this.onAvailable?.({ available: Number(found[1]), seq: this.#seq });
  }

  #own(rest = "", account = this.accountId) {
    return `/v1/accounts/${encodeURIComponent(account)}${rest}`;
  }

  /** The body names this client's account, unless it names one. */
  #post(path, body, options) {
    const { accountId } = this;
    return this.request("POST", path, accountId === "me" ? body : { account: accountId, ...body }, options);
  }

  // What a customer may do. Answers have the API's own members: docs/api.md.

  async account() {
    const account = await this.request("GET", this.#own());
    this.#seq = account.seq;
    return account;
  }
  entries(page) {
    return this.request("GET", this.#own("/entries") + query(page));
  }
  entry(key) {
    return this.request("GET", this.#own(`/entries/${encodeURIComponent(key)}`));
  }
  /** One page of the history as a file, and the cursor of the next. */
  async csv(page) {
    const headers = { Accept: "text/csv" };
    const url = this.api + this.#own("/entries") + query({ limit: 5000, ...page });
    const answer = await this.fetch(url, { headers, withToken: true, cache: "no-store" });
    if (!answer.ok) throw errorOf(answer.status, await answer.json().catch(() => null));
    const next = /[?&]cursor=([^&>]+)[^>]*>;\s*rel="?next/.exec(answer.headers.get("Link") ?? "");
    return { text: await answer.text(), next_cursor: next ? decodeURIComponent(next[1]) : null };
  }
  stats(range) {
    return this.request("GET", this.#own("/stats") + query(range));
  }
  packs() {
    return this.request("GET", "/v1/packs", undefined, { withToken: "maybe" });
  }
  catalog() {
    return this.request("GET", "/v1/catalog", undefined, { withToken: "maybe" });
  }
  check(run) {
    return this.#post("/v1/check", run);
  }
  estimate(run) {
    return this.#post("/v1/estimate", run);
  }
  setLimits(limits) {
    return this.request("PUT", this.#own("/limits"), limits);
  }
  checkout(wanted, options) {
    return this.#post("/v1/checkout", wanted, { key: newKey(), ...options });
  }
  portal(wanted) {
    return this.#post("/v1/portal", wanted);
  }
  purchase(id) {
    return this.request("GET", `/v1/purchases/${encodeURIComponent(id)}`);
  }
  purchases(page) {
    return this.request("GET", this.#own("/purchases") + query(page));
  }
  topUp() {
    return this.request("GET", this.#own("/top-up"));
  }
  live() {
    return this.request("GET", this.#own("/live"));
  }

  // What a backend does, with a service key.

  deduct(run, options) {
    return this.#post("/v1/deduct", run, options);
  }
  void(charge, { key, account, reason }) {
    const path = this.#own(`/entries/${encodeURIComponent(charge)}/void`, account);
    return this.request("POST", path, reason ? { reason } : {}, { key });
  }
  hold(run, options) {
    return this.#post("/v1/holds", run, { key: run.hold_id ?? newKey(), ...options });
  }
  settle(id, used, options) {
    return this.#post(`/v1/holds/${encodeURIComponent(id)}/settle`, used, options);
  }
  release(id, body) {
    return this.#post(`/v1/holds/${encodeURIComponent(id)}/release`, { ...body });
  }
  grant(grant, { key, account }) {
    return this.request("POST", this.#own("/grants", account), grant, { key });
  }
  /** A token for a customer's browser. */
  mintToken(wanted) {
    return this.request("POST", "/v1/tokens", wanted);
  }
}

async function isRefusedToken(answer) {
  if (answer.status === 401) return true;
  if (answer.status !== 403) return false;
  // API Gateway's own refusal has no code; one of the API does, and a new token changes nothing.
  const body = await answer.clone().json().catch(() => ({}));
  return !body.code;
}
