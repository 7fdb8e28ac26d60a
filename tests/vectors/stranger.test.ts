import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Currency, run, sha256Hex, type TimeZone, UTC } from "../../src/kernel/index.ts";
import { type Manifest, manifestNoteText, manifestText, sectionsOf } from "../../src/verify/index.ts";
import { type Dishonesty, fallingSteps, SyntheticWorld, withoutGaps, withoutSales, withoutSteps } from "./synthetic-world.ts";

const HERE = import.meta.dirname;
let scratch = "";
let honest = "";
let logKey = "";
let fell = "";
let sign: (text: string) => string;
let files: readonly string[] = [];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-stranger-test-"));
  honest = join(scratch, "honest");
  const world = new SyntheticWorld();
  logKey = world.log.verifierKey;
  sign = world.sign;
  await world.writeBundle(honest, "// nothing\n");
  fell = join(scratch, "fell");
  await new SyntheticWorld({ drift: true }).writeBundle(fell, "// nothing\n");
  const entries = await readdir(honest, { recursive: true, withFileTypes: true });
  files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(honest.length + 1)).sort();
});
after(() => rm(scratch, { recursive: true, force: true }));

/** -B -I: nothing is written beside the vectors, and nothing of this machine's Python is read. */
async function stranger(...args: string[]): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await run(["python3", "-B", "-I", join(HERE, "stranger.py"), ...args]);
  assert.equal(stderr, "", "a stranger's verifier does not stumble");
  return { code, said: stdout.toString("utf8").trim() };
}

describe("a verifier that follows the page and shares no code with ours", () => {
  test("agrees with every vector", async () => {
    const { code, said } = await stranger("--vectors", HERE);
    assert.equal(said, "bodies.json 84 · trees.json 998 · notes.json 64 · commands.json 70 · keys.json 33 · split.json 200 · rating.json 60 · summaries.json 125");
    assert.equal(code, 0);
  });

  test("names the file and the case of a vector that was changed", async () => {
    const dir = await mkdtemp(join(scratch, "vectors-"));
    const changes: readonly (readonly [string, RegExp, string, RegExp])[] = [
      ["bodies.json", /"leafHash":"./, '"leafHash":"_', /^WRONG: bodies\.json good 'no data'/],
      ["trees.json", /"roots": \[\n {2}"e3/, '"roots": [\n  "e4', /^WRONG: trees\.json roots 0/],
      ["notes.json", /"good":true,"origin"/, '"good":false,"origin"', /^WRONG: notes\.json checkpoints 'signed by the log'/],
      ["commands.json", /"valid":\[true,true\]/, '"valid":[true,false]', /^WRONG: commands\.json commands "two signatures/],
      ["keys.json", /"accepted":true/, '"accepted":false,"reason":"length"', /^WRONG: keys\.json keys "an owner's key"/],
      ["split.json", /"gross": "20", "creator": "11"/, '"gross": "20", "creator": "12"', /^WRONG: split\.json split '20'/],
      ["rating.json", /"compute\.cpu": "\d/, '"compute.cpu": "9', /^WRONG: rating\.json case \d+ 'compute\.cpu'/],
    ];
    for (const [file, what, instead, wrong] of changes) {
      await cp(HERE, dir, { recursive: true, filter: (path) => !/\.(ts|py)$/.test(path) });
      const text = await readFile(join(HERE, file), "utf8");
      assert.notEqual(text.replace(what, instead), text, file);
      await writeFile(join(dir, file), text.replace(what, instead));
      const { code, said } = await stranger("--vectors", dir);
      assert.deepEqual([code, wrong.test(said)], [1, true], said);
    }
  });

  test("verifies an honest bundle, with everything counted, under its own key and the one that was kept", async () => {
    const expected = `entries 38 · commands 16 · verdicts 272 · statements 3 · files ${files.length - 2}`;
    assert.deepEqual(await stranger("--bundle", honest), { code: 0, said: expected });
    assert.deepEqual(await stranger("--bundle", honest, "--log-key", logKey), { code: 0, said: expected });
  });

  test("verifies months by a clock of their own", async () => {
    for (const timeZone of ["Europe/Berlin", "Asia/Kathmandu", "Australia/Adelaide"] as TimeZone[]) {
      const dir = join(await mkdtemp(join(scratch, "zone-")), "bundle");
      await new SyntheticWorld({ timeZone, lateInTheEast: timeZone === "Europe/Berlin" }).writeBundle(dir, "// nothing\n");
      const { code, said } = await stranger("--bundle", dir);
      assert.equal(code, 0, `${timeZone}: ${said}`);
    }
  });

  test("verifies money of every kind of minor unit", async () => {
    for (const currency of ["USD", "JPY", "KWD", "CLF"] as Currency[]) {
      const dir = join(await mkdtemp(join(scratch, "money-")), "bundle");
      await new SyntheticWorld({ currency }).writeBundle(dir, "// nothing\n");
      const { code, said } = await stranger("--bundle", dir);
      assert.equal(code, 0, `${currency}: ${said}`);
    }
    const dir = join(await mkdtemp(join(scratch, "money-")), "bundle");
    await new SyntheticWorld({ alsoPrices: "JPY" as Currency }).writeBundle(dir, "// nothing\n");
    assert.equal((await stranger("--bundle", dir)).code, 0, "prices of another currency that were published last");
  });

  test("knows the commands on snapshots, and which gates judge them", async () => {
    const dir = join(await mkdtemp(join(scratch, "snapshots-")), "bundle");
    await new SyntheticWorld({ snapshots: true }).writeBundle(dir, "// nothing\n");
    assert.deepEqual(await stranger("--bundle", dir), { code: 0, said: `entries 41 · commands 18 · verdicts 306 · statements 3 · files ${files.length - 2}` });
  });

  test("knows the file of counters that fell", async () => {
    assert.equal((await stranger("--bundle", fell)).code, 0);
  });

  test("does not believe it under another log's key", async () => {
    const { code, said } = await stranger("--bundle", honest, "--log-key", new SyntheticWorld({}, "other.example/log").log.verifierKey);
    assert.equal(code, 1);
    assert.match(said, /^WRONG: MANIFEST\.sig/);
  });

  test("names the file in which a byte was flipped, at its beginning, middle and end", async () => {
    for (const path of files) {
      const bytes = await readFile(join(honest, path));
      for (const position of new Set([0, bytes.length >> 1, bytes.length - 1])) {
        if (position < 0) continue;
        const spoiled = Buffer.from(bytes);
        spoiled[position] = (spoiled[position] ?? 0) ^ 1;
        await writeFile(join(honest, path), spoiled);
        try {
          const { code, said } = await stranger("--bundle", honest);
          assert.deepEqual([code, said.startsWith(`WRONG: ${path}`)], [1, true], `${path} byte ${position}: ${said}`);
        } finally {
          await writeFile(join(honest, path), bytes);
        }
      }
    }
  });

  test("names a file that was added and one that is missing", async () => {
    await writeFile(join(honest, "compute/more"), "");
    assert.match((await stranger("--bundle", honest)).said, /^WRONG: compute\/more/);
    await rm(join(honest, "compute/more"));
    const bytes = await readFile(join(honest, "verify.mjs"));
    await rm(join(honest, "verify.mjs"));
    assert.match((await stranger("--bundle", honest)).said, /^WRONG: verify\.mjs/);
    await writeFile(join(honest, "verify.mjs"), bytes);
  });
});

describe("a bundle that its own log signed again", () => {
  const withoutLine = (at: number) => (text: string) => text.split("\n").toSpliced(at, 1).join("\n");
  const changes: Readonly<Record<string, readonly [Readonly<Record<string, (text: string) => string>>, RegExp, ((manifest: Manifest) => Manifest)?]>> = {
    "another hash in a proof": [{ "ledger/proofs/events.jsonl": (text) => text.replace(/"proof":\["./, (start) => `${start.slice(0, -1)}${start.endsWith("A") ? "B" : "A"}`) }, /^ledger\/events\.jsonl entry \d+: not in the tree/],
    "another leaf in a proof": [{ "ledger/proofs/platform.jsonl": (text) => text.replace(/"leaf":"./, (start) => `${start.slice(0, -1)}${start.endsWith("A") ? "B" : "A"}`) }, /^ledger\/platform\.jsonl entry 0: not the body/],
    "a proof without its entry": [{ "ledger/events.jsonl": withoutLine(2) }, /^ledger\/proofs\/events\.jsonl: /],
    "an entry left out with its proof": [{ "ledger/events.jsonl": withoutLine(2), "ledger/proofs/events.jsonl": withoutLine(2) }, /^ledger\/events\.jsonl entry \d+: number 3/],
    "the last entry left out with its proof": [{ "ledger/events.jsonl": withoutLine(-2), "ledger/proofs/events.jsonl": withoutLine(-2) }, /^ledger\/events\.jsonl: ends at/],
    "an audit line left out": [{ "ledger/audit/commands.jsonl": withoutLine(0) }, /^ledger\/audit\/commands\.jsonl: not what/],
    "another sum in the revenue file": [{ "ledger/revenue/2026-11-ledger.csv": (text) => text.replace("creator 55%", "creator 54%") }, /^ledger\/revenue\/2026-11-ledger\.csv: not what/],
    "another word about a counter that fell": [{ "ledger/audit/drift.jsonl": (text) => text.replace('"now":"4"', '"now":"5"') }, /^ledger\/audit\/drift\.jsonl: not what/],
    "another name for a key": [{ "ledger/keys.txt": (text) => text.replace("identity creator-8891", "identity creator-8892") }, /^ledger\/keys\.txt: not what/],
    "another command named as the exit": [{}, /^MANIFEST\.json exit: /, (manifest) => ({ ...manifest, exit: manifest.exit && { ...manifest.exit, index: manifest.exit.index - 1 } })],
  };
  for (const [what, [texts, wrong, change]] of Object.entries(changes)) {
    test(`is named where it is wrong: ${what}`, async () => {
      const dir = await mkdtemp(join(scratch, "signed-again-"));
      await cp("ledger/audit/drift.jsonl" in texts ? fell : honest, dir, { recursive: true });
      const manifest = JSON.parse(await readFile(join(dir, "MANIFEST.json"), "utf8")) as Manifest;
      for (const [path, spoil] of Object.entries(texts)) {
        const text = await readFile(join(dir, path), "utf8");
        assert.notEqual(spoil(text), text, path);
        await writeFile(join(dir, path), spoil(text));
      }
      const listed = await Promise.all(manifest.files.map(async (file) => {
        const bytes = await readFile(join(dir, file.path));
        return { ...file, bytes: bytes.length, sha256: sha256Hex(bytes) };
      }));
      const again = { ...manifest, files: listed, sections: sectionsOf(listed) };
      const text = manifestText(change?.(again) ?? again);
      await writeFile(join(dir, "MANIFEST.json"), text);
      await writeFile(join(dir, "MANIFEST.sig"), sign(manifestNoteText(manifest.imvu, Buffer.from(text))));
      const { code, said } = await stranger("--bundle", dir);
      assert.equal(code, 1, said);
      assert.match(said.replace(/^WRONG: /, ""), wrong);
    });
  }
});

/** A summary with other words in place of some. */
function told(word: string, other: string): NonNullable<Dishonesty["summary"]> {
  return (made) => JSON.parse(JSON.stringify(made).replaceAll(word, other));
}

describe("a log that lies before it signs", () => {
  const lies: Readonly<Record<string, readonly [Dishonesty, RegExp]>> = {
    "the creator's share is a unit too small": [{ statement: (made) => ({ ...made, creator: made.creator.replace(/.$/, (digit) => String((Number(digit) + 9) % 10)) }) }, /\(statement\.closed\): 2026-11 creator/],
    "a statement that did not know the last readings": [{ headBack: 1 }, /closed without reading/],
    "a month closed twice": [{ closedTwice: true }, /another statement after the closed one/],
    "a nonce used twice": [{ replay: true }, /a nonce used before/],
    "a key believed before it was registered": [{ lateKey: true }, /facts about signatures/],
    "a key believed after it gave way to another": [{ oldKey: true }, /facts about signatures/],
    "a recovery key that commands": [{ recoveryCommands: true }, /facts about signatures/],
    "a refusal whose verdicts all pass": [
      { command: (record, op) => (op === "dns.remove" ? { ...record, verdicts: (record["verdicts"] as { verdict: string }[]).map((one) => (one.verdict === "deny" ? { ...one, verdict: "pass" } : one)) } : record) },
      /against its verdicts/,
    ],
    "a resource read twice at once": [{ reading: (set, at) => (at === 2 ? { ...set, readings: [...set.readings, ...set.readings.slice(0, 1)] } : set) }, /\(meter\.reading\)/],
    "a summary that tells another value before the month's end": [{ summary: told("31500000000", "31499999999") }, /\(statement\.closed\): 2026-11 (lines|usage)/],
    "a summary that tells another level": [{ summary: told("4000000001", "4000000000") }, /\(statement\.closed\): 2026-11 (lines|usage)/],
    "a level that changed a millisecond sooner than a summary says": [{ summary: (made) => ({ ...made, levels: made.levels.map((one, at) => (at === 1 ? one + 1 : one)) }) }, /\(statement\.closed\): 2026-11 (lines|usage)/],
    "a summary of more than half an hour": [{ summary: (made) => ({ ...made, from: "2026-11-30T23:31:59.999Z" }) }, /\(meter\.reading\).*more than half an hour/],
    "a summary of a word too few": [{ summary: told("31500000000 ", "") }, /\(meter\.reading\).*2 words for 3 instants/],
    "a gate that says pass where it does not judge": [
      { command: (record, op) => (op === "imvu.scale" ? { ...record, verdicts: (record["verdicts"] as { gate: number }[]).map((one) => (one.gate === 2 ? { gate: 2, verdict: "pass" } : one)) } : record) },
      /gate 2 does not judge imvu\.scale/,
    ],
    "a restore that gate 12 is said not to judge": [
      { snapshots: true, command: (record, op) => (op === "imvu.snapshot.restore" ? { ...record, verdicts: (record["verdicts"] as { gate: number }[]).map((one) => (one.gate === 12 ? { gate: 12, verdict: "not-applicable" } : one)) } : record) },
      /against its verdicts|gate 12 judges imvu\.snapshot\.restore/,
    ],
    "a gate that is passed over where it judges": [
      { command: (record, op) => (op === "imvu.scale" ? { ...record, verdicts: (record["verdicts"] as { gate: number }[]).map((one) => (one.gate === 7 ? { gate: 7, verdict: "not-applicable" } : one)) } : record) },
      /gate 7 judges imvu\.scale/,
    ],
    "an outcome of a command that stands elsewhere": [{ data: (data, type) => (type === "effect.applied" ? { ...(data as object), intent: 0 } : data) }, /an outcome without an intent/],
    "a body that went and nobody ordered it": [{ erasure: "unordered" }, /nothing ordered it/],
    "a body that was ordered erased and stands": [{ erasure: "standing" }, /was ordered erased, and stands/],
    "an order that takes more along than it names": [{ erasure: "more" }, /erases something else/],
    "prices that change with less than thirty days' notice": [{ noticeDays: 29 }, /announced 30 days/],
    "a sale that is booked twice": [{ sales: "twice" }, /order-17 is booked twice/],
    "a correction by nothing": [{ sales: "nothing" }, /a correction by nothing/],
    "more paid back than was sold": [{ sales: "more" }, /more is paid back than is left of order-17/],
    "a correction that takes more than was paid back": [{ correction: (made) => ({ ...made, total: { ...made.total, creator: made.total.platform } }) }, /2026-11 correction/],
    "a late refund that nothing corrected": [{ uncorrected: true }, /no correction knows entry \d+/],
    "a statement without what was sold": [{ statement: withoutSales }, /statement\.closed/],
    "a month without readings that no flag names": [{ statement: withoutGaps }, /statement\.closed/],
    "months by another clock than was agreed": [{ timeZone: "Europe/Berlin" as TimeZone, closesBy: UTC }, /2026-11 (timeZone|lines|usage|revenue|readings)/],
    "a month with another end than its clock's": [{ timeZone: "Europe/Berlin" as TimeZone, statement: (made) => ({ ...made, end: "2026-12-01T00:00:00.000Z" }) }, /2026-11 end/],
    "a document that says another clock": [{ timeZone: "Europe/Berlin" as TimeZone, documentSays: UTC }, /^WRONG: identity\/imvu\.json/],
    "prices in time by UTC and too late by the unit's clock": [{ timeZone: "Asia/Tokyo" as TimeZone, lateInTheEast: true }, /by the clock of Asia\/Tokyo/],
    "a statement by another currency's tariff": [{ currency: "JPY" as Currency, citesFirst: true }, /2026-11 (currency|tariffIndex|lines|payout)/],
    "a sale in another currency than the unit's": [{ currency: "JPY" as Currency, sellsIn: "EUR" }, /order-17 is in EUR/],
    "a unit in a currency without prices": [{ currency: "JPY" as Currency, withoutPrices: true }, /no tariff in JPY before/],
    "a statement in an older form than the one before it": [{ forms: { "2026-12": 2 } }, /statement\.closed/],
    "a statement by a tariff's first prices alone": [{ statement: withoutSteps }, /statement\.closed/],
    "a tariff whose steps fall": [{ data: fallingSteps }, /step/],
    "a law that was never published": [{ command: (record, op) => (op === "imvu.scale" ? { ...record, law: "0".repeat(64) } : record) }, /law/],
    "another digest": [{ command: (record, op) => (op === "imvu.scale" ? { ...record, digest: "0".repeat(64) } : record) }, /digest/],
  };
  for (const [what, [lie, wrong]] of Object.entries(lies)) {
    test(`is found out: ${what}`, async () => {
      const dir = join(await mkdtemp(join(scratch, "lie-")), "bundle");
      await new SyntheticWorld(lie).writeBundle(dir, "// nothing\n");
      const { code, said } = await stranger("--bundle", dir);
      assert.equal(code, 1, said);
      assert.match(said, wrong);
    });
  }
});
