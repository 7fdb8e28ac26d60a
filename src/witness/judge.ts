import { type Checkpoint, EMPTY_ROOT, openCheckpoint, type NoteVerifier, parseCheckpoint, parseNote, verifyConsistency } from "../core/ledger/pure.ts";
import { type AddCheckpoint, parseAddCheckpoint } from "./add-checkpoint.ts";

/** The witness's law, apart from everything that reads, waits or writes (C2SP tlog-witness, add-checkpoint). */

/** What a witness remembers of one log: the newest tree it vouched for; a tree of 0 at first. */
export interface Seen {
  readonly size: number;
  readonly root: Buffer;
}

export const NOTHING_SEEN: Seen = { size: 0, root: EMPTY_ROOT };

/** A no, as HTTP says it. `size` is the body of a 409. */
export interface No {
  readonly status: 400 | 403 | 404 | 409 | 422;
  readonly why: string;
  readonly size?: number;
}

/** A request that one of the log's keys signed. */
export interface Signed {
  readonly request: AddCheckpoint;
  readonly checkpoint: Checkpoint;
  /** The note's text: what is cosigned. */
  readonly text: string;
}

/** Whose log a body is about, before anything is believed. */
export function originOf(body: string): { readonly request: AddCheckpoint; readonly origin: string } | No {
  const request = parseAddCheckpoint(body);
  if (!request.ok) return { status: 400, why: request.message };
  const note = parseNote(request.value.note);
  if (!note.ok) return { status: 400, why: note.message };
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.ok) return { status: 400, why: checkpoint.message };
  return { request: request.value, origin: checkpoint.value.origin };
}

/** @param keys those trusted for the origin; undefined when it is not known here */
export function openSigned(request: AddCheckpoint, keys: readonly NoteVerifier[] | undefined): Signed | No {
  if (keys === undefined) return { status: 404, why: "this witness does not know that log" };
  const note = parseNote(request.note);
  for (const key of keys) {
    const opened = openCheckpoint(request.note, key);
    if (!opened.ok || !note.ok) continue;
    if (request.old > opened.value.size) return { status: 400, why: `the old size ${request.old} is above the checkpoint's ${opened.value.size}` };
    return { request, checkpoint: opened.value, text: note.value.text };
  }
  return { status: 403, why: "no key that is trusted for this log signed the checkpoint" };
}

/**
 * Whether `signed` extends what was seen. Must be asked, and its answer stored, before anybody else asks about the same log: otherwise
 * an older tree could overwrite a newer one.
 */
export function judge(seen: Seen, { request, checkpoint }: Signed): Seen | No {
  if (request.old !== seen.size) return { status: 409, why: `the newest tree seen has ${seen.size} entries`, size: seen.size };
  if (checkpoint.size === seen.size && !checkpoint.root.equals(seen.root)) {
    return { status: 409, why: `another tree of ${seen.size} entries was seen: the log was forked`, size: seen.size };
  }
  if (!consistent(seen, request, checkpoint)) return { status: 422, why: `no proof that the tree of ${checkpoint.size} entries extends the one of ${seen.size}` };
  return { size: checkpoint.size, root: checkpoint.root };
}

function consistent(seen: Seen, { proof }: AddCheckpoint, checkpoint: Checkpoint): boolean {
  // From nothing there is nothing to prove: the first tree is believed.
  return verifyConsistency(seen.size, seen.root, checkpoint.size, checkpoint.root, proof);
}
