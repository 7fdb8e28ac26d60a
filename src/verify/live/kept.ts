import type { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { type Checkpoint, NOTE_BYTES_MAX, openCheckpoint, parseCheckpoint, parseNote, parseVerifierKey } from "../../core/ledger/pure.ts";
import { Fault, messageOf, writeFileAtomic } from "../../kernel/index.ts";
import type { Failures } from "../failures.ts";

/** A checkpoint of this log that somebody kept: what the log shows now must extend it. */
export interface Kept {
  readonly file: string;
  /** The signed note. */
  readonly note: string;
  /** The log's verifier key, when it was kept as well. */
  readonly key: string | undefined;
  readonly checkpoint: Checkpoint;
}

/**
 * Reads what --keep wrote, `{origin, key, checkpoint}`, or a signed checkpoint alone, as a log serves it and a bundle carries it.
 * @returns undefined when there is no such file. Throws Fault BAD_KEPT when it is something else.
 */
export async function readKept(file: string): Promise<Kept | undefined> {
  const bad = (why: string) => new Fault("BAD_KEPT", `${file}: ${why}`, { hint: "give a signed checkpoint, or the file that --keep wrote" });
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw bad(messageOf(error));
  });
  if (text === undefined) return undefined;
  if (text.length > 2 * NOTE_BYTES_MAX) throw bad("is longer than a checkpoint can be");
  const { note, key } = text.startsWith("{") ? fieldsOf(text, bad) : { note: text, key: undefined };
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) throw bad(checkpoint.message);
  return { file, note, key, checkpoint: checkpoint.value };
}

function fieldsOf(text: string, bad: (why: string) => Fault): { note: string; key: string } {
  let fields: { checkpoint?: unknown; key?: unknown };
  try {
    fields = JSON.parse(text) as typeof fields;
  } catch {
    throw bad("is no JSON");
  }
  const { checkpoint: note, key } = fields;
  if (typeof note !== "string" || typeof key !== "string") throw bad("has no texts 'checkpoint' and 'key'");
  return { note, key };
}

/** Written only when everything held. */
export async function writeKept(file: string, origin: string, key: string, note: string): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify({ origin, key, checkpoint: note }, null, 2)}\n`, 0o644).catch((error: Error) => {
    throw new Fault("BAD_KEPT", `${file}: the checkpoint could not be kept: ${error.message}`, { hint: "the log held; name a file that can be written" });
  });
}

/** What the log shows, as far as it could be looked at. */
export interface Shown {
  readonly url: string;
  readonly key: string;
  readonly note: string;
  /** Undefined when `key` did not sign it. */
  readonly checkpoint: Checkpoint | undefined;
  /** The root over its first entries, made again from the commitments; undefined when it could not be. */
  readonly rootAt: (size: number) => Buffer | undefined;
}

/** Holds what is shown against what was kept; a break is named, and both sides of it are written beside the file. @returns whether it extends it, and the file with the evidence */
export async function judgeKept(kept: Kept, shown: Shown, now: Date, failures: Failures): Promise<{ readonly consistent: boolean; readonly evidence?: string }> {
  const flaw = flawOf(kept, shown);
  if (flaw === undefined) return { consistent: true };
  if (flaw === "unknown") return { consistent: false };
  failures.add(kept.file, flaw.expected, flaw.found);
  const evidence = `${kept.file}.evidence-${now.toISOString().replace(/[-:.]/g, "")}.json`;
  const document = {
    what: `${flaw.expected}; found: ${flaw.found}`,
    time: now.toISOString(),
    url: shown.url,
    kept: { key: kept.key ?? null, checkpoint: kept.note },
    shown: { key: shown.key, checkpoint: shown.note },
    rootOfKeptSizeNow: shown.rootAt(kept.checkpoint.size)?.toString("base64") ?? null,
  };
  try {
    await writeFileAtomic(evidence, `${JSON.stringify(document, null, 2)}\n`, 0o644);
  } catch (error) {
    failures.add(evidence, "a place for the evidence", messageOf(error));
    return { consistent: false };
  }
  return { consistent: false, evidence };
}

function flawOf({ note, key, checkpoint: old }: Kept, shown: Shown): { expected: string; found: string } | "unknown" | undefined {
  if (key !== undefined && key !== shown.key) return { expected: `a log signed by ${key}`, found: `the key ${shown.key}` };
  const verifier = parseVerifierKey(shown.key);
  const own = verifier.ok ? openCheckpoint(note, verifier.value) : verifier;
  // A key that was kept and does not fit its own note is a spoiled memory; one that fits no longer is a history signed anew.
  if (!own.ok) return { expected: `a log whose key ${shown.key} signed the checkpoint of ${old.size} entries kept here`, found: own.message };
  const { checkpoint: now } = shown;
  if (!now) return { expected: `a checkpoint that extends the ${old.size} entries kept here, by the same key`, found: `one that ${shown.key} did not sign` };
  if (now.size < old.size) return { expected: `at least the ${old.size} entries of the checkpoint kept here: a log never gets smaller`, found: `a checkpoint of ${now.size}` };
  if (now.size === old.size && !now.root.equals(old.root)) return fork(old, now.root);
  const root = shown.rootAt(old.size);
  if (!root) return "unknown";
  return root.equals(old.root) ? undefined : fork(old, root);
}

function fork({ size, root }: Checkpoint, now: Buffer): { expected: string; found: string } {
  return { expected: `the same first ${size} entries as kept here, with the root ${root.toString("base64")}`, found: `others, with the root ${now.toString("base64")}: the log has been forked` };
}
