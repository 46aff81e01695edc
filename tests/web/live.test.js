// live.js against a socket and a clock of its own. Run by tests/unit/test_web_live.py.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { openLive } from "../../clients/web/modules/live.js";

const PLACE = { account: "ada", protocol: "aws-appsync-event-ws", url: "ws://live.test/", host: "live.test", channel: "/accounts/1", expires_in_s: 900 };

/** Every socket that was opened, in that order. */
let sockets = [];

class FakeSocket {
  sent = [];
  isClosed = false;
  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
  hear(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  /** As a server that lets in. */
  open() {
    this.onopen();
    this.hear({ type: "connection_ack", connectionTimeoutMs: 300_000 });
    this.hear({ type: "subscribe_success", id: "account" });
  }
  news(available, seq) {
    this.hear({ type: "data", id: "account", event: JSON.stringify({ available, seq, kind: "charge" }) });
  }
}

/** A page's live updates, with what it was told; `places` are the answers to live(), the last one again and again. */
function house({ places = [PLACE], token = async () => "tkc_1" } = {}) {
  const told = { news: [], states: [], asked: 0 };
  const client = {
    api: "https://api.test",
    token,
    async live() {
      const place = places[Math.min(told.asked++, places.length - 1)];
      if (place instanceof Error) throw place;
      return place;
    },
  };
  told.live = openLive({ client, onNews: (news) => told.news.push(news), onState: (state) => told.states.push(state) });
  return told;
}

/** Whatever was promised so far has happened. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const pass = async (ms) => {
  mock.timers.tick(ms);
  await settle();
};
const failed = (status) => Object.assign(new Error(), { status });

beforeEach(() => {
  sockets = [];
  globalThis.WebSocket = FakeSocket;
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => 1);
});
afterEach(() => mock.reset());

test("it authorizes, subscribes and says what it hears", async () => {
  const told = house();
  await settle();
  const [socket] = sockets;
  socket.open();
  socket.news(98.5, 7);

  const authorization = { host: "live.test", Authorization: "tkc_1" };
  assert.equal(socket.url, PLACE.url);
  assert.equal(socket.protocols[0], PLACE.protocol);
  assert.deepEqual(JSON.parse(Buffer.from(socket.protocols[1].slice(7), "base64url").toString()), authorization);
  assert.match(socket.protocols[1], /^header-[A-Za-z0-9_-]+$/);
  assert.deepEqual(socket.sent, [
    { type: "connection_init" },
    { type: "subscribe", id: "account", channel: PLACE.channel, authorization },
  ]);
  assert.deepEqual(told.news, [{ available: 98.5, seq: 7, kind: "charge" }]);
  assert.deepEqual(told.states, ["connecting", "live"]);
  told.live.close();
  assert.ok(socket.isClosed);
  assert.equal(told.states.at(-1), "closed");
});

test("a lower seq is never told, on this socket and on the next", async () => {
  const told = house();
  await settle();
  sockets[0].open();
  for (const seq of [5, 4, 5, 6, 1]) sockets[0].news(seq, seq);
  sockets[0].onclose();
  await settle();
  await pass(1_000);
  sockets[1].open();
  sockets[1].news(3, 3);
  sockets[1].news(7, 7);

  assert.deepEqual(told.news.map(({ seq }) => seq), [5, 6, 7]);
  told.live.close();
});

test("a list of texts is heard as one text is", async () => {
  const told = house();
  await settle();
  sockets[0].open();
  sockets[0].hear({ type: "data", id: "account", event: ['{"available":1,"seq":1}', '{"available":2,"seq":2}'] });

  assert.deepEqual(told.news.map(({ seq }) => seq), [1, 2]);
  told.live.close();
});

test("it waits twice as long after each failure, a minute at most, and begins anew after a success", async () => {
  const told = house();
  await settle();
  for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    const before = sockets.length;
    sockets.at(-1).onclose();
    await settle();
    await pass(ms - 1);
    assert.equal(sockets.length, before, `before ${ms}`);
    await pass(1);
    assert.equal(sockets.length, before + 1, `after ${ms}`);
  }
  sockets.at(-1).open();
  sockets.at(-1).onclose();
  await settle();
  await pass(1_000);
  assert.equal(sockets.length, 10);
  told.live.close();
});

test("what is refused is a failure like any other", async () => {
  for (const type of ["subscribe_error", "connection_error", "error"]) {
    const told = house();
    await settle();
    const socket = sockets.at(-1);
    socket.onopen();
    socket.hear({ type, errors: [] });
    assert.ok(socket.isClosed, type);
    told.live.close();
  }
});

test("a server that says nothing is given up after ten seconds, and a silent one after its own time", async () => {
  const told = house();
  await settle();
  await pass(10_000);
  assert.ok(sockets[0].isClosed);
  await pass(1_000);
  sockets[1].open();
  await pass(250_000);
  sockets[1].hear({ type: "ka" });
  await pass(250_000);
  assert.ok(!sockets[1].isClosed);
  await pass(50_000);
  assert.ok(sockets[1].isClosed);
  told.live.close();
});

test("the socket is opened anew when place or token end, with a fresh token and no pause", async () => {
  const tokens = ["tkc_1", "tkc_2"];
  const told = house({ token: async () => tokens.shift(), places: [{ ...PLACE, expires_in_s: 60 }, { ...PLACE, channel: "/accounts/2" }] });
  await settle();
  sockets[0].open();
  await pass(60_000);
  sockets[1].open();

  assert.ok(sockets[0].isClosed);
  assert.equal(sockets[1].sent[1].channel, "/accounts/2");
  assert.equal(sockets[1].sent[1].authorization.Authorization, "tkc_2");
  assert.equal(told.asked, 2);
  told.live.close();
});

test("a stack without live updates, and who may not hear, ask no more", async () => {
  for (const place of [{ ...PLACE, url: null }, failed(401), failed(403), failed(404)]) {
    const told = house({ places: [place] });
    await settle();
    await pass(600_000);
    assert.deepEqual([told.asked, sockets.length, told.states], [1, 0, ["off"]]);
    told.live.close();
  }
});

test("an API that is away is asked again", async () => {
  const told = house({ places: [failed(503), new TypeError("network"), failed(429), PLACE] });
  for (const ms of [0, 1_000, 2_000, 4_000]) await pass(ms);

  assert.equal(told.asked, 4);
  assert.equal(sockets.length, 1);
  told.live.close();
});

test("nothing goes on after it was closed", async () => {
  const told = house();
  told.live.close();
  await pass(600_000);
  assert.equal(sockets.length, 0);

  const other = house();
  await settle();
  sockets[0].onclose();
  other.live.close();
  await pass(600_000);
  assert.equal(sockets.length, 1);
});
