import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Verdict } from "../../src/contract/index.ts";
import { pointFlaw } from "../../src/core/identity/ed25519-point.ts";
import { broughtBy, openCommand, type PublicKey, publicKeyFromText, verifySignatures } from "../../src/core/identity/index.ts";
import { foldRange, leafHash, nodeHash, openCheckpoint, openNote, parseEntryBody, parseVerifierKey, rootRange, verifyConsistency, verifyInclusion, verifyStreamChain } from "../../src/core/ledger/pure.ts";
import { entriesBundleOf, formatTilePath, parseTilePath, Tile } from "../../src/core/ledger/tile.ts";
import { isAllowed } from "../../src/core/policy-engine/index.ts";
import { canonicalJson, type Json, sha256, sha256Hex } from "../../src/kernel/index.ts";
import { manifestNoteText } from "../../src/verify/index.ts";
import { VECTOR_FILES } from "../../tools/make-vectors.ts";

const ALL_BYTES_MAX = 400_000;

async function vectors<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(import.meta.dirname, name), "utf8")) as T;
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

describe("the checked-in vectors", () => {
  for (const [name, make] of Object.entries(VECTOR_FILES)) {
    test(`${name} is byte for byte what its generator makes`, async () => {
      // Not assert.equal: a difference of two long texts takes a minute to draw.
      assert.ok((await readFile(join(import.meta.dirname, name), "utf8")) === make(), `run node tools/make-vectors.ts and look at the difference in ${name}`);
    });
  }

  test("hold every long value that the page shows", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/infra-core/write-your-own-verifier.md"), "utf8");
    const texts = await Promise.all(Object.keys(VECTOR_FILES).map((name) => readFile(join(import.meta.dirname, name), "utf8")));
    const values = page.match(/[A-Za-z0-9+/_-]{40,}=*/g) ?? [];
    assert.ok(values.length >= 20);
    for (const value of values) assert.ok(texts.some((text) => text.includes(value)), value);
    for (const name of [...Object.keys(VECTOR_FILES), "rating.json", "split.json"]) assert.ok(page.includes(`(../../tests/vectors/${name})`), `${name} is not linked`);
  });

  test("stay small enough to be read over a slow line", async () => {
    let sum = 0;
    for (const name of [...Object.keys(VECTOR_FILES), "rating.json", "split.json"]) sum += (await stat(join(import.meta.dirname, name))).size;
    assert.ok(sum < ALL_BYTES_MAX, `${sum} bytes`);
  });
});

interface Body {
  readonly what: string;
  readonly body: string | null;
  readonly before: string;
  readonly fill: number;
  readonly after: string;
  readonly input?: string;
  readonly bodyHex?: string;
  readonly leafData: string;
  readonly leafHash: string;
}

function textOf({ body, before, fill, after }: Body): string {
  return body ?? `${before}${"x".repeat(fill)}${after}`;
}

describe("bodies.json", async () => {
  const { good, bad, streams } = await vectors<{ good: Body[]; bad: Body[]; streams: { what: string; bodies: string[]; good: boolean; wrong?: number }[] }>("bodies.json");

  test("good bodies are accepted, canonical, and hash as they say", () => {
    assert.ok(good.length >= 13);
    for (const row of good) {
      const text = textOf(row);
      const opened = parseEntryBody(text);
      assert.ok(opened.ok, row.what);
      if (row.input !== undefined) assert.equal(canonicalJson(JSON.parse(row.input) as Json), text, row.what);
      if (row.bodyHex !== undefined) assert.equal(Buffer.from(text).toString("hex"), row.bodyHex, row.what);
      assert.equal(sha256Hex(text), row.leafData, row.what);
      assert.equal(leafHash(bytes(row.leafData)).toString("hex"), row.leafHash, row.what);
    }
  });

  test("bad bodies are refused", () => {
    assert.ok(bad.length >= 50);
    for (const row of bad) assert.equal(parseEntryBody(textOf(row)).ok, false, row.what);
  });

  test("a stream is whole, or its first wrong entry is named", () => {
    assert.ok(streams.length >= 12);
    for (const { what, bodies, good: whole, wrong } of streams) {
      const chain = verifyStreamChain(bodies);
      assert.equal(chain.ok, whole, what);
      if (!chain.ok) assert.match(chain.message, new RegExp(`entry ${wrong}: `), what);
    }
  });
});

interface WrongProof {
  readonly what: string;
  readonly root: string;
  readonly leafData: string;
  readonly index: number;
  readonly size: number;
  readonly proof: string[];
  readonly from: number;
  readonly to: number;
  readonly fromRoot: string;
  readonly toRoot: string;
}

interface Trees {
  readonly roots: string[];
  readonly inclusion: [number, number, string[]][];
  readonly consistency: [number, number, string[]][];
  readonly wrongInclusion: WrongProof[];
  readonly wrongConsistency: WrongProof[];
  readonly tiles: { path: string; width: number; bytes: number; sha256: string; first: string }[];
  readonly tilePaths: { n: number; width?: number; path: string }[];
}

describe("trees.json", async () => {
  const trees = await vectors<Trees>("trees.json");
  const leaves = trees.roots.slice(1).map((_, at) => sha256(`leaf ${at}`));
  const rows = [leaves.map((leaf) => leafHash(leaf))];
  for (let below = rows[0] as Buffer[]; below.length > 1; below = rows.at(-1) as Buffer[]) {
    rows.push(Array.from({ length: below.length >> 1 }, (_, at) => nodeHash(below[2 * at] as Buffer, below[2 * at + 1] as Buffer)));
  }
  const rootAt = (size: number) => bytes(trees.roots[size] as string);

  test("the root of every size from 0 to 600", () => {
    assert.equal(trees.roots.length, 601);
    for (const [size, root] of trees.roots.entries()) assert.equal(foldRange(rootRange(size).map(({ level, index }) => rows[level]?.[index] as Buffer)).toString("hex"), root, `size ${size}`);
  });

  test("every inclusion proof holds, among them all indexes of all sizes to 17", () => {
    for (const [index, size, proof] of trees.inclusion) assert.ok(verifyInclusion(leaves[index] as Buffer, index, size, proof.map(bytes), rootAt(size)), `${index} in ${size}`);
    assert.equal(new Set(trees.inclusion.filter(([, size]) => size <= 17).map(([index, size]) => `${index} ${size}`)).size, (17 * 18) / 2);
  });

  test("every consistency proof holds, among them all pairs of sizes to 17", () => {
    for (const [from, to, proof] of trees.consistency) assert.ok(verifyConsistency(from, rootAt(from), to, rootAt(to), proof.map(bytes)), `${from} to ${to}`);
    assert.equal(new Set(trees.consistency.filter(([, to]) => to <= 17).map(([from, to]) => `${from} ${to}`)).size, (18 * 19) / 2);
  });

  test("no wrong proof holds", () => {
    assert.ok(trees.wrongInclusion.length >= 14 && trees.wrongConsistency.length >= 14);
    for (const { what, leafData, index, size, proof, root } of trees.wrongInclusion) assert.equal(verifyInclusion(bytes(leafData), index, size, proof.map(bytes), bytes(root)), false, what);
    for (const { what, from, to, fromRoot, toRoot, proof } of trees.wrongConsistency) assert.equal(verifyConsistency(from, bytes(fromRoot), to, bytes(toRoot), proof.map(bytes)), false, what);
  });

  test("tiles and entry bundles have these bytes, and the tiles of a level are the roots of those below", () => {
    assert.equal(trees.tiles.length, 7);
    for (const { path, width, bytes: length, sha256: digest, first } of trees.tiles) {
      const parsed = parseTilePath(path);
      assert.ok(parsed, path);
      assert.equal(parsed.width ?? 256, width, path);
      const at = parsed.n * 256;
      const made = parsed.level === "entries" ? entriesBundleOf(leaves.slice(at, at + width)) : Tile.of(Buffer.concat((rows[parsed.level * 8] ?? []).slice(at, at + width))).bytes();
      assert.deepEqual([made.length, sha256Hex(made), made.toString("hex").startsWith(first)], [length, digest, true], path);
    }
    assert.equal(Tile.of(Buffer.concat((rows[0] ?? []).slice(0, 256))).root()?.toString("hex"), trees.tiles.find(({ path }) => path.startsWith("tile/1/"))?.first);
  });

  test("tile paths are spelled in groups of three digits", () => {
    for (const { n, width, path } of trees.tilePaths) {
      const tile = { level: 0, n, ...(width === undefined ? {} : { width }) };
      assert.equal(formatTilePath(tile), path);
      assert.deepEqual(parseTilePath(path), tile);
    }
  });
});

interface NoteRow {
  readonly what: string;
  readonly vkey: string;
  readonly note: string;
  readonly good: boolean;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly imvu: string;
  readonly manifestHex: string;
}

describe("notes.json", async () => {
  const { vkeys, checkpoints, manifests } = await vectors<{ vkeys: { what: string; vkey: string; good: boolean; name?: string; keyId?: string }[]; checkpoints: NoteRow[]; manifests: NoteRow[] }>("notes.json");
  const verifierOf = (vkey: string) => {
    const verifier = parseVerifierKey(vkey);
    assert.ok(verifier.ok, vkey);
    return verifier.value;
  };

  test("verifier keys are read, or refused", () => {
    assert.ok(vkeys.length >= 13);
    for (const { what, vkey, good, name, keyId } of vkeys) {
      const verifier = parseVerifierKey(vkey);
      assert.equal(verifier.ok, good, what);
      if (verifier.ok) assert.deepEqual([verifier.value.name, verifier.value.keyId, verifier.value.vkey], [name, keyId, vkey], what);
    }
  });

  test("checkpoints are believed, or refused", () => {
    assert.ok(checkpoints.length >= 40);
    for (const { what, vkey, note, good, origin, size, root } of checkpoints) {
      const opened = openCheckpoint(note, verifierOf(vkey));
      assert.equal(opened.ok, good, what);
      if (opened.ok) assert.deepEqual([opened.value.origin, opened.value.size, opened.value.root.toString("hex")], [origin, size, root], what);
    }
  });

  test("a manifest's note pins the manifest's bytes and its IMVU", () => {
    assert.ok(manifests.length >= 6);
    for (const { what, vkey, imvu, manifestHex, note, good } of manifests) {
      const opened = openNote(note, verifierOf(vkey));
      assert.equal(opened.ok && opened.value.text === manifestNoteText(imvu, bytes(manifestHex)), good, what);
    }
  });
});

interface CommandRow {
  readonly what: string;
  readonly open: boolean;
  readonly valid: boolean[];
  readonly digest: string;
  readonly op: string;
  readonly signers: string[];
  readonly firstInput: string;
  readonly jws: { payload: string };
}

describe("commands.json", async () => {
  const { keys, commands, verdicts } = await vectors<{ keys: { kid: string; publicKey: string; registered: boolean }[]; commands: CommandRow[]; verdicts: { what: string; accepted: boolean; verdicts: Verdict[] }[] }>("commands.json");
  const registry = new Map<string, PublicKey>();
  for (const { kid, publicKey, registered } of keys) {
    const key = publicKeyFromText(publicKey);
    assert.ok(key.ok && key.value.kid === kid, kid);
    if (registered) registry.set(kid, key.value);
  }

  test("a command of the right form opens; each of its signatures holds, or does not", () => {
    const open = commands.filter((row) => row.open);
    assert.ok(open.length >= 20);
    for (const { what, jws, valid, digest, op, signers, firstInput } of open) {
      const opened = openCommand(jws);
      assert.ok(opened.ok, what);
      const { command } = opened.value;
      const brought = broughtBy(command).map(publicKeyFromText).flatMap((key) => (key.ok ? [key.value] : []));
      const verified = verifySignatures(opened.value, (kid) => registry.get(kid) ?? brought.find((key) => key.kid === kid));
      assert.deepEqual(verified.map((one) => one.valid), valid, what);
      assert.deepEqual([opened.value.digest, command.op, opened.value.signatures.map(({ kid }) => kid)], [digest, op, signers], what);
      assert.equal(`${opened.value.signatures[0]?.protected}.${jws.payload}`, firstInput, what);
    }
  });

  test("a command of another form does not open", () => {
    const refused = commands.filter((row) => !row.open);
    assert.ok(refused.length >= 36);
    for (const { what, jws } of refused) assert.equal(openCommand(jws).ok, false, what);
  });

  test("an accepted command has seventeen verdicts in order, and none denies", () => {
    assert.ok(verdicts.length >= 8);
    for (const row of verdicts) assert.equal(isAllowed(row.verdicts), row.accepted, row.what);
  });
});

test("keys.json: public keys are accepted with their thumbprint, or refused for this reason", async () => {
  const { keys } = await vectors<{ keys: { what: string; publicKey: string; accepted: boolean; kid?: string; reason?: string }[] }>("keys.json");
  assert.ok(keys.length >= 33);
  for (const { what, publicKey, accepted, kid, reason } of keys) {
    const key = publicKeyFromText(publicKey);
    assert.equal(key.ok, accepted, what);
    if (key.ok) assert.equal(key.value.kid, kid, what);
    else {
      const decoded = Buffer.from(publicKey, "base64url");
      assert.equal(decoded.toString("base64url") === publicKey ? pointFlaw(decoded) : "length", reason, what);
    }
  }
});
