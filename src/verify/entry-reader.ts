import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Checkpoint, InclusionRun, parseEntryBody } from "../core/ledger/pure.ts";
import { messageOf, sha256 } from "../kernel/index.ts";
import type { Counter, Failures } from "./failures.ts";
import { type Entry, type EntryGroup, type GoneEntry, entriesPath, proofsPath } from "./ledger-files.ts";
import { linesOf } from "./lines.ts";

const ERASED_LINE = /^\{"index":(0|[1-9]\d{0,15}),"erased":"([0-9a-f]{64})"\}$/;
const ENTRY_LINE = /^\{"index":(0|[1-9]\d{0,15}),"body":(\{.*\})\}$/s;

/** The entries of one group in the file's order, each checked against its commitment and its place in the signed tree; flat memory. */
export async function* readEntries(dir: string, group: EntryGroup, checkpoint: Checkpoint, entries: Counter, failures: Failures): AsyncGenerator<Entry | GoneEntry> {
  const path = entriesPath(group);
  const proofs = linesOf(join(dir, proofsPath(group)));
  const tree = new InclusionRun(checkpoint.size, checkpoint.root);
  let before = -1;
  try {
    let line = 0;
    for await (const text of linesOf(join(dir, path))) {
      line += 1;
      entries.of += 1;
      const entry = parseLine(text);
      const proof = await proofs.next();
      if (typeof entry === "string") {
        failures.add(`${path} line ${line}`, "a ledger entry", entry);
        continue;
      }
      const { index } = entry;
      const flaw = index > before ? proofFlaw(entry, proof.done ? undefined : proof.value, tree, checkpoint) : `it stands after entry ${before}`;
      before = index;
      if (flaw === undefined) entries.good += 1;
      else failures.add(`${path} entry ${index}`, `the entry that stands at ${index} in the log`, flaw);
      yield entry;
    }
    if (!(await proofs.next()).done) failures.add(proofsPath(group), `a proof for each of ${line} entries and no more`, "more");
  } catch (error) {
    failures.add(path, "entries and proofs that can be read", messageOf(error));
  } finally {
    await proofs.return(undefined);
  }
}

/** A cheap look at the types of a file's entries, before anything is verified: what the real pass shall prepare for. */
export async function* entryTexts(dir: string, group: EntryGroup): AsyncGenerator<string> {
  try {
    yield* linesOf(join(dir, entriesPath(group)));
  } catch {
    // The verifying pass names what is wrong.
  }
}

export function parseLine(line: string): Entry | GoneEntry | string {
  const gone = ERASED_LINE.exec(line);
  if (gone) return { index: Number(gone[1]), text: null, leaf: Buffer.from(gone[2] as string, "hex") };
  const match = ENTRY_LINE.exec(line);
  const [index, text] = [Number(match?.[1]), match?.[2]];
  if (text === undefined || !Number.isSafeInteger(index)) return "a line of another form";
  const body = parseEntryBody(text);
  return body.ok ? { index, text, body: body.value, leaf: sha256(text) } : body.message;
}

function proofFlaw({ index, leaf }: Pick<Entry, "index" | "leaf">, line: string | undefined, tree: InclusionRun, checkpoint: Checkpoint): string | undefined {
  if (line === undefined) return "no proof";
  const proof = parseProof(line);
  if (!proof) return "a malformed proof";
  if (proof.index !== index) return `the proof of entry ${proof.index}`;
  if (proof.leaf !== leaf.toString("base64")) return `a body with SHA-256 ${leaf.toString("base64")}, not its commitment ${proof.leaf}`;
  const good = tree.verify(leaf, index, proof.hashes);
  return good ? undefined : `no inclusion in the tree of ${checkpoint.size} entries that the checkpoint signs`;
}

function parseProof(line: string): { index: number; leaf: string; hashes: readonly string[] } | undefined {
  try {
    const { index, leaf, proof } = JSON.parse(line) as { index: unknown; leaf: unknown; proof: unknown };
    const hashes = Array.isArray(proof) && proof.every((one) => typeof one === "string") ? (proof as string[]) : undefined;
    return typeof index === "number" && typeof leaf === "string" && hashes ? { index, leaf, hashes } : undefined;
  } catch {
    return undefined;
  }
}
