import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import type { SignedCommand } from "../../src/contract/index.ts";
import { CommandBus, type Effects, factsLoader, replayCheck } from "../../src/core/command/index.ts";
import { commandFields, createIdentityKey, signCommand } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import { verifyCheckpoints, verifyReceipt } from "../../src/core/ledger/pure.ts";
import type { Store } from "../../src/core/store/index.ts";
import { Fault, type Fqdn, type Json, sha256Hex, sleep, systemClock } from "../../src/kernel/index.ts";
import { FaultyStore, type Instant } from "../harness/faulty-store.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";

/**
 * Every instant of an append at which the connection, or the whole process, can be lost, in twins: it was persisted anyway, or it was not.
 * Whatever happened, an acknowledged entry stands once, one that was refused can be sent again and then stands once, and nothing forks.
 */
const house = await LedgerHouse.start();
const { site, store } = house;
test.after(() => house[Symbol.asyncDispose]());

const open = (on: Store) => house.open("twins.example/nexus", on);
const send = (ledger: Ledger, token: string) => ledger.append([{ stream: "twins", type: "statement.closed", actor: "platform", data: { token } }]);
async function times(ledger: Ledger, token: string): Promise<number> {
  let found = 0;
  for await (const entry of ledger.entries({ stream: "twins" })) if (entry.type !== "erased" && (entry.data as { token: string }).token === token) found += 1;
  return found;
}
async function eventually(what: string, is: () => boolean): Promise<void> {
  for (const until = Date.now() + 20_000; !is(); await sleep(5)) assert.ok(Date.now() < until, what);
}
/** The log as it is follows from what was seen of it before, and is whole. */
async function assertFollows(ledger: Ledger, before: string): Promise<void> {
  const size = (note: string) => Number(note.split("\n")[1]);
  const now = ledger.checkpoint() as string;
  const proof = (await ledger.consistencyProof(size(before), size(now))).map((hash) => hash.toString("base64"));
  assert.ok(verifyCheckpoints(before, now, proof, ledger.verifierKey).ok, "a fork");
  assert.deepEqual((await ledger.fsck()).failures, []);
}

const ENTRIES = 0;
const CHECKPOINT = 1;
const CASES: readonly { readonly after: number; readonly instant: Instant; readonly persisted: boolean }[] = [
  { after: ENTRIES, instant: "before BEGIN", persisted: false },
  { after: ENTRIES, instant: "after INSERT", persisted: false },
  { after: ENTRIES, instant: "before COMMIT", persisted: false },
  { after: ENTRIES, instant: "COMMIT sent, not persisted", persisted: false },
  { after: ENTRIES, instant: "COMMIT sent, persisted anyway", persisted: true },
  // From here on the entry is committed and acknowledged; what may or may not persist is its checkpoint.
  { after: CHECKPOINT, instant: "before BEGIN", persisted: true },
  { after: CHECKPOINT, instant: "before COMMIT", persisted: true },
  { after: CHECKPOINT, instant: "COMMIT sent, not persisted", persisted: true },
  { after: CHECKPOINT, instant: "COMMIT sent, persisted anyway", persisted: true },
];

for (const { after, instant, persisted } of CASES) {
  const what = `${after === ENTRIES ? "entries" : "checkpoint"}, ${instant}`;
  test(`${what}: the connection is lost and the process lives on`, async () => {
    const faulty = new FaultyStore(store);
    const ledger = await open(faulty);
    try {
      const [first] = await send(ledger, `first, ${what}`);
      await ledger.receipt(first?.index as number);
      const before = ledger.checkpoint() as string;
      faulty.strike({ after, instant, dies: false });
      const token = `hit, ${what}`;
      const sent = send(ledger, token);
      if (persisted) await sent;
      else await assert.rejects(sent, (error) => error instanceof Fault && error.code === "LEDGER_WRITE" && error.retry);
      await eventually("the fault", () => faulty.struck);
      if (!persisted) {
        assert.equal(await times(ledger, token), 0);
        await send(ledger, token);
      }
      const receipt = await ledger.receipt(ledger.size() - 1);
      assert.ok(verifyReceipt(receipt, ledger.verifierKey).ok);
      assert.equal(await times(ledger, token), 1);
      await assertFollows(ledger, before);
    } finally {
      await ledger.close();
    }
  });

  test(`${what}: the process dies, and the next one goes on`, async () => {
    const faulty = new FaultyStore(store);
    const dying = await open(faulty);
    const [first] = await send(dying, `first, ${what}, dying`);
    await dying.receipt(first?.index as number);
    const before = dying.checkpoint() as string;
    faulty.strike({ after, instant, dies: true });
    const token = `hit, ${what}, dying`;
    send(dying, token).catch(() => {});
    await eventually("the death", () => faulty.struck);
    const next = await open(store);
    try {
      // What the dead one committed is signed by the next without being asked.
      await eventually("a checkpoint of everything", () => next.publishedSize() === next.size());
      assert.equal(await times(next, token), persisted ? 1 : 0);
      if (!persisted) await send(next, token);
      assert.ok(verifyReceipt(await next.receipt(next.size() - 1), next.verifierKey).ok);
      assert.equal(await times(next, token), 1);
      await assertFollows(next, before);
    } finally {
      await next.close();
    }
  });
}

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const)
  for (const dies of [false, true])
    test(`a checkpoint that goes with the next batch, ${instant}: ${dies ? "the process dies, and the next one" : "the process lives on, and"} signs the same history`, async () => {
      const faulty = new FaultyStore(store);
      const ledger = await open(faulty);
      try {
        const [first] = await send(ledger, `first, ${instant}, ${dies}`);
        await ledger.receipt(first?.index as number);
        const before = ledger.checkpoint() as string;
        const [one] = await send(ledger, `one, ${instant}, ${dies}`);
        // Nothing covers that one yet: its checkpoint is sent with this.
        assert.equal(ledger.checkpoint(), before);
        faulty.strike({ after: 0, instant, dies });
        const token = `two, ${instant}, ${dies}`;
        const sent = send(ledger, token).then(() => true, () => false);
        await eventually("the fault", () => faulty.struck);
        const persisted = instant === "COMMIT sent, persisted anyway";
        if (!dies) assert.equal(await sent, persisted);
        const on = dies ? await open(store) : ledger;
        try {
          await eventually("a checkpoint of everything", () => on.publishedSize() === on.size());
          assert.equal(on.size(), (one?.index as number) + (persisted ? 2 : 1));
          assert.equal(await times(on, token), persisted ? 1 : 0);
          assert.ok(verifyReceipt(await on.receipt(one?.index as number), on.verifierKey).ok);
          const sizes = await store.snapshot((tx) => tx.query<{ size: number }>("SELECT size FROM ledger_checkpoint WHERE size > $1", [one?.index as number]));
          assert.ok(sizes.length >= 1);
          await assertFollows(on, before);
        } finally {
          if (dies) await on.close();
        }
      } finally {
        if (!dies) await ledger.close();
      }
    });

test("after publication: the process dies, and the next one shows the very same checkpoint", async () => {
  const faulty = new FaultyStore(store);
  const dying = await open(faulty);
  const [one] = await send(dying, "published");
  const receipt = await dying.receipt(one?.index as number);
  const note = dying.checkpoint() as string;
  faulty.strike({ after: 0, instant: "before BEGIN", dies: true });
  send(dying, "never").catch(() => {});
  await eventually("the death", () => faulty.struck);
  const next = await open(store);
  try {
    assert.equal(next.checkpoint(), note);
    assert.deepEqual(await next.receipt(one?.index as number), receipt);
    assert.equal(await times(next, "never"), 0);
    await assertFollows(next, note);
  } finally {
    await next.close();
  }
});

const EFFECTS: Effects = {
  allocate: async () => null, after: () => undefined, withLearned: (after) => after, objection: async () => undefined,
  run: async () => ({ learned: null, observed: null }), whole: () => undefined, converge: async () => {},
};

function busOn(ledger: Ledger, effects: Effects): CommandBus {
  const figures = { cpuMillis: 1, memoryBytes: 1, storageBytes: 1 };
  const loadFacts = factsLoader(store, systemClock, {
    suffix: "world" as Fqdn, node: { name: "node-1", jurisdictions: site.nodeJurisdictions, capacity: figures }, meteredResources: [], used: async () => null,
    blob: async (digest) => ({ digest, readable: false, bytes: 0 }), bundle: async () => null, zoneOfNext: () => "imvu001.world" as Fqdn, ledgerWritable: async () => true, keyLoaded: true,
  });
  return new CommandBus({ store, ledger, clock: systemClock, effects, law: sha256Hex("law"), loadFacts });
}

async function submitTo(bus: CommandBus, signed: SignedCommand): Promise<{ receipt: { index: number }; outcome: { receipt: { index: number; body: string } } }> {
  const operation = bus.submit(signed);
  assert.ok(operation.ok);
  const answer = await operation.value.answer;
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.value as unknown as Awaited<ReturnType<typeof submitTo>>;
}

test("between intent and outcome: the same command sent again to the process that lived on is finished and answers once", async () => {
  for (const instant of ["before BEGIN", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const) {
    const faulty = new FaultyStore(store);
    const ledger = await open(faulty);
    try {
      let hit = false;
      const effects: Effects = {
        ...EFFECTS,
        run: async (work) => {
          // The intent's checkpoint is published; the next transaction is the outcome's.
          if (!hit) {
            await ledger.receipt(ledger.size() - 1);
            faulty.strike({ after: 0, instant, dies: false });
          }
          hit = true;
          return await EFFECTS.run(work);
        },
      };
      const bus = busOn(ledger, effects);
      const key = createIdentityKey();
      const signed = signCommand(commandFields("identity.register", null, { name: `twin-${randomBytes(4).toString("hex")}`, publicKey: key.publicKey.text }, Date.now()), key);
      const submit = () => submitTo(bus, signed);
      if (instant !== "COMMIT sent, persisted anyway") await assert.rejects(submit(), (error) => error instanceof Fault && error.retry);
      const first = await submit();
      assert.ok(faulty.struck);
      assert.match(first.outcome.receipt.body, /"type":"effect.applied"/);
      const again = await submit();
      assert.deepEqual([again.receipt.index, again.outcome.receipt.index], [first.receipt.index, first.outcome.receipt.index]);
      let outcomes = 0;
      for await (const entry of ledger.entries({ from: first.receipt.index })) if (entry.type !== "erased" && (entry.data as { readonly [name: string]: Json }).intent === first.receipt.index) outcomes += 1;
      assert.equal(outcomes, 1);
      assert.deepEqual((await replayCheck(store, ledger, EFFECTS)).failures, []);
    } finally {
      await ledger.close();
    }
  }
});

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const)
  test(`a command that is done when it is written down, ${instant}: intent and outcome stand both or not at all, and sent again it answers once`, async () => {
    const faulty = new FaultyStore(store);
    const ledger = await open(faulty);
    try {
      const bus = busOn(ledger, { ...EFFECTS, whole: () => ({ learned: null, observed: { done: true } }), run: async () => assert.fail("nothing is run") });
      const key = createIdentityKey();
      const signed = signCommand(commandFields("identity.register", null, { name: `twin-${randomBytes(4).toString("hex")}`, publicKey: key.publicKey.text }, Date.now()), key);
      const before = ledger.size();
      faulty.strike({ after: 0, instant, dies: false });
      const first = await submitTo(bus, signed).catch((error: unknown) => error);
      assert.ok(faulty.struck);
      const persisted = instant === "COMMIT sent, persisted anyway";
      assert.equal(first instanceof Fault && first.retry, !persisted, String(first));
      assert.equal(ledger.size() - before, persisted ? 2 : 0);
      const again = await submitTo(bus, signed);
      assert.equal(again.outcome.receipt.index, again.receipt.index + 1);
      assert.match(again.outcome.receipt.body, new RegExp(`"intent":${again.receipt.index},`));
      assert.equal(ledger.size() - before, 2);
      assert.deepEqual((await replayCheck(store, ledger, EFFECTS)).failures, []);
    } finally {
      await ledger.close();
    }
  });
