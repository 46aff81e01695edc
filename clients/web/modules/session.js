/** One account's state, shared by every element of a page and by its other tabs. */

import { TollkeeperClient } from "./client.js";

const LEAST_MS = 1000;
const SOON_MS = 200;

export class Session {
  /** @type {any} */
  state = { account: null, available: null, seq: 0, status: "loading", error: null };
  /** @type {Set<(state: any) => void>} */ #listeners = new Set();
  /** @type {Promise<void> | null} */ #reading = null;
  /** @type {any} */ #timer;
  /** @type {{ close(): void } | null} */ #live = null;
  /** @type {Promise<any> | null} */ #catalog = null;
  #isLive = false;
  #readAt = 0;
  /** How often news came. */ #heard = 0;
  /** The account that was shown last. */ #whose = "";
  #ended = new AbortController();

  constructor(options) {
    const { refreshSeconds = 30, live = true } = options;
    this.options = options;
    this.client = new TollkeeperClient({ ...options, onAvailable: (news) => this.saw(news) });
    this.refreshMs = refreshSeconds * 1000;
    this.wantsLive = live;
    const listen = { signal: this.#ended.signal };
    this.channel = globalThis.BroadcastChannel ? new BroadcastChannel("tollkeeper") : null;
    this.channel?.addEventListener("message", ({ data }) => this.#told(data), listen);
    if (typeof document === "object") {
      document.addEventListener("visibilitychange", () => this.#awake(), listen);
      for (const name of ["focus", "online", "pageshow"]) addEventListener(name, () => this.#awake(), listen);
      const every = setInterval(() => this.#tick(), Math.max(this.refreshMs, LEAST_MS));
      this.#ended.signal.addEventListener("abort", () => clearInterval(every));
    }
    queueMicrotask(() => this.refresh({ now: true }));
  }

  /** Calls `listener` now and at every change; the answer stops that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    listener(this.state);
    return () => void this.#listeners.delete(listener);
  }

  /** News of the balance; older news than what is known changes nothing. */
  saw(news) {
    if (!this.#hear(news)) return;
    this.#tell();
    if (!this.#reading) this.refresh();
  }

  /** The account is read: now, or soon and at most once a second. */
  refresh({ now = false } = {}) {
    if (this.#ended.signal.aborted) return Promise.resolve();
    if (now) return this.#read();
    const wait = Math.max(SOON_MS, this.#readAt + LEAST_MS - Date.now());
    this.#timer ??= setTimeout(() => this.#read(), wait);
    return Promise.resolve();
  }

  /** The cost table, read once. */
  catalog() {
    this.#catalog ??= this.client.catalog();
    this.#catalog.catch(() => (this.#catalog = null));
    return this.#catalog;
  }

  /** Nothing more is asked or told; another session takes its place. */
  close() {
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#live?.close();
    this.channel?.close();
    this.#listeners.clear();
  }

  #read() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = null;
      // What was said while it was read may be newer than what was read.
      if (this.state.account && this.state.seq > this.state.account.seq && this.state.status === "ready") this.refresh();
    });
    return this.#reading;
  }

  async #ask() {
    this.#readAt = Date.now();
    try {
      const heard = this.#heard;
      const account = await this.client.account();
      const isOther = this.#whose && this.#whose !== account.account;
      const isNews = account.seq > this.state.seq;
      // The read is a strong one: only news that came meanwhile can be newer.
      const isOld = account.seq < this.state.seq && heard !== this.#heard && !isOther;
      const balance = isOld ? {} : { available: account.available, seq: account.seq };
      this.#whose = account.account;
      this.put({ ...balance, account, status: "ready", error: null, ...(isOther && { purchase: null }) });
      if (isOther && this === current) for (const watcher of [...watchers]) watcher(this);
      if (isNews) this.#tell();
      if (!this.#live && this.wantsLive) this.#open();
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      const { status, code } = /** @type {any} */ (error);
      const isOut = status === 401 || (status === 403 && !code);
      this.put(isOut ? { account: null, available: null, seq: 0, purchase: null, status: "signed-out", error } : { status: "error", error });
    }
  }

  /** The state with these changes; everybody who subscribed is told. */
  put(changes) {
    if (this.#ended.signal.aborted) return;
    this.state = { ...this.state, ...changes };
    for (const listener of [...this.#listeners]) listener(this.state);
  }

  #tell() {
    const { account, available, seq } = this.state;
    if (account) this.channel?.postMessage({ api: this.client.api, account: account.account, available, seq });
  }

  /** News that can be true and are new count. */
  #hear({ available, seq }) {
    const isTrue = Number.isFinite(available) && Number.isSafeInteger(seq);
    const isNew = isTrue && seq > this.state.seq && !this.#ended.signal.aborted;
    if (isNew) {
      this.#heard += 1;
      this.put({ available, seq });
    }
    return isNew;
  }

  #told(told) {
    const known = this.state.account?.account;
    if (known && told?.api === this.client.api && told.account === known && this.#hear(told)) {
      if (document.visibilityState === "visible") this.refresh();
    }
  }

  async #open() {
    this.#live = { close() {} };
    try {
      const { openLive } = await import("./live.js");
      if (this.#ended.signal.aborted) return;
      this.#live = openLive({
        client: this.client,
        onNews: (news) => this.saw(news),
        onState: (state) => {
          this.#isLive = state === "live" || state === "shared";
          if (state === "live") this.refresh();
        },
      });
    } catch {
      // Without it the page asks every `refreshSeconds`.
    }
  }

  #tick() {
    const isDue = !this.#isLive || Date.now() - this.#readAt > 10 * this.refreshMs;
    if (isDue && document.visibilityState === "visible" && this.state.status !== "signed-out") this.refresh();
  }

  #awake() {
    if (document.visibilityState !== "visible" || this.#reading) return;
    if (this.state.status !== "ready" || Date.now() - this.#readAt > LEAST_MS) this.refresh();
  }
}

/** @type {Session | undefined} */
let current;
/** @type {Set<(session: Session | undefined) => void>} */
const watchers = new Set();

/** The page's session from now on; elements that are there already use it. */
export function configure(options) {
  current?.close();
  current = new Session(options);
  for (const watcher of [...watchers]) watcher(current);
  return current;
}

/** The page's session, once it is configured. */
export const session = () => current;

/** Calls `watcher` with the page's session, now and when it is another. */
export function watchSession(watcher) {
  watchers.add(watcher);
  watcher(current);
  return () => void watchers.delete(watcher);
}
