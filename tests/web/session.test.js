// A page's session in Node: whose balance it shows, and which news it believes.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Session } from "../../clients/web/modules/session.js";

const sessions = [];
after(() => sessions.forEach((session) => session.close()));

/** A session whose account reads answer these, in this order, the last one for ever. */
async function opened(answers, options = {}) {
  let asked = 0;
  const fetch = async (_, init) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (typeof answer === "number") return new Response("{}", { status: answer });
    if (typeof answer === "function") return answer(init);
    return new Response(JSON.stringify(answer), { status: 200 });
  };
  const session = new Session({ api: "https://api.test", token: "t", live: false, fetch, ...options });
  sessions.push(session);
  await session.refresh({ now: true });
  return session;
}

const ANN = { account: "ann", available: 100, seq: 100 };
const BEN = { account: "ben", available: 7, seq: 5 };

test("a token of somebody else shows their balance, whatever its seq", async () => {
  const session = await opened([ANN, BEN]);
  session.put({ purchase: { id: "pur_1" } });

  await session.refresh({ now: true });

  assert.deepEqual([session.state.account.account, session.state.available, session.state.seq], ["ben", 7, 5]);
  assert.equal(session.state.purchase, null);
});

test("signed out in between nothing of the first one is left", async () => {
  const session = await opened([ANN, 401, BEN]);

  await session.refresh({ now: true });
  assert.deepEqual([session.state.status, session.state.available, session.state.account], ["signed-out", null, null]);
  await session.refresh({ now: true });

  assert.deepEqual([session.state.status, session.state.available], ["ready", 7]);
});

test("news that cannot be true are no news", async () => {
  const session = await opened([BEN]);

  for (const news of [{ available: "lots", seq: 9 }, { available: 9, seq: Infinity }, { available: NaN, seq: 9 }, { available: 9, seq: 5.5 }, { available: 9 }])
    session.saw(news);

  assert.deepEqual([session.state.available, session.state.seq], [7, 5]);
});

test("hearsay of another account is put right by the next read", async () => {
  const session = await opened([BEN]);
  session.saw({ available: 1000, seq: 900 });
  assert.equal(session.state.available, 1000);

  await session.refresh({ now: true });

  assert.deepEqual([session.state.available, session.state.seq], [7, 5]);
});

test("news that come while the account is read are newer than what is read", async () => {
  let session;
  const late = () => {
    session.saw({ available: 6, seq: 6 });
    return new Response(JSON.stringify(BEN), { status: 200 });
  };
  session = await opened([BEN, late]);

  await session.refresh({ now: true });

  assert.deepEqual([session.state.available, session.state.seq], [6, 6]);
});

test("S2.17 while the service fails what is known stays, with the error beside it", async () => {
  const session = await opened([BEN, 500]);

  await session.refresh({ now: true });

  assert.deepEqual([session.state.status, session.state.available, session.state.error.status], ["error", 7, 500]);
});

test("a closed session asks and tells nothing more", async () => {
  let told = 0;
  const session = await opened([BEN]);
  session.subscribe(() => (told += 1));
  session.close();
  told = 0;

  session.saw({ available: 1, seq: 99 });
  await session.refresh({ now: true });

  assert.equal(told, 0);
});
