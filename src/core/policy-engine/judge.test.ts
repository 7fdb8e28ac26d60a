import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Op, Verdict } from "../../contract/index.ts";
import { GIB, MIB, OPS_WITHOUT_IMVU } from "../../contract/index.ts";
import type { Json } from "../../kernel/index.ts";
import { canonicalBytes } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import { factsFor, GOOD, imvuOf, KEYS, NOW, OPS, OURS, opened, type Person, THEIRS } from "./gate.fixture.ts";
import { GATES } from "./gates.ts";
import { isAllowed, judge, verdictOf } from "./judge.ts";
import { refusalOf } from "./refusal.ts";

const denials = (verdicts: readonly Verdict[]) => verdicts.filter(({ verdict }) => verdict === "deny").map(({ code }) => code);

for (const op of OPS) {
  test(`${op}: the good command passes, and each gate answers as its table says`, () => {
    const command = opened(op);
    const verdicts = judge(command, factsFor(command));
    assert.deepEqual(denials(verdicts), []);
    assert.ok(isAllowed(verdicts));
    for (const [at, { gate, verdict }] of verdicts.entries()) {
      assert.equal(gate, at + 1);
      assert.equal(verdict, GATES[at]?.appliesTo[op] ? "pass" : "not-applicable");
    }
    assert.equal(refusalOf(command.command, factsFor(command), verdicts), undefined);
  });
}

test("seventeen gates, numbered in order, with a title, a rule and words for every denial", () => {
  assert.equal(GATES.length, 17);
  for (const [at, gate] of GATES.entries()) {
    assert.equal(gate.number, at + 1);
    assert.ok(gate.title && gate.rule);
    for (const [code, { says, hint }] of gate.denials) assert.ok(code.startsWith(`GATE_${String(at + 1).padStart(2, "0")}_`) && says && hint);
  }
});

test("a typical accepted create, with its facts and verdicts, is small", () => {
  const command = opened("imvu.create");
  const facts = factsFor(command);
  const bytes = canonicalBytes({ facts, verdicts: judge(command, facts) } as unknown as Json).length;
  assert.ok(bytes < 4_096, `${bytes} bytes`);
});

// Arbitrary well-formed facts: each property of good facts replaced by something the schema allows too.
const count = fc.oneof(fc.nat(1_000), fc.integer({ min: 0, max: 2 ** 49 }));
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const envelope = fc.record({
  cpuMillis: fc.integer({ min: 50, max: 256_000 }),
  memoryBytes: fc.integer({ min: 16 * MIB, max: 1024 * GIB }),
  storageBytes: fc.integer({ min: 128 * MIB, max: 64 * 1024 * GIB }),
  iops: fc.integer({ min: 10, max: 1_000_000 }),
  bandwidthBps: fc.integer({ min: 1_000_000, max: 100_000_000_000 }),
  processes: fc.integer({ min: 8, max: 32_768 }),
  burst: nullable(fc.record({ factor: fc.integer({ min: 2, max: 16 }), seconds: fc.integer({ min: 1, max: 3_600 }) })),
});
const name = fc.constantFrom("owner", "maintainer", "viewer", "operator", "imvu001.world", "www.imvu001.world", "world", "imvu002.world", "EU-GDPR", "US-CCPA", "x");
const id = fc.constantFrom(OURS, THEIRS);
const figures = fc.record({ cpuMillis: count, memoryBytes: count, storageBytes: count });
const changes: fc.Arbitrary<Partial<Facts>> = fc.record(
  {
    now_ms: fc.oneof(fc.constant(NOW), count),
    suffix: name,
    nonceSeen: fc.boolean(),
    registration: nullable(fc.record({ nameTaken: fc.boolean(), keyTaken: fc.boolean() })),
    imvu: nullable(
      fc.record({
        id, owner: name, jurisdiction: name, zone: name, envelope,
        status: fc.constantFrom("creating", "active", "exiting", "exported", "exited"),
        members: fc.array(fc.record({ identity: name, role: fc.constantFrom("owner", "maintainer", "billing", "viewer") }), { maxLength: 4 }),
        counts: fc.record({ services: count, recordSets: count, mailboxes: count, routes: count, members: count }),
        mailQuotaBytes: count,
        named: fc.record({ service: fc.boolean(), recordSet: fc.boolean(), mailbox: fc.boolean(), member: fc.boolean(), route: nullable(fc.record({ ratePerMinute: nullable(count) })) }),
      }),
    ),
    newZone: nullable(name),
    zoneClaims: fc.array(fc.record({ zone: name, imvu: id }), { maxLength: 3 }),
    node: nullable(fc.record({ name, jurisdictions: fc.array(name, { maxLength: 3 }), capacity: figures, allocated: nullable(figures) })),
    used: nullable(fc.record({ memoryBytes: count, storageBytes: count, processes: count, mailboxMessages: nullable(count) })),
    meters: nullable(fc.subarray([...(factsFor(opened("imvu.exit")).meters ?? [])])),
    blobs: fc.array(fc.record({ digest: name, readable: fc.boolean(), bytes: count }), { maxLength: 2 }),
    identity: nullable(fc.record({ name, liveKeys: count, keys: count, recoveryKid: nullable(name), named: nullable(fc.constantFrom("live", "rotated", "revoked", "recovery", "pending")), pendingSince_ms: nullable(count) })),
    operators: nullable(fc.record({ count, signers: fc.array(name, { maxLength: 3 }), registered: fc.boolean(), operator: fc.boolean() })),
    consent: nullable(fc.record({ state: fc.constantFrom("none", "given", "withdrawn"), text: nullable(name) })),
    bundle: nullable(fc.record({ manifest: name, sourceId: id, zone: name, envelope, flaws: fc.array(fc.record({ gate: fc.constantFrom(2, 4, 5, 7, 8), code: fc.constantFrom("LOCAL_IMAGE", "APEX_PROTECTED", "QUOTA_EXCEEDED", "ROLE_MISSING", "NEW"), what: name }), { maxLength: 2 }), ownerKids: fc.array(name, { maxLength: 2 }) })),
    platform: fc.record({ ledgerWritable: fc.boolean(), keyLoaded: fc.boolean() }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<Facts>>;
const people = fc.uniqueArray(fc.constantFrom<Person>("owner", "maintainer", "viewer", "billing", "operator", "newcomer"), { minLength: 1, maxLength: 3 });
// Signing is the dear part, so commands are made once and drawn from.
const commands = OPS.flatMap((op) => (["owner", "maintainer", "operator"] as const).map((who) => opened(op, {}, [who]))).concat(OPS.map((op) => opened(op)));
const command = fc.constantFrom(...commands);

test("judge is total, deterministic, in order, leaves its input alone, and answers canonical JSON", () => {
  fc.assert(
    fc.property(command, changes, (one, change) => {
      const facts = factsFor(one, change);
      const before = JSON.stringify(facts);
      const verdicts = judge(one, facts);
      assert.equal(verdicts.length, 17);
      for (const [at, { gate, verdict, code }] of verdicts.entries()) {
        assert.equal(gate, at + 1);
        assert.equal(verdict === "deny", code !== undefined);
        assert.ok(code === undefined || GATES[at]?.denials.has(code), `${code} has no words: a fault or an undeclared code`);
        assert.equal(verdict === "not-applicable", GATES[at]?.appliesTo[one.command.op] === false);
      }
      assert.equal(JSON.stringify(judge(one, JSON.parse(before))), JSON.stringify(verdicts));
      assert.equal(JSON.stringify(facts), before);
      canonicalBytes(verdicts as unknown as Json);
      assert.equal(refusalOf(one.command, facts, verdicts) === undefined, isAllowed(verdicts));
    }),
    { numRuns: 800 },
  );
});

test("facts that are not facts deny at all seventeen", () => {
  const one = opened("dns.set");
  const good = factsFor(one);
  const deny = (facts: unknown) => assert.deepEqual(denials(judge(one, facts as Facts)), GATES.map(({ number }) => `GATE_${String(number).padStart(2, "0")}_FACTS`));
  fc.assert(fc.property(fc.anything({ maxDepth: 3 }), deny), { numRuns: 200 });
  for (const key of Object.keys(good)) {
    deny({ ...good, [key]: undefined });
    deny({ ...good, [key]: [1.5] });
  }
  deny({ ...good, now_ms: 2 ** 49 + 1 });
  deny({ ...good, more: 1 });
  deny({ ...good, used: { ...good.used, storageBytes: Number.NaN } });
  deny({ ...good, signatures: [] });
  deny({ ...good, signatures: [{ ...good.signatures[0], kid: KEYS.operator.kid }] });
});

test("a gate that throws denies with its fault", () => {
  const one = opened("dns.set");
  const broken = { ...GATES[3], decide: () => { throw new Error("boom"); } };
  assert.deepEqual(verdictOf(broken, one.command, factsFor(one)), { gate: 4, verdict: "deny", code: "GATE_04_FAULT" });
});

test("isAllowed wants all seventeen, in order, none denying", () => {
  const one = opened("dns.set");
  const verdicts = judge(one, factsFor(one));
  assert.ok(isAllowed(verdicts));
  assert.ok(!isAllowed(verdicts.slice(0, 16)));
  assert.ok(!isAllowed(verdicts.toReversed()));
  assert.ok(!isAllowed([]));
  assert.ok(!isAllowed(verdicts.with(4, { gate: 5, verdict: "deny", code: "X" })));
});

test("law 13: an owner's exit passes whatever else is so, while the ledger and its key work", () => {
  const exit = opened("imvu.exit");
  fc.assert(
    fc.property(changes, (change) => {
      const base = factsFor(exit, change);
      const facts = { ...base, now_ms: NOW, nonceSeen: false, platform: { ledgerWritable: true, keyLoaded: true }, blobs: [], imvu: { ...imvuOf("imvu.exit"), ...base.imvu, id: OURS, owner: imvuOf("imvu.exit").owner } };
      assert.deepEqual(denials(judge(exit, facts)), []);
    }),
    { numRuns: 500 },
  );
});

test("law 15: whatever falls without the owner's signature is denied by gate 15", () => {
  fc.assert(
    fc.property(envelope, envelope, fc.constantFrom<Person>("maintainer", "viewer", "operator"), (agreed, asked, who) => {
      const scale = opened("imvu.scale", { envelope: asked }, [who]);
      const falls =
        (["cpuMillis", "memoryBytes", "storageBytes", "iops", "bandwidthBps", "processes"] as const).some((what) => asked[what] < agreed[what]) ||
        (agreed.burst !== null && (asked.burst === null || asked.burst.factor < agreed.burst.factor || asked.burst.seconds < agreed.burst.seconds));
      const verdicts = judge(scale, factsFor(scale, { imvu: imvuOf("imvu.scale", { envelope: agreed }) }));
      assert.equal(verdicts[14]?.verdict, falls || who === "operator" ? "deny" : "pass");
    }),
    { numRuns: 300 },
  );
});

/** The commands that a recovery's own keys are for, the place of their signature, and their state. */
const RECOVERIES = [["identity.recovery.begin", 0, "recovery"], ["identity.recovery.complete", 0, "pending"]] as const;

test("no command passes without a valid signature of a live key, whoever approves", () => {
  fc.assert(
    fc.property(fc.constantFrom(...OPS), people, fc.constantFrom({ valid: false }, { status: "revoked" as const }, { status: "rotated" as const }, { status: "recovery" as const }, { status: "pending" as const }, { status: "unknown" as const }, { identity: null }), fc.nat(2), (op, signers, flaw, at) => {
      if (op === "identity.register") return;
      if ("status" in flaw && RECOVERIES.some(([its, place, status]) => its === op && place === at % signers.length && status === flaw.status)) return;
      const one = opened(op, {}, signers);
      const facts = factsFor(one);
      const signatures = facts.signatures.with(at % signers.length, { ...facts.signatures[at % signers.length], ...flaw } as Facts["signatures"][number]);
      assert.equal(judge(one, { ...facts, signatures })[0]?.verdict, "deny");
    }),
    { numRuns: 200 },
  );
});

test("law 16: a stranger is told the same whether the IMVU exists or not, and no figures", () => {
  const scoped = OPS.filter((op) => !(OPS_WITHOUT_IMVU as readonly Op[]).includes(op));
  fc.assert(
    fc.property(fc.constantFrom(...scoped), changes, (op, change) => {
      const one = opened(op, GOOD[op] as never, ["operator"]);
      const there = { ...factsFor(one, change), now_ms: NOW, nonceSeen: false, platform: { ledgerWritable: true, keyLoaded: true } };
      if (there.imvu?.members.some(({ identity }) => identity === "operator") || there.imvu?.owner === "operator") return;
      const absent = { ...factsFor(one), suffix: there.suffix, registration: there.registration, newZone: there.newZone, imvu: null };
      const [a, b] = [there, absent].map((facts) => {
        const verdicts = judge(one, facts);
        assert.ok(!isAllowed(verdicts));
        return refusalOf(one.command, facts, verdicts);
      });
      assert.deepEqual(a, b);
      assert.ok(a && !("asked" in a) && !("allowed" in a));
    }),
    { numRuns: 500 },
  );
});
