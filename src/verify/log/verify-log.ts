import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint, parseVerifierKey } from "../../core/ledger/pure.ts";
import { messageOf } from "../../kernel/index.ts";
import { MANIFEST_PATH } from "../bundle/path.ts";
import { walk } from "../bundle/walk.ts";
import { parseLine } from "../entry-reader.ts";
import { Counter, Failures } from "../failures.ts";
import { linesOf } from "../lines.ts";
import type { Verification } from "../verify-bundle.ts";
import { BodyCheck } from "./body-check.ts";
import { checkTree } from "./check-tree.ts";
import { isLogPath, LOG_CHECKPOINT_PATH, LOG_KEY_PATH, streamOfBodies } from "./layout.ts";

/** A checkpoint has at most this much, and so has a key; a full tile has 8 KiB, a bundle of commitments 8.5 KiB. */
const FILE_BYTES_MAX = 64 * 1024;
const FILES_MAX = 10_000_000;

/**
 * Verifies a log in a folder, as `nexus ledger export` writes it, with nothing but the folder: the tree from the commitments up to the signed
 * root, and each body that is there against its commitment and its place in its stream.
 * @param trustedKey the log's verifier key as the reader knows it from elsewhere; without it the folder's own is taken.
 */
export async function verifyLog(dir: string, trustedKey?: string): Promise<Verification> {
  const failures = new Failures();
  const files = new Counter();
  const bodies = new Counter();
  const read = (path: string) => readBounded(join(dir, path));
  let logKey: string | undefined;
  let entries = { good: 0, of: 0 };
  try {
    const own = (await read(LOG_KEY_PATH)).toString("utf8").trim();
    logKey = trustedKey ?? own;
    if (own !== logKey) failures.add(LOG_KEY_PATH, logKey, own);
    const checkpoint = opened((await read(LOG_CHECKPOINT_PATH)).toString("utf8"), logKey, failures);
    if (checkpoint) {
      const { entries: good, tiles, failure } = await checkTree(checkpoint, read);
      entries = { good: failure ? 0 : good, of: checkpoint.size };
      files.good = tiles + 2;
      files.of = tiles + 2 + (failure ? 1 : 0);
      if (failure) failures.add(failure.what, failure.expected, failure.found);
      await rest(dir, checkpoint, read, { files, bodies }, failures);
    }
  } catch (error) {
    failures.add("log", "files that can be read", messageOf(error));
  }
  const none = { commands: 0, verdicts: 0, statements: 0 };
  return {
    ok: failures.total === 0,
    counts: { entries: entries.good, ...none, files: files.good },
    of: { entries: entries.of, ...none, files: files.of },
    failures: failures.list,
    failuresTotal: failures.total,
    imvu: null,
    createdAt: null,
    logKey: logKey ?? null,
    bodies: bodies.good,
  };
}

function opened(note: string, logKey: string, failures: Failures): Checkpoint | undefined {
  const verifier = parseVerifierKey(logKey);
  const checkpoint = verifier.ok ? openCheckpoint(note, verifier.value) : verifier;
  if (checkpoint.ok) return checkpoint.value;
  failures.add(LOG_CHECKPOINT_PATH, `a checkpoint signed by ${logKey}`, checkpoint.message);
  return undefined;
}

/** Bodies, and whatever has no business in the folder. */
async function rest(dir: string, { size }: Checkpoint, read: (path: string) => Promise<Buffer>, count: { files: Counter; bodies: Counter }, failures: Failures): Promise<void> {
  const { files, strange, more } = await walk(dir, FILES_MAX);
  if (more) failures.add(dir, `at most ${FILES_MAX} files`, "more");
  for (const { path, what } of strange) failures.add(path, "a file", what);
  for (const path of [...files].sort()) {
    if (!isLogPath(path, size)) failures.add(path, `no file of a log of ${size} entries`, "a file");
    const stream = streamOfBodies(path);
    if (stream === undefined) continue;
    count.files.of += 1;
    const before = failures.total;
    const check = new BodyCheck(stream, size, read);
    for await (const line of linesOf(join(dir, path))) {
      count.bodies.of += 1;
      const entry = parseLine(line);
      const flaw = typeof entry === "string" ? entry : await (entry.text === null ? check.goneFlaw(entry.index, entry.leaf) : check.flaw(entry.index, entry.text));
      if (flaw === undefined) count.bodies.good += 1;
      else failures.add(typeof entry === "string" ? `${path} line ${count.bodies.of}` : `${path} entry ${entry.index}`, `the next entry of stream ${stream}`, flaw);
    }
    for (const gone of check.unordered()) failures.add(`${path} entry ${gone}`, "its body, or an entry that orders it erased", "neither");
    if (failures.total === before) count.files.good += 1;
  }
}

/** Reads no more than a log's file can have, whatever lies there. */
async function readBounded(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > FILE_BYTES_MAX) throw new RangeError(`${path}: more than ${FILE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether a folder is a log rather than a bundle. */
export async function isLogFolder(dir: string): Promise<boolean> {
  const there = (name: string) =>
    access(join(dir, name)).then(
      () => true,
      () => false,
    );
  return (await there(LOG_CHECKPOINT_PATH)) && (await there(LOG_KEY_PATH)) && !(await there(MANIFEST_PATH));
}
