import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addApproval, type CommandFields, commandFields, kidOf, openCommand, type SigningKey, signCommand, signingKeyFromJwk } from "../src/core/identity/index.ts";
import { SMALL_ORDER_ENCODINGS } from "../src/core/identity/ed25519-point.ts";
import { formatCheckpoint } from "../src/core/ledger/checkpoint.ts";
import { cosign, cosigner, withSignatureLines } from "../src/core/ledger/cosignature.ts";
import { BODY_BYTES_MAX, NO_PREVIOUS } from "../src/core/ledger/entry.ts";
import { type NoteSigner, noteSigner, signNote } from "../src/core/ledger/note.ts";
import { entriesBundleOf, formatTilePath, hashesAtLevel, tileWidth } from "../src/core/ledger/tile.ts";
import { consistencyRanges, foldRange, inclusionRanges, leafHash, type NodeAt, nodeHash, type Range, rootRange } from "../src/core/ledger/tree.ts";
import { canonicalJson, type ImvuId, type Json, sha256, sha256Hex, writeFileAtomic } from "../src/kernel/index.ts";
import { manifestNoteText } from "../src/verify/index.ts";

/** Writes the vectors of docs/infra-core/write-your-own-verifier.md. Keys, times and salts come from names, so the same sources make the same bytes. */
const FOLDER = join(import.meta.dirname, "../tests/vectors");
const ORIGIN = "vectors.example/log";
const NOW_MS = Date.UTC(2026, 10, 3, 9);
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** One row per line: small, and a difference between two versions can be read. */
function rows(items: readonly Json[]): string {
  return `[\n${items.map((item) => `  ${JSON.stringify(item)}`).join(",\n")}\n]`;
}

function fileOf(members: Readonly<Record<string, readonly Json[] | string>>): string {
  const texts = Object.entries(members).map(([name, value]) => `${JSON.stringify(name)}: ${typeof value === "string" ? JSON.stringify(value) : rows(value)}`);
  return `{\n${texts.join(",\n")}\n}\n`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** RFC 8410 PKCS #8 around 32 bytes that a name gives. */
function privateKeyOf(name: string): KeyObject {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), createHash("sha256").update(name).digest()]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function identityOf(name: string): SigningKey {
  const { d, x } = privateKeyOf(`vectors identity ${name}`).export({ format: "jwk" });
  if (d === undefined || x === undefined) throw new TypeError(name);
  return signingKeyFromJwk({ kty: "OKP", crv: "Ed25519", d, x });
}

// ---- bodies.json

const SALT = Buffer.alloc(16, 7).toString("base64url");
const BODY = { v: 1, stream: "IMVU-042", streamSeq: 0, prev: NO_PREVIOUS, time: "2026-11-03T09:00:00.000Z", type: "meter.reading", actor: "platform", data: null as Json, salt: SALT };

function nested(depth: number): Json {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function goodBodies(): Json[] {
  const datas: readonly (readonly [string, Json])[] = [
    ["no data", null],
    ["members sorted by UTF-16 code unit, not by code point: U+1F600 before U+FB33", { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, ö: 7 }],
    ["members that look like numbers are sorted as text", { "10": 0, "9": 0, "1": 0, "": 0, "01": 0 }],
    ["every short escape, a control character and DEL", "\b\t\n\f\r\"\\/\u0000\u001f\u007f"],
    ["text beyond ASCII stays as it is, U+2028 too", "Zürich – 東京 \u2028 \u{1F3A8} e\u0301 é"],
    ["the largest and the smallest number", [9007199254740991, -9007199254740991, 0, -1]],
    ["true, false, null, empty things", [true, false, null, "", [], {}]],
    ["money and counters are texts", { gross: "0.000000000000000000001", value: "340282366920938463463374607431768211455" }],
    ["a member named __proto__", JSON.parse('{"__proto__":1,"a":{"__proto__":[]}}') as Json],
    ["nested to the bound: the body is level 0, data level 1, the last number level 64", nested(63)],
  ];
  return datas.map(([what, data]) => bodyRow(what, JSON.stringify({ ...BODY, data }), canonicalJson({ ...BODY, data })));
}

function bodyRow(what: string, input: string, body: string): Json {
  const leafData = sha256(body);
  // Bytes are of interest where they are not the characters.
  const bytes: Record<string, string> = Buffer.byteLength(body) === body.length ? {} : { bodyHex: hex(Buffer.from(body)) };
  return { what, input, body, ...bytes, leafData: hex(leafData), leafHash: hex(leafHash(leafData)) };
}

function shapedBodies(): Json[] {
  const bodies: readonly (readonly [string, object])[] = [
    ["a stream name of 64 characters", { ...BODY, stream: `A${"_-9".repeat(21)}` }],
    ["a type nobody knows yet, of the right form", { ...BODY, type: "future.kind-of.entry" }],
    ["a body of exactly 32768 bytes", { ...BODY, data: "x".repeat(BODY_BYTES_MAX - canonicalJson({ ...BODY, data: "" }).length) }],
  ];
  // The longest one is named by its parts: as text it would be a tenth of all vectors.
  return bodies.map(([what, value]) => {
    const body = canonicalJson(value as Json);
    if (body.length < 1_000) return bodyRow(what, JSON.stringify(value), body);
    return { what, body: null, fill: body.match(/x{9,}/)?.[0].length ?? 0, before: body.split(/x{9,}/)[0] as string, after: body.split(/x{9,}/)[1] as string, leafData: hex(sha256(body)), leafHash: hex(leafHash(sha256(body))) };
  });
}

function badBodies(): Json[] {
  const good = canonicalJson(BODY);
  const withData = (data: string) => good.replace('"data":null', `"data":${data}`);
  const changed = (change: object) => canonicalJson({ ...BODY, ...change } as Json);
  const without = (name: string) => canonicalJson(Object.fromEntries(Object.entries(BODY).filter(([key]) => key !== name)) as Json);
  const tooLong = "x".repeat(BODY_BYTES_MAX - canonicalJson({ ...BODY, data: "" }).length + 1);
  const texts: readonly (readonly [string, string])[] = [
    ["white space", good.replace('":', '": ')],
    ["a newline at the end", `${good}\n`],
    ["a byte order mark", `\ufeff${good}`],
    ["members in another order", JSON.stringify(BODY)],
    ["members of data sorted by code point", withData('{"\ufb33":1,"😀":2}')],
    ["a member twice, the same value", good.replace('"data":null', '"data":null,"data":null')],
    ["a member twice inside data", withData('{"a":1,"a":2}')],
    ["an escape where none is needed", withData('"\\u0061"')],
    ["an escaped solidus", withData('"\\/"')],
    ["an escape in capital letters", withData('"\\u001F"')],
    ["a long escape for a character that has a short one", withData('"\\u000a"')],
    ["non-ASCII escaped", withData('"\\u00e9"')],
    ["a lone surrogate", withData('"\\ud800"')],
    ["two surrogates the wrong way round", withData('"\\udc00\\ud800"')],
    ["a raw control character", withData('"\u0001"')],
    ["a fraction", withData("0.5")],
    ["an integer with a fraction of zero", withData("1.0")],
    ["an exponent", withData("1e2")],
    ["minus zero", withData("-0")],
    ["a leading zero", withData("01")],
    ["a plus sign", withData("+1")],
    ["an integer beyond 2^53-1", withData("9007199254740992")],
    ["a very long integer", withData("1".repeat(400))],
    ["NaN", withData("NaN")],
    ["a comma too many", withData("[1,]")],
    ["nested one level too deep", withData(`${"[".repeat(64)}1${"]".repeat(64)}`)],
    ["nothing", ""],
    ["an array", `[${good}]`],
    ["a text", JSON.stringify("body")],
    ["cut short", good.slice(0, -1)],
    ["a day its month does not have", changed({ time: "2026-02-31T00:00:00.000Z" })],
    ["midnight as hour 24", changed({ time: "2026-02-28T24:00:00.000Z" })],
    ["no salt", without("salt")],
    ["no data", without("data")],
    ["a member too many", changed({ zz: 1 })],
    ["version 2", changed({ v: 2 })],
    ["version as text", changed({ v: "1" })],
    ["an empty stream", changed({ stream: "" })],
    ["a stream of 65 characters", changed({ stream: "A".repeat(65) })],
    ["a stream that begins with a hyphen", changed({ stream: "-a" })],
    ["a stream with a dot", changed({ stream: "a.b" })],
    ["a negative streamSeq", changed({ streamSeq: -1 })],
    ["streamSeq as text", changed({ streamSeq: "0" })],
    ["prev in capital letters", changed({ prev: "A".repeat(64) })],
    ["prev of 63 digits", changed({ prev: "0".repeat(63) })],
    ["time without milliseconds", changed({ time: "2026-11-03T09:00:00Z" })],
    ["time with an offset", changed({ time: "2026-11-03T09:00:00.000+00:00" })],
    ["month 13", changed({ time: "2026-13-03T09:00:00.000Z" })],
    ["day 0", changed({ time: "2026-11-00T09:00:00.000Z" })],
    ["day 32", changed({ time: "2026-01-32T09:00:00.000Z" })],
    ["hour 25", changed({ time: "2026-11-03T25:00:00.000Z" })],
    ["hour 24, minute 1", changed({ time: "2026-11-03T24:01:00.000Z" })],
    ["a leap second", changed({ time: "2026-12-31T23:59:60.000Z" })],
    ["a type without a dot", changed({ type: "reading" })],
    ["a type with a capital letter", changed({ type: "meter.Reading" })],
    ["no actor", changed({ actor: "" })],
    ["a salt of 21 characters", changed({ salt: SALT.slice(1) })],
    ["a salt with padding", changed({ salt: `${SALT.slice(2)}==` })],
  ];
  const long: Json = { what: "one byte more than 32768", body: null, fill: tooLong.length, before: `${good.split("null")[0]}"`, after: `"${good.split("null")[1]}` };
  return [...texts.map(([what, body]) => ({ what, body })), long];
}

function streams(): Json[] {
  const made: string[] = [];
  for (let at = 0; at < 4; at += 1) {
    const time = new Date(NOW_MS + Math.min(at, 2) * 1_000).toISOString();
    made.push(canonicalJson({ ...BODY, streamSeq: at, prev: at === 0 ? NO_PREVIOUS : sha256Hex(made[at - 1] as string), time, data: { n: at } }));
  }
  const again = (at: number, change: object) => made.map((body, n) => (n === at ? canonicalJson({ ...(JSON.parse(body) as object), ...change } as Json) : body));
  const [a, b, c, d] = made as [string, string, string, string];
  const last = (change: object) => again(3, change);
  return [
    { what: "four entries, two of one millisecond", bodies: made, good: true },
    { what: "one entry", bodies: [a], good: true },
    { what: "a stream without its first entry", bodies: [b, c, d], good: false, wrong: 0 },
    { what: "an entry is missing", bodies: [a, b, d], good: false, wrong: 2 },
    { what: "an entry twice", bodies: [a, b, b, c], good: false, wrong: 2 },
    { what: "two entries swapped", bodies: [a, c, b, d], good: false, wrong: 1 },
    { what: "the second entry says something else, so the third does not link to it", bodies: again(1, { data: { n: 9 } }), good: false, wrong: 2 },
    { what: "prev of another entry", bodies: last({ prev: sha256Hex(a) }), good: false, wrong: 3 },
    { what: "a number too high", bodies: last({ streamSeq: 4 }), good: false, wrong: 3 },
    { what: "time goes back by a millisecond", bodies: last({ time: "2026-11-03T09:00:01.999Z" }), good: false, wrong: 3 },
    { what: "an entry of another stream", bodies: last({ stream: "IMVU-043" }), good: false, wrong: 3 },
    { what: "a first entry whose prev is not zeros", bodies: [canonicalJson({ ...BODY, prev: sha256Hex("") })], good: false, wrong: 0 },
  ];
}

export function bodiesFile(): string {
  return fileOf({
    about: "good: input is JSON in some spelling, body its canonical text; leafData = SHA-256(body), leafHash = SHA-256(00 || leafData). A row with body null stands for before + fill times x + after. bad: must be refused as an entry's body. streams: bodies in order; wrong counts from 0.",
    good: [...goodBodies(), ...shapedBodies()],
    bad: badBodies(),
    streams: streams(),
  });
}

// ---- trees.json

const LEAVES = 600;
const SMALL = 17;

class Tree {
  readonly leaves: readonly Buffer[] = Array.from({ length: LEAVES }, (_, at) => sha256(`leaf ${at}`));
  private readonly nodes = new Map<string, Buffer>();

  node({ level, index }: NodeAt): Buffer {
    const key = `${level}/${index}`;
    const known = this.nodes.get(key);
    if (known) return known;
    const made = level === 0 ? leafHash(this.leaves[index] as Buffer) : nodeHash(this.node({ level: level - 1, index: 2 * index }), this.node({ level: level - 1, index: 2 * index + 1 }));
    this.nodes.set(key, made);
    return made;
  }

  fold(range: Range): Buffer {
    return foldRange(range.map((node) => this.node(node)));
  }

  root(size: number): Buffer {
    return this.fold(rootRange(size));
  }

  inclusion(index: number, size: number): string[] {
    return inclusionRanges(index, size).map((range) => hex(this.fold(range)));
  }

  consistency(from: number, to: number): string[] {
    return consistencyRanges(from, to).map((range) => hex(this.fold(range)));
  }
}

export function treesFile(): string {
  const tree = new Tree();
  const pairs: [number, number][] = [];
  for (let size = 1; size <= SMALL; size += 1) for (let index = 0; index < size; index += 1) pairs.push([index, size]);
  pairs.push([0, 256], [255, 256], [255, 257], [256, 257], [0, 600], [299, 600], [511, 600], [512, 600], [599, 600]);
  const steps: [number, number][] = [];
  for (let to = 0; to <= SMALL; to += 1) for (let from = 0; from <= to; from += 1) steps.push([from, to]);
  steps.push([1, 600], [255, 256], [256, 257], [256, 600], [257, 600], [511, 512], [512, 600], [599, 600], [600, 600]);
  return fileOf({
    about: "Leaf data number i is SHA-256 of the ASCII text 'leaf i' (i in decimal, from 0). roots[n] is the root of the first n leaves. Hashes are hexadecimal here; on the wire they are base64. inclusion: [index, size, proof]. consistency: [from, to, proof]. Wrong proofs carry everything they are judged by.",
    roots: Array.from({ length: LEAVES + 1 }, (_, size) => hex(tree.root(size))),
    inclusion: pairs.map(([index, size]) => [index, size, tree.inclusion(index, size)]),
    consistency: steps.map(([from, to]) => [from, to, tree.consistency(from, to)]),
    wrongInclusion: wrongInclusion(tree),
    wrongConsistency: wrongConsistency(tree),
    tiles: tiles(tree),
    tilePaths: [0, 1, 255, 999, 1_000, 67_891, 999_999, 1_000_000, 1_234_067, 1_234_567_890].flatMap((n): Json[] => [{ n, path: formatTilePath({ level: 0, n }) }, { n, width: 8, path: formatTilePath({ level: 0, n, width: 8 }) }]),
  });
}

function flipped(text: string): string {
  return hex(Buffer.from(text, "hex").map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
}

function wrongInclusion(tree: Tree): Json[] {
  const [index, size] = [5, 13];
  const proof = tree.inclusion(index, size);
  const base = { leafData: hex(tree.leaves[index] as Buffer), index, size, root: hex(tree.root(size)), proof };
  return [
    { what: "another leaf", ...base, leafData: hex(tree.leaves[4] as Buffer) },
    { what: "the leaf hash given as leaf data", ...base, leafData: hex(leafHash(tree.leaves[index] as Buffer)) },
    { what: "another index", ...base, index: 4 },
    { what: "a size of another shape", ...base, size: 8 },
    { what: "the root of another size", ...base, root: hex(tree.root(12)) },
    { what: "a hash too few", ...base, proof: proof.slice(1) },
    { what: "a hash too many", ...base, proof: [...proof, proof[0] as string] },
    { what: "two hashes swapped", ...base, proof: [proof[1] as string, proof[0] as string, ...proof.slice(2)] },
    { what: "one bit", ...base, proof: [flipped(proof[0] as string), ...proof.slice(1)] },
    { what: "a hash of 31 bytes", ...base, proof: [(proof[0] as string).slice(2), ...proof.slice(1)] },
    { what: "an index that is the size", ...base, index: size },
    { what: "an empty tree", ...base, index: 0, size: 0, root: hex(tree.root(0)), proof: [] },
    { what: "a tree of one with a proof", leafData: hex(tree.leaves[0] as Buffer), index: 0, size: 1, root: hex(tree.root(1)), proof: [hex(tree.root(1))] },
    { what: "an inner node passed off as a leaf", leafData: hex(tree.node({ level: 1, index: 0 })), index: 0, size: 2, root: hex(tree.root(4)), proof: [hex(tree.node({ level: 1, index: 1 }))] },
  ];
}

function wrongConsistency(tree: Tree): Json[] {
  const base = { from: 6, to: 13, fromRoot: hex(tree.root(6)), toRoot: hex(tree.root(13)), proof: tree.consistency(6, 13) };
  const other = hex(nodeHash(tree.root(4), leafHash(sha256("a history that never was"))));
  return [
    { what: "another old root: the log was rewritten", ...base, fromRoot: other },
    { what: "another new root", ...base, toRoot: other },
    { what: "the two roots swapped", ...base, fromRoot: base.toRoot, toRoot: base.fromRoot },
    { what: "the sizes swapped", ...base, from: 13, to: 6 },
    { what: "another old size", ...base, from: 5 },
    { what: "a hash too few", ...base, proof: base.proof.slice(0, -1) },
    { what: "a hash too many", ...base, proof: [...base.proof, other] },
    { what: "one bit", ...base, proof: [flipped(base.proof[0] as string), ...base.proof.slice(1)] },
    { what: "no proof", ...base, proof: [] },
    { what: "equal sizes, other roots", from: 6, to: 6, fromRoot: base.fromRoot, toRoot: other, proof: [] },
    { what: "equal sizes with a proof", from: 6, to: 6, fromRoot: base.fromRoot, toRoot: base.fromRoot, proof: base.proof },
    { what: "from nothing, with a proof", from: 0, to: 6, fromRoot: hex(tree.root(0)), toRoot: base.fromRoot, proof: base.proof },
    { what: "from nothing, whose root is not the hash of nothing", from: 0, to: 6, fromRoot: other, toRoot: base.fromRoot, proof: [] },
    { what: "a power of two, with the old root in the proof", from: 4, to: 13, fromRoot: hex(tree.root(4)), toRoot: base.toRoot, proof: [hex(tree.root(4)), ...tree.consistency(4, 13)] },
  ];
}

function tiles(tree: Tree): Json[] {
  const found: Json[] = [];
  for (let level = 0; hashesAtLevel(LEAVES, level) > 0; level += 1) {
    for (let n = 0; tileWidth(LEAVES, level, n) > 0; n += 1) {
      const width = tileWidth(LEAVES, level, n);
      const hashes = Array.from({ length: width }, (_, at) => tree.node({ level: level * 8, index: n * 256 + at }));
      found.push({ path: formatTilePath({ level, n, ...(width === 256 ? {} : { width }) }), width, bytes: width * 32, sha256: sha256Hex(Buffer.concat(hashes)), first: hex(hashes[0] as Buffer) });
      if (level > 0) continue;
      const bundle = entriesBundleOf(tree.leaves.slice(n * 256, n * 256 + width));
      found.push({ path: formatTilePath({ level: "entries", n, ...(width === 256 ? {} : { width }) }), width, bytes: bundle.length, sha256: sha256Hex(bundle), first: hex(bundle.subarray(0, 34)) });
    }
  }
  return found;
}

// ---- notes.json

export function notesFile(): string {
  const log = noteSigner(ORIGIN, privateKeyOf("vectors log"));
  const other = noteSigner("other.example/log", privateKeyOf("vectors other log"));
  const thief = noteSigner(ORIGIN, privateKeyOf("vectors thief"));
  return fileOf({
    about: "Everything is judged under the key in its row. good: must be believed; otherwise refused. vkeys: verifier keys. checkpoints: notes that are to be checkpoints of the log the key names. manifests: MANIFEST.sig over the bytes in manifestHex.",
    vkeys: vkeys(log),
    checkpoints: checkpoints(log, other, thief),
    manifests: manifestNotes(log, thief),
  });
}

function vkeys(log: NoteSigner): Json[] {
  const typed = Buffer.from(log.vkey.slice(log.vkey.lastIndexOf(log.keyId) + 9), "base64");
  const of = (name: string, bytes: Uint8Array) => `${name}+${hex(sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).subarray(0, 4))}+${Buffer.from(bytes).toString("base64")}`;
  const small = Buffer.concat([Buffer.from([1]), Buffer.from([...SMALL_ORDER_ENCODINGS][0] as string, "hex")]);
  const nonCanonical = Buffer.concat([Buffer.from([1]), littleEndian(2n ** 255n - 19n + NON_CANONICAL_PLUS)]);
  return [
    { what: "the log's own", vkey: log.vkey, good: true, name: log.name, keyId: log.keyId, publicKey: hex(typed.subarray(1)) },
    { what: "a name beyond ASCII", vkey: of("Künstler.example/log", typed), good: true, name: "Künstler.example/log", keyId: of("Künstler.example/log", typed).split("+")[1] as string, publicKey: hex(typed.subarray(1)) },
    { what: "another id", vkey: log.vkey.replace(log.keyId, "00000000"), good: false },
    { what: "the id in capital letters", vkey: log.vkey.replace(log.keyId, log.keyId.toUpperCase()), good: false },
    { what: "another name, so the id is not its own", vkey: log.vkey.replace(ORIGIN, "vectors.example/log2"), good: false },
    { what: "a name with a space", vkey: of("vectors example", typed), good: false },
    { what: "no name", vkey: of("", typed), good: false },
    { what: "key type 2", vkey: of(ORIGIN, Buffer.concat([Buffer.from([2]), typed.subarray(1)])), good: false },
    { what: "a key of 31 bytes", vkey: of(ORIGIN, typed.subarray(0, 32)), good: false },
    { what: "base64 without its padding", vkey: `${log.vkey}=`, good: false },
    { what: "two parts only", vkey: log.vkey.slice(0, log.vkey.lastIndexOf("+")), good: false },
    { what: "a small-order key", vkey: of(ORIGIN, small), good: false },
    { what: "a non-canonical key", vkey: of(ORIGIN, nonCanonical), good: false },
  ];
}

/** base64(key id || signature), as it stands in a signature line. */
function signatureOf(note: string, at = 0): string {
  return note.slice(note.lastIndexOf("\n\n") + 2, -1).split("\n")[at]?.split(" ")[2] as string;
}

function checkpoints(log: NoteSigner, other: NoteSigner, thief: NoteSigner): Json[] {
  const root = new Tree().root(LEAVES);
  const text = formatCheckpoint({ origin: ORIGIN, size: LEAVES, root });
  const good = signNote(text, [log]);
  const own = signatureOf(good);
  const raw = Buffer.from(own, "base64");
  const line = (name: string, bytes: Uint8Array | string) => `— ${name} ${typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("base64")}\n`;
  const spoiled = Buffer.from(raw.map((byte, at) => (at === 40 ? byte ^ 1 : byte)));
  const highS = Buffer.concat([raw.subarray(0, 36), littleEndian(fromLittleEndian(raw.subarray(36)) + GROUP_ORDER)]);
  const signed = (lines: string) => signNote(lines, [log]);
  const b64 = root.toString("base64");
  const accepted = { good: true, origin: ORIGIN, size: LEAVES, root: hex(root) };
  const cases: [string, string, object?][] = [
    ["signed by the log", good, accepted],
    ["an empty tree", signed(formatCheckpoint({ origin: ORIGIN, size: 0, root: new Tree().root(0) })), { good: true, origin: ORIGIN, size: 0, root: hex(new Tree().root(0)) }],
    ["an extension line", signed(`${text}a line of another's\n`), accepted],
    ["a further signature by another log", signNote(text, [log, other]), accepted],
    ["another log's signature first", signNote(text, [other, log]), accepted],
    ["the log's key id under another name, beside the log's own signature", good + line("witness.example", spoiled), accepted],
    ["a signature of a type nobody knows, of another length", good + line("witness.example/mldsa", Buffer.alloc(200, 5)), accepted],
    ["a witness's cosignature below (c2sp.org/tlog-cosignature)", withSignatureLines(good, [cosign(text, cosigner("witness.example/w1", privateKeyOf("vectors witness")), NOW_MS / 1_000)]), accepted],
    ["the log's name under another key id, beside the log's own signature", good + line(ORIGIN, Buffer.concat([Buffer.alloc(4, 9), raw.subarray(4)])), accepted],
    ["the log's signature twice", good + line(ORIGIN, own), accepted],
    ["another log's signature only", signNote(text, [other])],
    ["another key under the log's name", signNote(text, [thief])],
    ["another key under the log's name and key id", `${text}\n${line(ORIGIN, Buffer.concat([raw.subarray(0, 4), Buffer.from(signatureOf(signNote(text, [thief])), "base64").subarray(4)]))}`],
    ["the log's key id and signature under another name only", `${text}\n${line("witness.example", own)}`],
    ["a true and a false signature of the log", good + line(ORIGIN, spoiled)],
    ["a false signature", `${text}\n${line(ORIGIN, spoiled)}`],
    ["a signature with S + L", `${text}\n${line(ORIGIN, highS)}`],
    ["a signature cut short", `${text}\n${line(ORIGIN, raw.subarray(0, 67))}`],
    ["another size under the signature", good.replace("\n600\n", "\n601\n")],
    ["another origin, signed by this log's key", signed(text.replace(ORIGIN, "other.example/log"))],
    ["no newline at the end", good.slice(0, -1)],
    ["no empty line before the signatures", good.replace("\n\n", "\n")],
    ["no signature", `${text}\n`],
    ["a hyphen for the em dash", good.replace("—", "-")],
    ["two spaces", good.replace("— ", "—  ")],
    ["carriage returns", good.replaceAll("\n", "\r\n")],
    ["a tab in the text", signedRaw(text.replace(ORIGIN, `${ORIGIN}\t`), log)],
    ["bad base64: a character", good.replace(own, `${own.slice(0, 20)}*${own.slice(21)}`)],
    ["bad base64: no padding", good.replace(own, own.replaceAll("=", ""))],
    ["bad base64: bits that nobody reads are set", good.replace(own, looseEnd(own))],
    ["bad base64 in a stranger's line", good + line("witness.example", "AAAA*AAA")],
    ["a stranger's signature of no bytes", good + line("witness.example", Buffer.alloc(4))],
    ["half a surrogate pair in a stranger's name: no UTF-8 says that", good + line("witness\ud800", Buffer.alloc(20, 1))],
    ["more than 64 signatures", good + line("witness.example", Buffer.alloc(20, 1)).repeat(64)],
    ["a size with a leading zero", signed(`${ORIGIN}\n0600\n${b64}\n`)],
    ["a size with a plus sign", signed(`${ORIGIN}\n+600\n${b64}\n`)],
    ["a negative size", signed(`${ORIGIN}\n-600\n${b64}\n`)],
    ["a size beyond 2^53-1", signed(`${ORIGIN}\n9007199254740992\n${b64}\n`)],
    ["a size in hexadecimal", signed(`${ORIGIN}\n0x258\n${b64}\n`)],
    ["no size", signed(`${ORIGIN}\n${b64}\n`)],
    ["no root", signed(`${ORIGIN}\n600\n`)],
    ["a root of 31 bytes", signed(`${ORIGIN}\n600\n${root.subarray(1).toString("base64")}\n`)],
    ["a root in hexadecimal", signed(`${ORIGIN}\n600\n${hex(root)}\n`)],
    ["an empty extension line", signed(`${text}\nafter\n`)],
    ["no origin", signed(`\n600\n${b64}\n`)],
  ];
  return cases.map(([what, note, expected]) => ({ what, vkey: log.vkey, note, ...(expected ?? { good: false }) }) as Json);
}

/** signNote refuses such a text, as it should. */
function signedRaw(text: string, signer: NoteSigner): string {
  const bytes = Buffer.concat([Buffer.from(signer.keyId, "hex"), sign(null, Buffer.from(text), signer.privateKey)]);
  return `${text}\n— ${signer.name} ${bytes.toString("base64")}\n`;
}

/** The last character before the padding stands for bits that decoders drop: the same bytes, another text. */
function looseEnd(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const at = text.replaceAll("=", "").length - 1;
  return `${text.slice(0, at)}${alphabet[alphabet.indexOf(text[at] as string) + 1]}${text.slice(at + 1)}`;
}

function manifestNotes(log: NoteSigner, thief: NoteSigner): Json[] {
  const manifest = Buffer.from('{\n  "format": "nexus-bundle/v1"\n}\n');
  const text = manifestNoteText("IMVU-042", manifest);
  const row = (what: string, note: string, good: boolean, bytes: Uint8Array = manifest, imvu = "IMVU-042") => ({ what, vkey: log.vkey, imvu, manifestHex: hex(bytes), note, good });
  return [
    row("signed by the log", signNote(text, [log]), true),
    row("signed by another key", signNote(text, [thief]), false),
    row("one bit of the manifest", signNote(text, [log]), false, Buffer.from(manifest).fill("Z", 3, 4)),
    row("one byte more", signNote(text, [log]), false, Buffer.concat([manifest, Buffer.from("\n")])),
    row("another IMVU's", signNote(text, [log]), false, manifest, "IMVU-043"),
    row("a checkpoint in its place", signNote(formatCheckpoint({ origin: ORIGIN, size: 1, root: sha256(manifest) }), [log]), false),
  ];
}

// ---- commands.json

function fields(op: string, imvu: string | null, params: CommandFields["params"], at_ms = NOW_MS): CommandFields {
  const nonce = createHash("sha256").update(`vectors nonce ${op}`).digest().subarray(0, 16).toString("base64url");
  return commandFields(op as CommandFields["op"], imvu as ImvuId | null, params, at_ms, nonce);
}

interface Jws {
  readonly payload: string;
  readonly signatures: readonly { readonly protected: string; readonly signature: string }[];
}

function encoded(text: string | Uint8Array): string {
  return Buffer.from(text as Uint8Array).toString("base64url");
}

/** A signature as the key's owner could make it over any header: what openCommand refuses must not be refused for its signature. */
function signedWith(payload: string, header: string, key: SigningKey): Jws {
  const protectedHeader = encoded(header);
  return { payload, signatures: [{ protected: protectedHeader, signature: sign(null, Buffer.from(`${protectedHeader}.${payload}`), key.privateKey).toString("base64url") }] };
}

export function commandsFile(): string {
  return fileOf({
    about: "keys: what the registry knows, by kid. open: false – the form is wrong, nothing is verified (a signature under it may well be true). open: true – valid says of each signature, in order, whether it holds under the registry's key. digest = SHA-256 of the payload's bytes; firstInput are the bytes the first signature is over. Dates and nonces are no matter of signatures: an expired command has a valid signature. verdicts: may stand in an accepted entry, or not.",
    keys: [
      ...["owner", "maintainer", "newcomer"].map((name) => ({ name, kid: identityOf(name).kid, publicKey: identityOf(name).publicKey.text, registered: name !== "newcomer" })),
      { name: "of mixed order", kid: kidOf(encoded(Buffer.from(MIXED_ORDER, "hex"))), publicKey: encoded(Buffer.from(MIXED_ORDER, "hex")), registered: true },
    ],
    commands: [...openedCommands(), ...refusedCommands()],
    verdicts: verdictLists(),
  });
}

function setRecord(): { readonly one: Jws; readonly two: Jws } {
  const one = signCommand(fields("dns.set", "IMVU-042", { name: "www.imvu042.world", type: "TXT", ttl: 300, values: ["Grüße – \"ja\""] }), identityOf("maintainer"));
  return { one, two: addApproval(one, identityOf("owner")) };
}

function openedCommands(): Json[] {
  const [owner, maintainer, newcomer] = ["owner", "maintainer", "newcomer"].map(identityOf) as [SigningKey, SigningKey, SigningKey];
  const { one, two } = setRecord();
  const other = signCommand(fields("dns.remove", "IMVU-042", { name: "www.imvu042.world", type: "TXT" }), maintainer);
  const [first, second] = two.signatures as [Jws["signatures"][0], Jws["signatures"][0]];
  const raw = Buffer.from(first.signature, "base64url");
  const withSignature = (bytes: Uint8Array): Jws => ({ ...one, signatures: [{ ...first, signature: encoded(bytes) }] });
  const expired = signCommand(fields("dns.remove", "IMVU-042", { name: "www.imvu042.world", type: "TXT" }, 1_000), maintainer);
  const registers = signCommand(fields("identity.register", null, { name: "newcomer-1", publicKey: newcomer.publicKey.text }), newcomer);
  const plain = signedWith(one.payload, JSON.stringify({ alg: "EdDSA", kid: maintainer.kid }), maintainer);
  const order = signedWith(one.payload, JSON.stringify({ typ: "nexus-command", kid: maintainer.kid, alg: "EdDSA" }), maintainer);
  const mixed = (signature: string): Jws => {
    const header = JSON.stringify({ alg: "EdDSA", kid: kidOf(encoded(Buffer.from(MIXED_ORDER, "hex"))), typ: "nexus-command" });
    return { ...one, signatures: [{ protected: encoded(header), signature: encoded(Buffer.from(signature, "hex")) }] };
  };
  const cases: [string, Jws, boolean[]][] = [
    ["one signature", one, [true]],
    ["two signatures: the actor's and the owner's approval", two, [true, true]],
    ["the same two in the other order: another actor", { ...two, signatures: [second, first] }, [true, true]],
    ["a header without typ", plain, [true]],
    ["a header with its members in another order", order, [true]],
    ["expired since 1970: a matter of facts (gate 1), not of the signature", expired, [true]],
    ["an identity registers itself with the key it brings", registers, [true]],
    ["a key gives way to another, which signs too", addApproval(signCommand(fields("identity.key.rotate", null, { publicKey: newcomer.publicKey.text }), maintainer), newcomer), [true, true]],
    ["a key that nobody registered", signCommand(fields("imvu.exit", "IMVU-042", { encryptTo: null }), newcomer), [false]],
    ["another payload under the signatures", { ...two, payload: other.payload }, [false, false]],
    ["one signature of another command, one good", { ...two, signatures: [other.signatures[0] as Jws["signatures"][0], second] }, [false, true]],
    ["a changed header: typ removed after signing", { ...one, signatures: [{ ...first, protected: encoded(JSON.stringify({ alg: "EdDSA", kid: maintainer.kid })) }] }, [false]],
    ["a changed header: somebody else's kid", { ...one, signatures: [{ ...first, protected: second.protected }] }, [false]],
    ["signed over the payload's bytes instead of header and payload", withSignature(sign(null, Buffer.from(one.payload, "base64url"), maintainer.privateKey)), [false]],
    ["one bit of R", withSignature(raw.map((byte, at) => (at === 0 ? byte ^ 1 : byte))), [false]],
    ["one bit of S", withSignature(raw.map((byte, at) => (at === 32 ? byte ^ 1 : byte))), [false]],
    ["non-canonical S: S + L, the same number modulo the group's order", withSignature(Buffer.concat([raw.subarray(0, 32), littleEndian(fromLittleEndian(raw.subarray(32)) + GROUP_ORDER)])), [false]],
    ["a key of mixed order, a signature that holds without the cofactor", mixed(MIXED_ORDER_SIGNATURES.hold), [true]],
    ["a key of mixed order, a signature that holds only times the cofactor 8", mixed(MIXED_ORDER_SIGNATURES.cofactorOnly), [false]],
    ["64 zero bytes", withSignature(Buffer.alloc(64)), [false]],
    ["signed by the owner under the maintainer's kid", signedWith(one.payload, JSON.stringify({ alg: "EdDSA", kid: maintainer.kid, typ: "nexus-command" }), owner), [false]],
  ];
  return cases.map(([what, jws, valid]) => commandRow(what, jws, { open: true, valid }));
}

function commandRow(what: string, jws: unknown, expected: { open: true; valid: boolean[] } | { open: false }): Json {
  if (!expected.open) return { what, open: false, jws: jws as Json };
  const { payload, signatures } = jws as Jws;
  const bytes = Buffer.from(payload, "base64url");
  const opened = openCommand(jws);
  return { what, ...expected, digest: sha256Hex(bytes), op: opened.ok ? opened.value.command.op : "", signers: signatures.map((one) => (JSON.parse(Buffer.from(one.protected, "base64url").toString()) as { kid: string }).kid), firstInput: `${signatures[0]?.protected}.${payload}`, jws: jws as Json };
}

function refusedCommands(): Json[] {
  const maintainer = identityOf("maintainer");
  const { one, two } = setRecord();
  const [first] = one.signatures as [Jws["signatures"][0]];
  const text = Buffer.from(one.payload, "base64url").toString("utf8");
  const good = { alg: "EdDSA", kid: maintainer.kid, typ: "nexus-command" };
  const header = (value: unknown) => signedWith(one.payload, typeof value === "string" ? value : JSON.stringify(value), maintainer);
  const payload = (changed: string) => signedWith(encoded(changed), JSON.stringify(good), maintainer);
  const value = JSON.parse(text) as Record<string, unknown>;
  const change = (more: object) => payload(canonicalJson({ ...value, ...more } as Json));
  const recovery = signCommand(fields("identity.recovery.set", null, { recoveryKey: encoded(Buffer.alloc(32)) }), maintainer);
  const bring = (bytes: Uint8Array) => signCommand(fields("identity.register", null, { name: "newcomer-1", publicKey: encoded(bytes) }), maintainer);
  const cases: [string, unknown][] = [
    ["a recovery key of small order", recovery],
    ["wrong alg: none", header({ ...good, alg: "none" })],
    ["wrong alg: HS256", header({ ...good, alg: "HS256" })],
    ["wrong alg: Ed25519, as RFC 9864 says it", header({ ...good, alg: "Ed25519" })],
    ["missing kid", header({ alg: "EdDSA", typ: "nexus-command" })],
    ["a kid that is no thumbprint", header({ ...good, kid: "owner" })],
    ["another typ", header({ ...good, typ: "JWT" })],
    ["crit", header({ ...good, crit: ["exp"] })],
    ["a key in the header", header({ ...good, jwk: { kty: "OKP" } })],
    ["white space in the header", header(JSON.stringify(good, null, 1))],
    ["a member twice in the header", header(`{"alg":"none","alg":"EdDSA","kid":"${maintainer.kid}","typ":"nexus-command"}`)],
    ["the header is an array", header("[]")],
    ["duplicate signature: the same one twice", { ...one, signatures: [first, first] }],
    ["duplicate signature: one key, two spellings of the header", { ...one, signatures: [first, ...header({ alg: "EdDSA", kid: maintainer.kid }).signatures] }],
    ["no signature", { ...one, signatures: [] }],
    ["nine signatures", { ...one, signatures: Array.from({ length: 9 }, (_, at) => signedWith(one.payload, JSON.stringify(good), identityOf(`crowd ${at}`)).signatures[0]) }],
    ["a signature of 63 bytes", { ...one, signatures: [{ ...first, signature: encoded(Buffer.from(first.signature, "base64url").subarray(1)) }] }],
    ["a signature in base64 with padding", { ...one, signatures: [{ ...first, signature: Buffer.from(first.signature, "base64url").toString("base64") }] }],
    ["a payload with padding", { ...two, payload: `${one.payload}=` }],
    ["flattened serialisation", { payload: one.payload, ...first }],
    ["compact serialisation", `${first.protected}.${one.payload}.${first.signature}`],
    ["an unprotected header", { ...one, signatures: [{ ...first, header: {} }] }],
    ["a member beside payload and signatures", { ...one, extra: 1 }],
    ["a payload with white space", payload(text.replace(":", ": "))],
    ["a payload in another order", payload(JSON.stringify({ op: value["op"], ...value }))],
    ["a payload with a member twice", payload(text.replace('"exp":', '"exp":0,"exp":'))],
    ["a payload with a member too many", change({ zz: 1 })],
    ["a payload without nonce", payload(canonicalJson(Object.fromEntries(Object.entries(value).filter(([key]) => key !== "nonce")) as Json))],
    ["a nonce of 15 bytes", change({ nonce: "A".repeat(20) })],
    ["iat as text", change({ iat: "1" })],
    ["a fraction of a millisecond", payload(text.replace(/"iat":(\d+)/, '"iat":$1.5'))],
    ["an unknown op", change({ op: "imvu.steal" })],
    ["an IMVU's number with a zero too many", change({ imvu: "IMVU-0042" })],
    ["an IMVU's number beyond 16000", change({ imvu: "IMVU-16001" })],
    ["an op that needs an IMVU, without one", change({ imvu: null })],
    ["a payload that is no JSON", payload("hello")],
    ["a payload that is not UTF-8", signedWith(encoded(Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xff), Buffer.from(text.slice(-2))])), JSON.stringify(good), maintainer)],
    ["a payload that is not UTF-8, inside a text", signedWith(encoded(Buffer.from(Buffer.from(text).toString("latin1").replace("Gr", "Gr\u00ff"), "latin1")), JSON.stringify(good), maintainer)],
    ["registering a small-order key", bring(Buffer.from([...SMALL_ORDER_ENCODINGS][0] as string, "hex"))],
    ["registering a non-canonical key", bring(littleEndian(2n ** 255n - 19n + NON_CANONICAL_PLUS))],
    ["registering bytes that are no point", bring(littleEndian(2n))],
  ];
  return cases.map(([what, jws]) => commandRow(what, jws, { open: false }));
}

function verdictLists(): Json[] {
  const all = (change: Readonly<Record<number, object>> = {}) => Array.from({ length: 17 }, (_, at) => ({ gate: at + 1, verdict: at % 3 === 0 ? "pass" : "not-applicable", ...change[at + 1] })) as Json[];
  return [
    { what: "seventeen, none denies", accepted: true, verdicts: all() },
    { what: "one gate denies", accepted: false, verdicts: all({ 14: { verdict: "deny", code: "GATE_14_NOT_THE_OWNERS_WILL" } }) },
    { what: "sixteen", accepted: false, verdicts: all().slice(0, 16) },
    { what: "eighteen", accepted: false, verdicts: [...all(), { gate: 18, verdict: "pass" }] },
    { what: "one gate twice in another's place", accepted: false, verdicts: all({ 2: { gate: 1 } }) },
    { what: "two gates swapped", accepted: false, verdicts: all({ 2: { gate: 3 }, 3: { gate: 2 } }) },
    { what: "a word that is none of the three", accepted: false, verdicts: all({ 5: { verdict: "waived" } }) },
    { what: "none", accepted: false, verdicts: [] },
  ];
}

// ---- keys.json

/** p + 3 is the smallest y beyond p that, read modulo p, is a point of the curve and not of small order. */
const NON_CANONICAL_PLUS = 3n;

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(Buffer.from(bytes).reverse())}`);
}

/** A = a·B + T with T of order 8: a point of mixed order. Computed once by stranger.py's arithmetic. */
const MIXED_ORDER = "9854cb29d16bc075081fd8caf9d2ee246f47efde85cbb74892e05eab3e83a908";
/** Under it, over the first command: R = r·B, S = r + k·a. The group equation without the cofactor holds when 8 divides k, and only then; with the cofactor, always. */
const MIXED_ORDER_SIGNATURES = { hold: "c0b580e3744615ea33c2febaeaa3c0040dc9a1d658df1cd29f6c33ec817da867a4d70bec4011c227e7a4e0d5af1e0e9b693523359c89c65735330273106c8607", cofactorOnly: "cb17bf66d80d505b27c833cc134ab4e921eecd3b9b425693c61bec85d95dad00b0efcb45e731ae92768faf63dfadd6dbd43043eb5a00df931afb9ebec0b56701" };

export function keysFile(): string {
  const owner = identityOf("owner").publicKey.text;
  const bytes = Buffer.from(owner, "base64url");
  const p = 2n ** 255n - 19n;
  const loose = `${owner.slice(0, -1)}${"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(owner.at(-1) as string) & ~3) + 1]}`;
  const texts: [string, string, string?][] = [
    ["an owner's key", owner],
    ["RFC 8032 §7.1 test 1", encoded(Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex"))],
    ["the base point", encoded(Buffer.from(`58${"66".repeat(31)}`, "hex"))],
    ["y = 3, a point of the curve", encoded(littleEndian(3n))],
    ["y = 3 with the sign bit: the other x, another key", encoded(littleEndian(3n + 2n ** 255n))],
    ["a point of mixed order: not of small order, so accepted", encoded(Buffer.from(MIXED_ORDER, "hex"))],
    ...[...SMALL_ORDER_ENCODINGS].map((one): [string, string, string] => [`small order, as ${one}`, encoded(Buffer.from(one, "hex")), "small-order"]),
    ["y = p + 3: a point of the curve once reduced", encoded(littleEndian(p + 3n)), "non-canonical"],
    ["y = p + 3 with the sign bit", encoded(littleEndian(p + 3n + 2n ** 255n)), "non-canonical"],
    ["y = 2^255 - 1, the largest", encoded(littleEndian(2n ** 255n - 1n)), "non-canonical"],
    ["y = 2: no point of the curve", encoded(littleEndian(2n)), "off-curve"],
    ["y = 2 with the sign bit", encoded(littleEndian(2n + 2n ** 255n)), "off-curve"],
    ["31 bytes", encoded(bytes.subarray(1)), "length"],
    ["33 bytes", encoded(Buffer.concat([bytes, Buffer.alloc(1)])), "length"],
    ["nothing", "", "length"],
    ["with padding", `${owner}=`, "length"],
    ["base64 with + and /", Buffer.from("fbff".repeat(16), "hex").toString("base64").slice(0, 43), "length"],
    ["two bits that nobody reads are set", loose, "length"],
    ["hexadecimal", hex(bytes), "length"],
    ["a newline at the end", `${owner}\n`, "length"],
  ];
  return fileOf({
    about: "publicKey: 32 bytes in base64url without padding. accepted keys have a kid (RFC 7638 thumbprint); the others a reason. A text that is not 32 bytes in the one base64url spelling is refused with length.",
    keys: texts.map(([what, publicKey, reason]): Json =>
      reason === undefined ? { what, publicKey, hex: hex(Buffer.from(publicKey, "base64url")), accepted: true, kid: kidOf(publicKey) } : { what, publicKey, accepted: false, reason },
    ),
  });
}

export const VECTOR_FILES: Readonly<Record<string, () => string>> = {
  "bodies.json": bodiesFile,
  "trees.json": treesFile,
  "notes.json": notesFile,
  "commands.json": commandsFile,
  "keys.json": keysFile,
};

if (import.meta.main) {
  for (const [name, make] of Object.entries(VECTOR_FILES)) {
    const text = make();
    const same = text === (await readFile(join(FOLDER, name), "utf8").catch(() => ""));
    if (!same) await writeFileAtomic(join(FOLDER, name), text, 0o644);
    process.stdout.write(`${name}: ${Buffer.byteLength(text)} bytes${same ? ", unchanged" : ""}\n`);
  }
}
