/** Changes of the account as they happen, over one socket of the browser: docs/live.md. */

const HIDDEN_MS = 60_000;
const LEAST_MS = 500;
const MOST_MS = 60_000;
const ANSWER_MS = 10_000;

export function openLive({ client, onNews, onState }) {
  const page = globalThis.document;
  const ended = new AbortController();
  let said = "";
  let seq = 0;
  let tries = 0;
  let running = null;
  let hiding;
  let hurry;

  const tell = (state) => {
    if (state !== said) onState?.((said = state));
  };

  /** The socket has ended; true where it was asked to. */
  const talk = (place, token, signal) =>
    new Promise((done) => {
      const authorization = { host: place.host, Authorization: token };
      const header = btoa(JSON.stringify(authorization)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
      const socket = new WebSocket(place.url, [place.protocol, `header-${header}`]);
      let patience = ANSWER_MS;
      let most = 0;
      let silence;
      const end = (ok = false) => {
        clearTimeout(silence);
        clearTimeout(renewal);
        signal.removeEventListener("abort", stop);
        socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
        socket.close();
        done(ok);
      };
      const stop = () => end(true);
      const wait = () => {
        clearTimeout(silence);
        silence = setTimeout(end, patience);
      };
      const renewal = setTimeout(stop, Math.max(place.expires_in_s, 5) * 1000);
      signal.addEventListener("abort", stop);
      const say = (message) => socket.send(JSON.stringify(message));
      wait();
      socket.onopen = () => say({ type: "connection_init" });
      socket.onclose = socket.onerror = () => end();
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        wait();
        if (message.type === "connection_ack") {
          most = message.connectionTimeoutMs;
          say({ type: "subscribe", id: "account", channel: place.channel, authorization });
        } else if (message.type === "subscribe_success") {
          patience = most;
          tries = 0;
          wait();
          tell("live");
        } else if (message.type === "data") {
          // AppSync's guide shows a list of texts where the service sends one text.
          for (const text of [message.event].flat()) {
            const news = JSON.parse(text);
            if (news.seq > seq) {
              seq = news.seq;
              onNews(news);
            }
          }
        } else if (message.type.endsWith("error")) end();
      };
    });

  /** Some time has passed, more after each failure, or the network came back. */
  const pause = (signal) =>
    new Promise((go) => {
      tell("connecting");
      const most = Math.min(MOST_MS, LEAST_MS * 2 ** ++tries);
      hurry = go;
      signal.addEventListener("abort", go, { once: true });
      setTimeout(go, most * (0.5 + Math.random() / 2));
    });

  /** Where to listen, asked until there is an answer; null where there is nothing to hear. */
  const find = async (signal) => {
    while (!signal.aborted) {
      try {
        const place = await client.live();
        if (place.url) return place;
        break;
      } catch (error) {
        if (isFinal(error)) break;
        await pause(signal);
      }
    }
    if (!signal.aborted) tell("off");
    return null;
  };

  /** Talks, again and again, while this tab is the one. */
  const keep = async (signal, place) => {
    while (place && !signal.aborted) {
      tell("connecting");
      let ok = false;
      try {
        ok = await talk(place, await client.token(), signal);
      } catch {
        // No token, or no socket may be opened: asking again says which.
      }
      if (!ok) await pause(signal);
      place = await find(signal);
    }
  };

  const run = async (signal) => {
    const place = await find(signal);
    const locks = globalThis.navigator?.locks;
    if (!locks || !place) return keep(signal, place);
    const asked = Date.now();
    let isFirst = true;
    setTimeout(() => isFirst && !signal.aborted && tell("shared"), 50);
    await locks.request(`tollkeeper ${client.api} ${place.account}`, { signal }, async () => {
      isFirst = false;
      await keep(signal, Date.now() - asked < LEAST_MS ? place : await find(signal));
    });
  };

  const begin = () => {
    if (running || ended.signal.aborted) return;
    running = new AbortController();
    run(running.signal).catch(() => {});
  };
  const rest = () => {
    running?.abort();
    running = null;
    tell("closed");
  };
  const look = () => {
    clearTimeout(hiding);
    if (page && page.visibilityState !== "visible") hiding = setTimeout(rest, HIDDEN_MS);
    else begin();
  };

  const listen = { signal: ended.signal };
  page?.addEventListener("visibilitychange", look, listen);
  globalThis.addEventListener?.("pagehide", rest, listen);
  globalThis.addEventListener?.("pageshow", look, listen);
  globalThis.addEventListener?.("online", () => hurry?.(), listen);
  look();
  return {
    close() {
      clearTimeout(hiding);
      ended.abort();
      rest();
    },
  };
}

/** Asking again would change nothing. */
const isFinal = (error) => error?.status >= 400 && error.status < 500 && error.status !== 429;
