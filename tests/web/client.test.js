// The client in Node, against answers that are told beforehand. Run by tests/unit/test_web_client.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  InsufficientCreditsError,
  LimitReachedError,
  NetworkError,
  TollkeeperClient,
  TollkeeperError,
  errorOf,
} from "../../clients/web/modules/client.js";

const SHORT = { code: "insufficient_credits", status: 402, title: "Not enough credits", required: 120, available: 8, spendable: 8, shortfall: 112 };

/** A client whose requests get these answers, in this order; `asked` is what was sent. */
function told(answers, options = {}) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url: String(url), ...init });
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer instanceof Error) throw answer;
    const [status, body, headers] = answer;
    return new Response(status === 304 ? null : JSON.stringify(body ?? {}), { status, headers });
  };
  return { asked, client: new TollkeeperClient({ api: "https://api.test/", token: "tkc_1", fetch, ...options }) };
}

test("an answer's members come back, asked with the token", async () => {
  const { client, asked } = told([[200, { available: 15 }]]);

  assert.deepEqual(await client.account(), { available: 15 });
  assert.equal(asked[0].url, "https://api.test/v1/accounts/me");
  assert.equal(asked[0].headers.get("Authorization"), "Bearer tkc_1");
});

test("an account's id is encoded, and named in bodies unless it is me", async () => {
  const named = told([[200]], { account: "auth0|1/x" });
  await named.client.entry("h~run~settle");
  await named.client.check({ operation: "sms" });
  const own = told([[200]]);
  await own.client.check({ operation: "sms" });

  assert.equal(named.asked[0].url, "https://api.test/v1/accounts/auth0%7C1%2Fx/entries/h~run~settle");
  assert.deepEqual(JSON.parse(named.asked[1].body), { account: "auth0|1/x", operation: "sms" });
  assert.deepEqual(JSON.parse(own.asked[0].body), { operation: "sms" });
});

test("402 is a typed error with the problem's members", async () => {
  const { client } = told([[402, SHORT]]);

  const error = await client.check({ operation: "sms" }).catch((thrown) => thrown);

  assert.ok(error instanceof InsufficientCreditsError && error instanceof TollkeeperError);
  assert.deepEqual([error.status, error.required, error.shortfall, error.blocking], [402, 120, 112, "balance"]);
  assert.deepEqual([error.offers, error.name], [[], "InsufficientCreditsError"]);
});

test("402 for a limit is one that credits do not help with", () => {
  assert.ok(errorOf(402, { ...SHORT, code: "limit_reached" }) instanceof LimitReachedError);
  assert.ok(errorOf(402, { ...SHORT, code: "feature_limit" }) instanceof LimitReachedError);
  assert.ok(!(errorOf(402, SHORT) instanceof LimitReachedError));
});

test("a backend may hand the problem on inside of its own error", () => {
  for (const body of [SHORT, { detail: SHORT }, { error: SHORT }, { problem: SHORT }])
    assert.equal(errorOf(402, body).shortfall, 112);
  for (const body of [null, "no", {}, { detail: "pay" }]) assert.equal(errorOf(402, body).shortfall, 0);
});

test("an expired token is renewed once, and the request goes again", async () => {
  for (const refused of [[401, { message: "Unauthorized" }], [403, { message: "Forbidden" }]]) {
    const given = [];
    const getToken = (why) => given.push(why.refresh) && `tkc_${given.length}`;
    const { client, asked } = told([refused, [200, { available: 1 }]], { token: undefined, getToken });

    assert.deepEqual(await client.account(), { available: 1 });
    assert.deepEqual(asked.map((it) => it.headers.get("Authorization")).at(-1), "Bearer tkc_2");
    assert.deepEqual(given, [false, true]);
  }
});

test("a token that is refused twice is an error, and 403 with a code asks for no other", async () => {
  const twice = told([[401, { message: "Unauthorized" }]], { getToken: () => "tkc" });
  const frozen = told([[403, { code: "account_frozen" }]], { getToken: () => "tkc" });

  await assert.rejects(twice.client.account(), { status: 401 });
  await assert.rejects(frozen.client.account(), { status: 403, code: "account_frozen" });
  assert.deepEqual([twice.asked.length, frozen.asked.length], [2, 1]);
});

test("requests at once share one renewal", async () => {
  let renewed = 0;
  let valid = "old";
  const fetch = async (_, init) => {
    const isGood = init.headers.get("Authorization") === "Bearer new";
    return new Response("{}", { status: isGood ? 200 : 401 });
  };
  const getToken = async ({ refresh }) => {
    if (refresh) renewed += 1;
    if (refresh) valid = "new";
    return valid;
  };
  const client = new TollkeeperClient({ api: "https://api.test", getToken, fetch });

  await Promise.all([client.account(), client.packs(), client.catalog(), client.stats()]);

  assert.equal(renewed, 1);
});

test("503 and a lost answer are sent again with the same key", async () => {
  const { client, asked } = told([[503, {}, { "Retry-After": "0.01" }], new TypeError("lost"), [200, { charged: 1 }]]);

  assert.equal((await client.deduct({ operation: "sms" }, { key: "msg_1" })).charged, 1);
  assert.deepEqual(asked.map((it) => it.headers.get("Idempotency-Key")), ["msg_1", "msg_1", "msg_1"]);
});

test("an answer to an earlier call says so, and one to this call's own lost try does not", async () => {
  const replay = [201, { hold_id: "a" }, { "Idempotency-Replayed": "true" }];
  const earlier = told([replay]);
  const lost = told([new TypeError("lost"), replay]);
  const first = told([[201, { hold_id: "a" }]]);

  assert.equal((await earlier.client.hold({ operation: "sms" }, { key: "a" })).replayed, true);
  assert.equal((await lost.client.hold({ operation: "sms" }, { key: "a" })).replayed, undefined);
  assert.equal((await first.client.hold({ operation: "sms" }, { key: "a" })).replayed, undefined);
});

test("S0.15 no answer is a NetworkError; the app's own write without a key is sent once", async () => {
  const { client, asked } = told([new TypeError("lost")]);

  await assert.rejects(client.fetch("https://app.test/chat", { method: "POST", body: "{}" }), NetworkError);
  assert.equal(asked.length, 1);
});

test("S0.15 other errors of the app's own backend are its answers", async () => {
  const { client } = told([[500, { message: "ours" }]]);

  assert.equal((await client.fetch("https://app.test/chat", { method: "POST" })).status, 500);
});

test("the token goes to the app's own backend only where that is asked for", async () => {
  const { client, asked } = told([[200]]);

  await client.fetch("https://app.test/chat");
  await client.fetch("https://app.test/chat", { withToken: true });

  assert.deepEqual(asked.map((it) => it.headers.get("Authorization")), [null, "Bearer tkc_1"]);
});

test("S2.16 a 402 of the app's own backend is the typed error, and its balance is heard", async () => {
  const heard = [];
  const { client } = told([[402, { detail: SHORT }, { "X-Credits-Available": "8;seq=5" }]], { onAvailable: (it) => heard.push(it) });

  await assert.rejects(client.fetch("https://app.test/chat", { method: "POST", key: "m1" }), InsufficientCreditsError);
  assert.deepEqual(heard, [{ available: 8, seq: 5 }]);
});

test("a balance with a lower seq, or none, is not heard", async () => {
  const heard = [];
  const header = (text) => [200, {}, { "X-Credits-Available": text }];
  const answers = [header("9.5;seq=7"), header("12;seq=6"), header("nonsense"), [200], header("-3;seq=8")];
  const { client } = told(answers, { onAvailable: (it) => heard.push(it) });

  for (const _ of answers) await client.packs();

  assert.deepEqual(heard, [{ available: 9.5, seq: 7 }, { available: -3, seq: 8 }]);
});

test("what did not change is not sent again: 304 answers what is known", async () => {
  const { client, asked } = told([[200, { packs: [1] }, { ETag: '"a"' }], [304], [200, { packs: [2] }, { ETag: '"b"' }]]);

  assert.deepEqual([await client.packs(), await client.packs(), await client.packs()], [{ packs: [1] }, { packs: [1] }, { packs: [2] }]);
  assert.deepEqual(asked.map((it) => it.headers.get("If-None-Match")), [null, '"a"', '"a"']);
});

test("without a token nothing of an account is asked, and packs are", async () => {
  const { client, asked } = told([[200, { packs: [] }]], { token: undefined });

  await assert.rejects(client.account(), { status: 401, code: "signed_out" });
  assert.deepEqual(await client.packs(), { packs: [] });
  assert.equal(asked.length, 1);
});

test("a token hook that fails is asked again the next time", async () => {
  let asks = 0;
  const getToken = () => (++asks === 1 ? Promise.reject(new Error("down")) : "tkc");
  const { client } = told([[200, { available: 1 }]], { token: undefined, getToken });

  await assert.rejects(client.account());
  assert.deepEqual(await client.account(), { available: 1 });
});

test("the history comes as a file, page by page", async () => {
  const link = '</v1/accounts/me/entries?cursor=4%7C1&limit=1>; rel="next"';
  const { client, asked } = told([[200, "seq,at", { Link: link }], [200, "seq,at"]]);

  assert.equal((await client.csv({ limit: 1 })).next_cursor, "4|1");
  assert.equal((await client.csv({ cursor: "4|1" })).next_cursor, null);
  assert.equal(asked[0].headers.get("Accept"), "text/csv");
  assert.equal(asked[1].url, "https://api.test/v1/accounts/me/entries?limit=5000&cursor=4%7C1");
});

test("S1.13 each checkout has one key, also when it is sent again", async () => {
  const { client, asked } = told([[503, {}, { "Retry-After": "0.01" }], [201, {}]]);

  await client.checkout({ pack: "pro" });
  await client.checkout({ pack: "pro" });

  const [first, again, other] = asked.map((it) => it.headers.get("Idempotency-Key"));
  assert.equal(first, again);
  assert.notEqual(first, other);
});

test("S2.17 an answer that is no JSON is still an error with its status", async () => {
  const fetch = async () => new Response("<html>bad gateway</html>", { status: 500 });
  const client = new TollkeeperClient({ api: "https://api.test", token: "t", fetch });

  await assert.rejects(client.account(), { status: 500, message: "HTTP 500" });
});
