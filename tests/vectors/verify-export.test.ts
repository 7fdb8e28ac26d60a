import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { SignedCommand } from "../../src/contract/index.ts";
import type { Statement } from "../../src/core/handshake/index.ts";
import { cosign, cosigner, withSignatureLines } from "../../src/core/ledger/pure.ts";
import { packBundle } from "../../src/imvu/export/index.ts";
import { type Json, run, sha256Hex, type Currency, type TimeZone, UTC } from "../../src/kernel/index.ts";
import { countsLine, erasedLine, type Manifest, manifestNoteText, manifestText, sectionsOf, type Verification, verifyExport } from "../../src/verify/index.ts";
import { buildVerifier } from "../../tools/build-verifier.ts";
import { type Dishonesty, fallingSteps, IMVU, SyntheticWorld, withoutGaps, withoutSales, withoutSteps } from "./synthetic-world.ts";

let scratch = "";
let honest = "";
let world: SyntheticWorld;
let files: readonly string[] = [];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-verify-test-"));
  honest = join(scratch, `${IMVU}-honest`);
  world = new SyntheticWorld();
  await world.writeBundle(honest, "// nothing\n");
  files = (await filesIn(honest)).sort();
});
after(() => rm(scratch, { recursive: true, force: true }));

async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

/** A copy to spoil, gone afterwards. */
async function withCopy(spoil: (dir: string) => Promise<void>, of = honest): Promise<Verification> {
  const dir = await mkdtemp(join(scratch, "copy-"));
  try {
    await cp(of, dir, { recursive: true });
    await spoil(dir);
    return await verifyExport(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** One bit wrong while it is verified, then right again: the honest bundle itself, not a copy of it. */
async function withFlipped(path: string, position: number, bit: number): Promise<Verification> {
  await flip(join(honest, path), position, bit);
  try {
    return await verifyExport(honest);
  } finally {
    await flip(join(honest, path), position, bit);
  }
}

async function flip(path: string, position: number, bit: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ (1 << bit);
  await writeFile(path, bytes);
}

function named(verification: Verification, what: RegExp, message: string): void {
  assert.equal(verification.ok, false, `${message}: nothing was found`);
  assert.match(verification.failures[0]?.what ?? "", what, message);
}

describe("an honest bundle", () => {
  test("verifies, with everything counted", async () => {
    const verification = await verifyExport(honest);
    assert.deepEqual(verification.failures, []);
    assert.equal(verification.ok, true);
    assert.equal(countsLine(verification), `entries 38/38 · commands 16/16 · verdicts 272/272 · statements 3/3 · files ${files.length - 2}/${files.length - 2}`);
  });

  test("with snapshots in it verifies: what was captured, and what was refused because nothing was", async () => {
    const verification = await lying({ snapshots: true });
    assert.deepEqual(verification.failures, []);
    assert.equal(countsLine(verification), `entries 41/41 · commands 18/18 · verdicts 306/306 · statements 3/3 · files ${files.length - 2}/${files.length - 2}`);
  });

  test("with a counter that fell says so in a file of its own, which is what the entry says or is named", async () => {
    const fell = join(scratch, "fell");
    await new SyntheticWorld({ drift: true }).writeBundle(fell, "// nothing\n");
    const { failures, counts } = await verifyExport(fell);
    assert.deepEqual([failures, counts.files], [[], files.length - 1]);
    const drift = "ledger/audit/drift.jsonl";
    assert.match(await readFile(join(fell, drift), "utf8"), /^\{"index":\d+,"time":"2026-11-\S+Z","what":"counter-fell","at":"2026-11-03T09:00:00\.000Z","series":"dns\.answers boot b1 epoch e1","was":"9","now":"4"\}\n$/);
    for (const edit of [(lines: string[]) => lines.map((line) => line.replace('"now":"4"', '"now":"8"')), () => [], (lines: string[]) => [...lines, ...lines]]) named(await resigned((dir) => editLines(dir, drift, edit), fell), /audit\/drift/, "another");
    named(await resigned(async (dir, manifest) => {
      await rm(join(dir, drift));
      Object.assign(manifest, { files: manifest.files.filter(({ path }) => path !== drift) });
    }, fell), /audit\/drift/, "none");
  });

  test("is the same bytes in every run", async () => {
    const dir = join(scratch, "again");
    await new SyntheticWorld().writeBundle(dir, "// nothing\n");
    for (const path of files) assert.deepEqual(await readFile(join(dir, path)), await readFile(join(honest, path)), path);
  });

  test("verifies as an archive, and leaves nothing of it behind", async () => {
    const manifest = JSON.parse(await readFile(join(honest, "MANIFEST.json"), "utf8")) as Manifest;
    const { archive } = await packBundle({ dir: honest, manifest, manifestSha256: sha256Hex("") });
    const scratchDir = await mkdtemp(join(scratch, "unpack-"));
    const verification = await verifyExport(archive, { scratchDir });
    assert.deepEqual(verification.failures, []);
    assert.deepEqual(await readdir(scratchDir), []);
    await flip(archive, Math.floor((await stat(archive)).size / 2), 3);
    assert.equal((await verifyExport(archive, { scratchDir })).ok, false);
    assert.deepEqual(await readdir(scratchDir), []);
  });

  test("is believed under its own log's key only", async () => {
    assert.equal((await verifyExport(honest, { logKey: world.log.verifierKey })).ok, true);
    const other = new SyntheticWorld({}, "other.example/log").log.verifierKey;
    named(await verifyExport(honest, { logKey: other }), /MANIFEST\.sig/, "another log's key");
  });

  test("nothing at all is a fault that says what to give", async () => {
    await assert.rejects(verifyExport(join(scratch, "nowhere")), { code: "BUNDLE_MISSING" });
    named(await verifyExport(await mkdtemp(join(scratch, "empty-"))), /MANIFEST\.json/, "an empty folder");
  });
});

describe("a spoiled copy", () => {
  test("one flipped bit in any file, at its beginning, middle and end, is found and the file is named", async () => {
    for (const path of files) {
      const { size } = await stat(join(honest, path));
      for (const [at, position] of [0, size >> 1, size - 1].entries()) {
        const verification = await withFlipped(path, position, at);
        named(verification, new RegExp(`^${path.replaceAll(/[.+]/g, "\\$&")}`), `${path} byte ${position}`);
      }
    }
  });

  test("one flipped bit in any byte of the signature is found", async () => {
    const { size } = await stat(join(honest, "MANIFEST.sig"));
    for (let position = 0; position < size; position += 5) {
      named(await withFlipped("MANIFEST.sig", position, position % 8), /^MANIFEST/, `byte ${position}`);
    }
  });

  test("a manifest that says anything else, in good form, is not the one that was signed", async () => {
    const edits: ((manifest: Manifest) => object)[] = [
      () => ({ toolVersion: "0.1.1" }),
      () => ({ createdAt: "2026-12-01T00:04:00.001Z" }),
      () => ({ imvu: "IMVU-043" }),
      () => ({ exit: null }),
      ({ ledger }) => ({ ledger: { ...ledger, index: ledger.index + 1 } }),
      () => ({ notIncluded: [] }),
    ];
    for (const edit of edits) {
      const edited = await withCopy(async (dir) => {
        const manifest = JSON.parse(await readFile(join(dir, "MANIFEST.json"), "utf8")) as Manifest;
        await writeFile(join(dir, "MANIFEST.json"), manifestText({ ...manifest, ...edit(manifest) } as Manifest));
      });
      named(edited, /^MANIFEST\.json$/, edit.toString());
    }
  });

  test("a file that is missing, added, longer, or swapped with another is named", async () => {
    for (const path of files) named(await withCopy((dir) => rm(join(dir, path))), new RegExp(path.replaceAll("+", "\\+")), `without ${path}`);
    named(await withCopy((dir) => writeFile(join(dir, "compute/extra"), "x")), /compute\/extra/, "added");
    named(await withCopy((dir) => writeFile(join(dir, "REPORT.md"), "x", { flag: "a" })), /REPORT\.md/, "longer");
    const swapped = await withCopy(async (dir) => {
      const [a, b] = [join(dir, "identity/owner.json"), join(dir, "identity/members.json")];
      await rename(a, join(dir, "aside"));
      await rename(b, a);
      await rename(join(dir, "aside"), b);
    });
    named(swapped, /identity\/(owner|members)\.json/, "swapped");
    assert.equal(swapped.failuresTotal, 2);
  });

  test("a link is not followed, wherever it points", async () => {
    const linked = await withCopy(async (dir) => {
      await rename(join(dir, "REPORT.md"), join(scratch, "REPORT.md"));
      await symlink(join(scratch, "REPORT.md"), join(dir, "REPORT.md"));
    });
    named(linked, /REPORT\.md/, "link");
  });
});

/** What a platform can do that signs a new manifest over an altered bundle: the ledger must catch it. */
async function resigned(edit: (dir: string, manifest: Manifest) => Promise<void>, of = honest): Promise<Verification> {
  return await withCopy(async (dir) => {
    const manifest = JSON.parse(await readFile(join(dir, "MANIFEST.json"), "utf8")) as Manifest;
    await edit(dir, manifest);
    for (const file of manifest.files) {
      const content = await readFile(join(dir, file.path));
      Object.assign(file, { bytes: content.length, sha256: sha256Hex(content) });
    }
    const text = Buffer.from(manifestText({ ...manifest, sections: sectionsOf(manifest.files) }));
    await writeFile(join(dir, "MANIFEST.json"), text);
    await writeFile(join(dir, "MANIFEST.sig"), world.sign(manifestNoteText(IMVU, text)));
  }, of);
}

const SALES = "ledger/revenue/sales.jsonl";
async function withoutSalesFile(dir: string, manifest: Manifest): Promise<void> {
  await rm(join(dir, SALES));
  Object.assign(manifest, { files: manifest.files.filter(({ path }) => path !== SALES) });
}

async function editLines(dir: string, path: string, edit: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(join(dir, path), "utf8")).split("\n").slice(0, -1);
  await writeFile(join(dir, path), edit(lines).map((line) => `${line}\n`).join(""));
}

async function editEvents(dir: string, edit: (lines: string[]) => string[]): Promise<void> {
  await editLines(dir, "ledger/events.jsonl", edit);
  await editLines(dir, "ledger/proofs/events.jsonl", edit);
}

describe("a bundle that its platform altered and signed again", () => {
  test("unaltered and signed again it verifies: the tests below fail for their own reason", async () => {
    assert.deepEqual((await resigned(async () => {})).failures, []);
  });

  test("a checkpoint with witnesses' cosignatures below is the same checkpoint; one without the log's line is none", async () => {
    const witness = cosigner("witness.example/w1", generateKeyPairSync("ed25519").privateKey);
    const checkpointed = (change: (note: string, text: string) => string) =>
      resigned(async (dir, manifest) => {
        const note = manifest.ledger.checkpoint;
        const changed = change(note, note.slice(0, note.lastIndexOf("\n\n") + 1));
        await writeFile(join(dir, "ledger/checkpoint"), changed);
        Object.assign(manifest.ledger, { checkpoint: changed });
      });
    assert.deepEqual((await checkpointed((note, text) => withSignatureLines(note, [cosign(text, witness, 1_800_000_000)]))).failures, []);
    named(await checkpointed((_, text) => `${text}\n${cosign(text, witness, 1_800_000_000)}`), /checkpoint/, "a witness's line only");
  });

  test("one flipped bit in any file of the ledger", async () => {
    const proven = files.filter((path) => path.startsWith("ledger/") && !path.startsWith("ledger/compliance/"));
    assert.equal(proven.length, 14);
    for (const path of proven) {
      const { size } = await stat(join(honest, path));
      for (const [at, position] of [0, size >> 1, size - 2].entries()) {
        const verification = await resigned((dir) => flip(join(dir, path), position, at));
        assert.equal(verification.ok, false, `${path} byte ${position}`);
      }
    }
  });

  test("an entry dropped in the middle, at the end, or put elsewhere", async () => {
    named(await resigned((dir) => editEvents(dir, (lines) => lines.toSpliced(3, 1))), /events\.jsonl entry/, "dropped");
    named(await resigned((dir) => editEvents(dir, (lines) => lines.slice(0, -1))), /events\.jsonl/, "end dropped");
    named(await resigned((dir) => editEvents(dir, (lines) => lines.with(2, lines[3] as string).with(3, lines[2] as string))), /entry/, "swapped");
    named(await resigned((dir) => editEvents(dir, (lines) => [...lines, lines[0] as string])), /entry/, "twice");
    named(await resigned((dir) => editLines(dir, "ledger/proofs/events.jsonl", (lines) => lines.slice(0, -1))), /entry/, "proof dropped");
    named(await resigned((dir) => editLines(dir, "ledger/proofs/events.jsonl", (lines) => [...lines, lines[0] as string])), /proofs/, "proof added");
    named(await resigned((dir) => editEvents(dir, () => [])), /events\.jsonl/, "all dropped");
    const shorter = resigned(async (dir, manifest) => {
      await editEvents(dir, (lines) => lines.slice(0, -1));
      Object.assign(manifest.ledger, { index: world.exit.index - 1 });
    });
    named(await shorter, /MANIFEST\.json exit/, "the exit itself dropped");
  });

  test("a proof that is another's, a commitment that is none, entries out of order", async () => {
    const proofs = (change: (proof: { index: number; leaf: string; proof: string[] }) => object) =>
      resigned((dir) => editLines(dir, "ledger/proofs/events.jsonl", (lines) => lines.with(4, JSON.stringify({ ...JSON.parse(lines[4] as string), ...change(JSON.parse(lines[4] as string)) }))));
    named(await proofs(({ index }) => ({ index: index + 1 })), /events\.jsonl entry/, "index");
    named(await proofs(() => ({ leaf: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" })), /events\.jsonl entry/, "leaf");
    named(await proofs(({ proof }) => ({ proof: proof.slice(1) })), /events\.jsonl entry/, "path");
    const swapped = resigned(async (dir) => {
      for (const path of ["ledger/platform.jsonl", "ledger/proofs/platform.jsonl"]) await editLines(dir, path, ([a, b, ...more]) => [b as string, a as string, ...more]);
    });
    named(await swapped, /platform\.jsonl entry/, "order");
  });

  test("another history under the same key, consistent in itself, is not the one that the checkpoint signs", async () => {
    const other = join(await mkdtemp(join(scratch, "other-")), "bundle");
    await new SyntheticWorld({ data: (data, type) => (type === "effect.applied" ? { ...(data as object), observed: "something else" } : data) }).writeBundle(other, "");
    assert.equal((await verifyExport(other)).ok, true);
    const mixed = await resigned((dir) => cp(join(other, "ledger"), join(dir, "ledger"), { recursive: true, filter: (path) => !path.endsWith("checkpoint") }));
    named(mixed, /events\.jsonl entry|identities\.jsonl entry|platform\.jsonl entry/, "history");
    assert.match(mixed.failures[0]?.found ?? "", /no inclusion/);
  });

  test("a registration, a tariff or the law left out", async () => {
    const without = (group: string, at: number) =>
      resigned(async (dir) => {
        await editLines(dir, `ledger/${group}.jsonl`, (lines) => lines.toSpliced(at, 1));
        await editLines(dir, `ledger/proofs/${group}.jsonl`, (lines) => lines.toSpliced(at, 1));
      });
    named(await without("identities", 0), /signature 1/, "owner");
    named(await without("identities", 1), /signature 1/, "stranger");
    named(await without("platform", 1), /law/, "law");
    named(await without("platform", 2), /command\.accepted/, "tariff");
  });

  test("a file that repeats the ledger says something else", async () => {
    const csv = resigned((dir) => editLines(dir, "ledger/revenue/2026-11-ledger.csv", (lines) => lines.map((line) => line.replace("platform 45%", "platform 46%"))));
    named(await csv, /revenue\/2026-11/, "csv");
    named(await resigned((dir) => editLines(dir, "ledger/audit/refusals.jsonl", (lines) => lines.slice(1))), /refusals/, "refusal left out");
    named(await resigned((dir) => editLines(dir, "ledger/keys.txt", (lines) => lines.slice(0, -1))), /keys\.txt/, "key left out");
    const renamed = resigned(async (dir, manifest) => {
      await rename(join(dir, "ledger/revenue/2026-11-ledger.csv"), join(dir, "ledger/revenue/2026-10-ledger.csv"));
      const file = manifest.files.find(({ path }) => path.endsWith("2026-11-ledger.csv"));
      Object.assign(file ?? {}, { path: "ledger/revenue/2026-10-ledger.csv" });
    });
    named(await renamed, /revenue/, "csv renamed");
    const added = resigned(async (dir, manifest) => {
      const [first] = manifest.files;
      await writeFile(join(dir, "ledger/audit/drift.jsonl"), "{}\n");
      if (first) manifest.files.push({ ...first, path: "ledger/audit/drift.jsonl" as typeof first.path, section: "ledger" });
    });
    named(await added, /audit\/drift/, "a file that no entry accounts for");
  });
});

/** What a platform can do that lies in the log itself, before it signs: every proof is good, and the truth must be derived again. */
async function lying(lies: Dishonesty): Promise<Verification> {
  const dir = join(await mkdtemp(join(scratch, "lying-")), "bundle");
  await new SyntheticWorld(lies).writeBundle(dir, "// nothing\n");
  return await verifyExport(dir);
}

type Verdicts = { gate: number; verdict: string; code?: string }[];

describe("a log that lies", () => {
  const atScale = (change: (record: Record<string, unknown>) => Record<string, unknown>): Dishonesty => ({ command: (record, op) => (op === "imvu.scale" ? change(record) : record) });

  test("a verdict that the facts do not give", async () => {
    const changed = atScale((record) => ({ ...record, verdicts: (record.verdicts as Verdicts).map((one) => (one.gate === 7 ? { ...one, verdict: "not-applicable" } : one)) }));
    const verification = await lying(changed);
    named(verification, /imvu\.scale|command\.accepted\) gate 7/, "altered verdict");
    assert.equal(verification.of.verdicts - verification.counts.verdicts, 1);
    assert.equal(verification.of.commands - verification.counts.commands, 1);
    named(await lying(atScale((record) => ({ ...record, verdicts: (record.verdicts as Verdicts).slice(0, 16) }))), /gate 17/, "sixteen");
    named(await lying(atScale((record) => ({ ...record, verdicts: [...(record.verdicts as Verdicts), { gate: 18, verdict: "pass" }] }))), /verdicts/, "eighteen");
  });

  test("a restore that would have been allowed by a snapshot that is in no fact", async () => {
    const fresh = (record: Record<string, unknown>, op: string) => (op === "imvu.snapshot.restore" ? { ...record, facts: { ...(record.facts as { now_ms: number }), snapshots: { count: 1, fresh: { id: "S1", at_ms: (record.facts as { now_ms: number }).now_ms }, rested_ms: null } } } : record);
    named(await lying({ snapshots: true, command: fresh }), /command\.refused\) gate 12/, "facts that allow what was refused");
    const without = (record: Record<string, unknown>, op: string) => (op === "imvu.snapshot.create" ? { ...record, facts: { ...(record.facts as object), snapshots: null } } : record);
    named(await lying({ snapshots: true, command: without }), /command\.accepted\) gate 7/, "an accepted capture whose facts say nothing");
  });

  test("an acceptance where a gate denies, with honest verdicts", async () => {
    const foreign = { command: (record: Record<string, unknown>, op: string) => (op === "imvu.scale" ? { ...record, facts: { ...(record.facts as object), node: null } } : record) };
    const verification = await lying(foreign);
    named(verification, /command\.accepted\) gate \d+/, "facts that deny");
    assert.ok(verification.failures.some(({ expected }) => expected.startsWith("a refusal")));
  });

  test("facts about a signature that its bytes do not bear out", async () => {
    const signaturesOf = (record: Record<string, unknown>) => (record.facts as { signatures: Record<string, unknown>[] }).signatures;
    const claim = (change: object): Dishonesty => ({
      command: (record, op) => (op === "dns.remove" ? { ...record, facts: { ...(record.facts as object), signatures: signaturesOf(record).map((one) => ({ ...one, ...change })) } } : record),
    });
    named(await lying(claim({ identity: "creator-8891", status: "live", valid: true })), /signature 1/, "an owner's name on nobody's signature");
    named(await lying(claim({ status: "revoked" })), /signature 1/, "a revocation that the ledger does not know");
    named(await lying({ lateKey: true }), /command\.refused\) signature 1/, "a key that was registered only later");
    named(await lying({ oldKey: true }), /signature 1/, "a key that gave way to another");
    named(await lying({ recoveryCommands: true }), /signature 1/, "a recovery key that commands");
    const swap = (signed: SignedCommand): SignedCommand => ({ ...signed, signatures: signed.signatures.map((one) => ({ ...one, signature: `${one.signature.startsWith("A") ? "B" : "A"}${one.signature.slice(1)}` })) });
    named(await lying(atScale((record) => ({ ...record, jws: swap(record.jws as SignedCommand) }))), /signature 1/, "another signature");
  });

  test("another digest, another law, a command that is none, a replay", async () => {
    named(await lying(atScale((record) => ({ ...record, digest: sha256Hex("other") }))), /digest/, "digest");
    named(await lying(atScale((record) => ({ ...record, law: sha256Hex("no law") }))), /law/, "law");
    await assert.rejects(lying(atScale((record) => ({ ...record, jws: { payload: "x", signatures: [] } }))), { code: "LEDGER_BROKEN" });
    named(await lying({ replay: true }), /command\.accepted/, "replay");
  });

  test("an effect without the intent before it", async () => {
    const detached = (data: Json, type: string): Json => (type === "effect.applied" ? { ...(data as object), digest: sha256Hex("other") } : data);
    named(await lying({ data: detached }), /effect\.applied/, "effect");
  });

  test("a statement that leaves out a reading of its period, though it names an honest head", async () => {
    named(await lying({ headBack: 1 }), /statement\.closed\) 2026-11/, "an early head");
    named(await lying({ statement: (made) => ({ ...made, streamHead: { streamSeq: made.streamHead?.streamSeq ?? 0, sha256: sha256Hex("no entry") } }) }), /streamHead/, "a head that is no entry");
    named(await lying({ statement: (made) => ({ ...made, streamHead: null }) }), /statement\.closed/, "no head");
    named(await lying({ statement: (made) => ({ ...made, streamHead: { streamSeq: 999, sha256: sha256Hex("") } }) }), /statement\.closed/, "a head to come");
    named(await lying({ closedTwice: true }), /statement\.closed\) 2026-11/, "closed twice");
  });

  test("a body that went and nobody ordered it, one that was ordered and stands, an order that takes more along than it names", async () => {
    named(await lying({ erasure: "unordered" }), /^ledger\/events\.jsonl entry \d+/, "unordered");
    named(await lying({ erasure: "standing" }), /^entry \d+/, "standing");
    named(await lying({ erasure: "more" }), /effect\.applied\) erased/, "more");
    named(await resigned((dir) => editEvents(dir, (lines) => lines.map((line) => line.replace(/^(\{"index":\d+,"erased":")(.)/, (_, start, digit) => `${start}${digit === "a" ? "b" : "a"}`)))), /events\.jsonl entry/, "another commitment");
    named(await resigned((dir) => editLines(dir, "ledger/platform.jsonl", (lines) => lines.map((line, at) => (at === 0 ? erasedLine(0, (world.log.all[0] as { leaf: Buffer }).leaf.toString("hex")) : line)))), /entry 0/, "of the platform's own words");
  });

  test("a reading that comes while an open statement is drawn is simply not in it", async () => {
    const verification = await lying({ late: true });
    assert.deepEqual(verification.failures, []);
    assert.equal(verification.counts.statements, 3);
  });

  test("a statement that differs by one unit anywhere", async () => {
    const oneMore = (amount: string) => `${amount.slice(0, -1)}${(Number(amount.slice(-1)) + 1) % 10}`;
    for (const key of ["gross", "creator", "platform"] as const) {
      named(await lying({ statement: (made) => ({ ...made, [key]: oneMore(made[key]) }) }), new RegExp(`statement\\.closed\\) 2026-11 ${key}`), key);
    }
    const line = await lying({ statement: (made) => ({ ...made, lines: made.lines.map((one, at) => (at === 0 ? { ...one, amount: oneMore(one.amount) } : one)) }) });
    named(line, /lines\.0\.amount/, "amount");
    assert.equal(line.of.statements - line.counts.statements, 2);
    named(await lying({ statement: (made) => ({ ...made, closed: !made.closed }) }), /closed/, "closed");
    named(await lying({ statement: (made) => ({ ...made, period: "2026-10" }) }), /statement\.closed/, "another period");
    named(await lying({ statement: (made) => ({ ...made, period: "never" }) }), /statement\.closed/, "no period");
  });

  test("sales that are booked twice, paid back beyond what was sold, corrected by something else, or not at all", async () => {
    named(await lying({ sales: "twice" }), /^entry \d+ \(command\.accepted\)/, "twice");
    named(await lying({ sales: "more" }), /^entry \d+ \(command\.accepted\)/, "more");
    named(await lying({ uncorrected: true }), /statement\.closed\) 2026-12/, "uncorrected");
    for (const key of ["gross", "creator", "platform"] as const) named(await lying({ correction: (made) => ({ ...made, [key]: made.total[key] }) }), new RegExp(`statement\\.corrected\\) 2026-11 ${key}`), key);
    named(await lying({ correction: (made) => ({ ...made, payout: { ...made.payout, creator: "0.00" } }) }), /payout\.creator/, "payout");
    named(await lying({ correction: (made) => ({ ...made, corrects: made.corrects - 1 }) }), /corrects/, "corrects");
    named(await lying({ correction: (made) => ({ ...made, period: "2026-12" }) }), /statement\.corrected/, "an open month");
    named(await lying({ correction: (made) => ({ ...made, streamHead: { ...made.streamHead, streamSeq: 0 } }) }), /statement\.corrected/, "by nothing");
    named(await lying({ sales: "nothing" }), /statement\.corrected/, "by nothing");
    named(await lying({ statement: withoutSales }), /statement\.closed\) 2026-11/, "without what was sold");
    named(await lying({ statement: withoutGaps }), /statement\.closed\) 2026-11 flag/, "without its gaps");
    named(await lying({ forms: { "2026-12": 2 } }), /statement\.closed\) 2026-12/, "an older form than the one before");
    for (const later of [2, 3] as const) assert.deepEqual((await lying({ forms: { "2026-11": 2, "2026-12": later } })).failures, []);
    named(await lying({ statement: withoutSteps }), /statement\.closed\) 2026-11 /, "by a tariff's first prices alone");
    named(await lying({ data: fallingSteps }), /platform\.tariff/, "a tariff whose steps fall");
    named(await lying({ statement: (made) => ({ ...made, fee: "0.01" }) as Statement }), /fee/, "a fee");
  });

  test("months by another clock than the owner agreed to, or by the agreed one with other instants; a document that says another", async () => {
    const agreed = { timeZone: "Europe/Berlin" as TimeZone };
    assert.deepEqual((await lying(agreed)).failures, []);
    assert.deepEqual((await lying({ timeZone: UTC })).failures, []);
    named(await lying({ ...agreed, closesBy: UTC }), /statement\.closed\) 2026-11 /, "by UTC");
    named(await lying({ ...agreed, closesBy: "Asia/Tokyo" as TimeZone }), /statement\.closed\) 2026-11 /, "by a third");
    named(await lying({ closesBy: "Europe/Berlin" as TimeZone }), /statement\.closed\) 2026-11 /, "none was agreed");
    named(await lying({ ...agreed, statement: (made) => ({ ...made, end: "2026-12-01T00:00:00.000Z" }) }), /statement\.closed\) 2026-11 end/, "another end");
    named(await lying({ ...agreed, forms: { "2026-11": 2 } }), /statement\.closed\) 2026-11 /, "a form from before there were clocks");
    named(await lying({ ...agreed, documentSays: UTC }), /^identity\/imvu\.json timeZone/, "the document");
    named(await lying({ documentSays: "Europe/Berlin" as TimeZone }), /^identity\/imvu\.json timeZone/, "the document, where nothing was agreed");
    assert.deepEqual((await lying({ lateInTheEast: true })).failures, []);
    named(await lying({ lateInTheEast: true, timeZone: "Asia/Tokyo" as TimeZone }), /platform\.tariff/, "too late by the unit's clock");
  });

  test("money of another currency than was agreed: a statement by another's tariff, a sale, none published before; honest in every kind of minor unit", async () => {
    for (const currency of ["USD", "JPY", "KWD", "CLF"] as Currency[]) {
      const { failures, counts } = await lying({ currency });
      assert.deepEqual([failures, counts.statements], [[], 3], currency);
    }
    assert.deepEqual((await lying({ alsoPrices: "JPY" as Currency })).failures, [], "prices of another currency that were published last");
    const currency = "JPY" as Currency;
    named(await lying({ currency, citesFirst: true }), /statement\.closed\) 2026-11 (currency|tariffIndex)/, "another currency's tariff");
    named(await lying({ currency, sellsIn: "EUR" }), /command\.accepted/, "a sale in euros");
    named(await lying({ sellsIn: currency }), /command\.accepted/, "a sale in yen");
    named(await lying({ currency, withoutPrices: true }), /command\.accepted/, "no tariff in it");
    named(await lying({ currency, statement: (made) => ({ ...made, payout: { ...made.payout, creator: `${made.payout?.creator}.00` } }) as Statement }), /2026-11 payout/, "a payout in hundredths of a yen");
    named(await lying({ currency, data: (data, type) => (type === "platform.tariff" && (data as { currency: string }).currency === currency ? { ...(data as object), validFrom: "2026-10-01T00:00:00.000Z" } : data) }), /platform\.tariff/, "a first tariff for the past");
    named(await lying({ currency, data: (data, type) => (type === "platform.tariff" && (data as { currency: string }).currency === currency ? { ...(data as object), currency: "DEM" } : data) }), /platform\.tariff/, "a currency that is none");
  });

  test("a bundle from before there were sales verifies without the list of them; one with sales does not", async () => {
    const older = join(await mkdtemp(join(scratch, "older-")), "bundle");
    await new SyntheticWorld({ older: true }).writeBundle(older, "// nothing\n");
    const verification = await resigned(withoutSalesFile, older);
    assert.deepEqual([verification.ok, verification.failures, verification.counts.statements], [true, [], 2]);
    named(await resigned(withoutSalesFile), /^ledger\/revenue\/sales\.jsonl/, "with sales");
  });

  test("readings that do not give the statement", async () => {
    const less = (at: number, value: string): Dishonesty => ({ reading: (set, nth) => (nth === at ? { ...set, readings: set.readings.map((one) => ({ ...one, value })) } : set) });
    named(await lying(less(3, "30999999999")), /statement\.closed/, "under-reported");
    named(await lying(less(2, "99000000000")), /statement\.closed/, "a counter that falls");
    const told = (word: string, other: string): Dishonesty => ({ summary: (made) => JSON.parse(JSON.stringify(made).replaceAll(word, other)) });
    named(await lying(told("31500000000", "31499999999")), /statement\.closed/, "another value before the month's end");
    named(await lying(told("4000000001", "4000000000")), /statement\.closed/, "another level");
    named(await lying(told("31500000000 ", "")), /meter\.reading/, "a word too few");
    named(await lying({ summary: (made) => ({ ...made, from: "2026-11-30T23:31:59.999Z" }) }), /meter\.reading/, "more than half an hour");
    named(await lying({ reading: (set) => ({ ...set, imvu: "IMVU-043" as typeof IMVU }) }), /meter\.reading/, "another's reading");
  });

  test("a tariff dearer than the one cited, or none", async () => {
    const dear = (data: Json, type: string): Json => {
      if (type !== "platform.tariff") return data;
      const tariff = data as { prices: Record<string, string> };
      return { ...tariff, prices: { ...tariff.prices, "dns.answers": "0.000000201" } };
    };
    named(await lying({ data: dear }), /statement\.closed\) 2026-11 (gross|creator|lines)/, "dearer");
    named(await lying({ noticeDays: 29 }), /platform\.tariff/, "announced too late");
    assert.deepEqual((await lying({ noticeDays: 30 })).failures, []);
    named(await lying({ data: (data, type) => (type === "platform.tariff" ? { ...(data as object), currency: "USD" } : data) }), /imvu\.create|command\.accepted/, "no tariff in the unit's currency");
  });
});

describe("verify.mjs, the one file", () => {
  const verifier = () => join(scratch, "verify.mjs");
  const carrying = () => join(scratch, "carrying");

  before(async () => {
    await buildVerifier(verifier());
    await new SyntheticWorld().writeBundle(carrying(), await readFile(verifier(), "utf8"));
  });

  test("verifies the folder it lies in, prints the counts and exits 0", async () => {
    const ran = await run([process.execPath, join(carrying(), "verify.mjs")], { cwd: "/", env: {} });
    assert.equal(ran.stderr, "");
    assert.match(ran.stdout.toString(), /^entries 38\/38 · commands 16\/16 · verdicts 272\/272 · statements 3\/3 · files \d+\/\d+\nverified: IMVU-042 /);
    assert.equal(ran.code, 0);
  });

  test("names the first thing wrong and exits 1; --json says all of it", async () => {
    const dir = join(scratch, "spoiled");
    await cp(honest, dir, { recursive: true });
    await flip(join(dir, "ledger/events.jsonl"), 500, 0);
    const text = await run([process.execPath, verifier(), dir]);
    assert.equal(text.code, 1);
    assert.match(text.stdout.toString(), /WRONG: ledger\/events\.jsonl\n {2}expected: .*\n {2}found: /);
    const json = await run([process.execPath, verifier(), dir, "--json"]);
    assert.equal(json.code, 1);
    const said = JSON.parse(json.stdout.toString()) as Verification;
    assert.deepEqual([said.ok, said.failures[0]?.what, Object.keys(said.counts)], [false, "ledger/events.jsonl", ["entries", "commands", "verdicts", "statements", "files"]]);
  });

  test("usage: 2", async () => {
    for (const wrong of [["--nonsense"], ["a", "b"], [join(scratch, "nowhere")]]) assert.equal((await run([process.execPath, verifier(), ...wrong])).code, 2, wrong.join(" "));
    assert.equal((await run([process.execPath, verifier(), "--help"])).code, 0);
  });

  test("is reproducible, loads nothing that could start a process, and reaches the network through fetch alone", async () => {
    await buildVerifier(join(scratch, "again.mjs"));
    const source = await readFile(verifier(), "utf8");
    assert.equal(await readFile(join(scratch, "again.mjs"), "utf8"), source);
    const modules = new Set([...source.matchAll(/(?:from|__require\(|import\()\s*"(?:node:)?([a-z/_]+)"/g)].map(([, name]) => name));
    assert.deepEqual([...modules].sort(), ["buffer", "crypto", "events", "fs", "fs/promises", "module", "os", "path", "stream", "stream/promises", "url", "util", "zlib"]);
  });
});
