import assert from "node:assert/strict";
import test from "node:test";
import type { KeyId } from "../../kernel/index.ts";
import { createIdentityKey, firstRing } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import { KnownKeys } from "./known-keys.ts";

/** A table of keys that counts how often it is asked, and answers when it is told to. */
function table() {
  const key = createIdentityKey();
  const row = { kid: key.kid, public_key: key.publicKey.text, doc: firstRing({ name: "creator-8891" as never, publicKey: key.publicKey.text }, 0) };
  const asked: (readonly KeyId[])[] = [];
  let open = Promise.resolve();
  const select = async (_statement: unknown, [kids]: readonly [readonly KeyId[]]) => {
    asked.push(kids);
    await open;
    return kids.includes(key.kid) ? [row] : [];
  };
  const hold = () => {
    let release = () => {};
    open = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      release();
      open = Promise.resolve();
    };
  };
  return { kid: key.kid, asked, hold, known: new KnownKeys({ select } as unknown as Store) };
}

test("a key that was found is not asked for again; one that nobody has is, each time", async () => {
  const { kid, asked, known } = table();
  const stranger = "x".repeat(43) as KeyId;
  for (let at = 0; at < 2; at += 1) {
    const keys = await known.of([kid, stranger]);
    assert.equal(keys.get(kid)?.identity, "creator-8891");
    assert.equal(keys.get(stranger), undefined);
  }
  assert.deepEqual(asked, [[kid, stranger], [stranger]]);
});

test("after a command on identities it is read again, also what was being read meanwhile", async () => {
  const { kid, asked, hold, known } = table();
  await known.of([kid]);
  known.forget();
  const release = hold();
  const reading = known.of([kid]);
  known.forget();
  release();
  assert.equal((await reading).get(kid)?.status, "live");
  await known.of([kid]);
  await known.of([kid]);
  assert.equal(asked.length, 3);
});

test("a key that is known stays known to whoever was reading another when all were forgotten", async () => {
  const { kid, hold, known } = table();
  await known.of([kid]);
  const release = hold();
  const reading = known.of([kid, "x".repeat(43) as KeyId]);
  known.forget();
  release();
  assert.equal((await reading).get(kid)?.identity, "creator-8891");
});
