import { accept, type Outcome, refuse } from "../../kernel/index.ts";
import { parseBase64 } from "./base64.ts";
import { type NoteSigner, type NoteVerifier, openNote, signNote } from "./note.ts";
import { HASH_BYTES } from "./tree.ts";

/** C2SP tlog-checkpoint: origin, tree size, root hash; signed as a note. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(formatCheckpoint(checkpoint), [signer]);
}

/** Reads a note's text. Extension lines are allowed by the format and ignored. */
export function parseCheckpoint(text: string): Outcome<Checkpoint> {
  const bad = (why: string) => refuse("engine", "BAD_CHECKPOINT", `checkpoint: ${why}`, "ask the log again");
  if (!text.endsWith("\n")) return bad("does not end with a newline");
  const [origin, size, root, ...extensions] = text.slice(0, -1).split("\n");
  if (!origin) return bad("has no origin");
  if (size === undefined || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return bad("has no tree size");
  const hash = parseBase64(root ?? "");
  if (hash?.length !== HASH_BYTES) return bad("has no root hash");
  if (extensions.includes("")) return bad("has an empty extension line");
  return accept({ origin, size: Number(size), root: hash });
}

/** A checkpoint that this log signed: signature by `verifier`, and the origin is the verifier's name. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Outcome<Checkpoint> {
  const opened = openNote(note, verifier);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.value.text);
  if (checkpoint.ok && checkpoint.value.origin !== verifier.name)
    return refuse("engine", "BAD_CHECKPOINT", `checkpoint: is of the log ${checkpoint.value.origin}, not of ${verifier.name}`, "ask the right log");
  return checkpoint;
}
