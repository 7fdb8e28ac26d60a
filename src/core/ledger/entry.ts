import type { EntryBody, EntryType, NewEntry } from "../../contract/index.ts";
import { accept, canonicalJson, Fault, type Json, type Outcome, parseCanonicalJson, quoteForPeople, refuse, sha256 } from "../../kernel/index.ts";

/** An entry's body (spec: ledger, "Entry"): made by the sequencer, read by everybody, always in canonical form. */

export const BODY_BYTES_MAX = 32 * 1024;
export const ACTOR_CHARS_MAX = 256;
/** What `prev` says in a stream's first entry. */
export const NO_PREVIOUS = "0".repeat(64);

const SALT_BYTES = 16;

/** An entry that has its place in the log. */
export interface Appended {
  readonly index: number;
  readonly stream: string;
  readonly streamSeq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** Canonical JSON text. */
  readonly body: string;
  /** SHA-256 of the body's bytes. */
  readonly leaf: Buffer;
}

/** The end of a stream: what its next entry continues. */
export interface StreamHead {
  readonly streamSeq: number;
  readonly time: string;
  readonly leaf: Buffer;
}

/** Of an entry whose body is gone: before every other time. */
export const TIME_UNKNOWN = "";

export function isStreamName(stream: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(stream);
}

/** Makes the body that follows `head`. Time does not go back in a stream even when the clock does. Throws Fault for what can never be an entry. */
export function nextEntry(
  entry: NewEntry,
  index: number,
  head: StreamHead | undefined,
  now: string,
  randomBytes: (size: number) => Uint8Array,
): Appended {
  const { stream, type, actor } = entry;
  const data = typeof entry.data === "function" ? entry.data(index) : entry.data;
  if (!isStreamName(stream)) throw new Fault("LEDGER_BAD_STREAM", `stream ${quoteForPeople(stream)}: must be 1 to 64 letters, digits, _ and -`);
  if (actor.length === 0 || actor.length > ACTOR_CHARS_MAX)
    throw new Fault("LEDGER_BAD_ACTOR", `actor: must have 1 to ${ACTOR_CHARS_MAX} characters`);
  const streamSeq = head ? head.streamSeq + 1 : 0;
  const time = head && head.time > now ? head.time : now;
  const prev = head ? head.leaf.toString("hex") : NO_PREVIOUS;
  const salt = Buffer.from(randomBytes(SALT_BYTES)).toString("base64url");
  let body: string;
  try {
    // Canonical JSON of an EntryBody, its members in the order of RFC 8785; what is put in between needs no escape.
    body = `{"actor":${canonicalJson(actor)},"data":${canonicalJson(data, 1)},"prev":"${prev}","salt":"${salt}","stream":"${stream}","streamSeq":${streamSeq},"time":"${time}","type":${canonicalJson(type)},"v":1}`;
  } catch (cause) {
    throw new Fault("LEDGER_BAD_DATA", `data of a ${type} entry: ${(cause as Error).message}`, { cause });
  }
  const bytes = Buffer.byteLength(body);
  if (bytes > BODY_BYTES_MAX)
    throw new Fault("LEDGER_BODY_TOO_LARGE", `a ${type} entry of ${bytes} bytes; the limit is ${BODY_BYTES_MAX}`, {
      hint: "name large things by their SHA-256",
    });
  return { index, stream, streamSeq, time, body, leaf: sha256(body) };
}

export function headOf(entry: Pick<Appended, "streamSeq" | "time" | "leaf">): StreamHead {
  return { streamSeq: entry.streamSeq, time: entry.time, leaf: entry.leaf };
}

const MEMBERS = ["actor", "data", "prev", "salt", "stream", "streamSeq", "time", "type", "v"].join();
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Entries of one batch have one time: it is looked at once. */
let lastInstant = "";

/** An instant that the calendar has: Date.parse alone takes 31 February and hour 24. */
function isInstant(time: string): boolean {
  if (time === lastInstant) return true;
  const is = TIME.test(time) && !Number.isNaN(Date.parse(time)) && new Date(time).toISOString() === time;
  if (is) lastInstant = time;
  return is;
}

/** Reads a body and demands that it is exactly what `nextEntry` could have written: canonical, complete, nothing more. */
export function parseEntryBody(text: string): Outcome<EntryBody> {
  const bad = (why: string) => refuse("engine", "BAD_ENTRY", `ledger entry: ${why}`, "nexus ledger fsck");
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) return bad(`is longer than ${BODY_BYTES_MAX} bytes`);
  let value: unknown;
  try {
    value = parseCanonicalJson(text);
  } catch {
    return bad("is not canonical JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return bad("is not an object");
  const body = value as { [key: string]: unknown };
  // Canonical: in order already.
  if (Object.keys(body).join() !== MEMBERS) return bad("does not have exactly the members of an entry");
  const { v, stream, streamSeq, prev, time, type, actor, salt } = body;
  if (v !== 1) return bad("has an unknown version");
  if (typeof stream !== "string" || !isStreamName(stream)) return bad("has no stream");
  if (typeof streamSeq !== "number" || streamSeq < 0) return bad("has no streamSeq");
  if (typeof prev !== "string" || !/^[0-9a-f]{64}$/.test(prev)) return bad("has no prev");
  if (typeof time !== "string" || !isInstant(time)) return bad("has no time");
  if (typeof type !== "string" || !/^[a-z]+(\.[a-z-]+)+$/.test(type)) return bad("has no type");
  if (typeof actor !== "string" || actor.length === 0) return bad("has no actor");
  if (typeof salt !== "string" || !/^[A-Za-z0-9_-]{22}$/.test(salt)) return bad("has no salt");
  return accept({ v, stream, streamSeq, prev, time, type: type as EntryType, actor, data: body.data as Json, salt });
}

/** What is wrong with `body` as the successor of `head`, in words; undefined when it follows. */
export function chainFlaw(body: EntryBody, head: StreamHead | undefined): string | undefined {
  const expected = head ? head.streamSeq + 1 : 0;
  if (body.streamSeq !== expected) return `it is number ${body.streamSeq} of stream ${body.stream}, where number ${expected} belongs`;
  const prev = head ? head.leaf.toString("hex") : NO_PREVIOUS;
  if (body.prev !== prev) return `its prev is not the SHA-256 of entry ${expected - 1} of stream ${body.stream}`;
  if (head && body.time < head.time) return `its time ${body.time} is before ${head.time}, the time of the entry before it in stream ${body.stream}`;
  return undefined;
}

/**
 * A reader's check of one stream from its first entry: no gap, each links to the one before, time never goes back.
 * Returns the number of entries, or names the first that is wrong.
 */
export function verifyStreamChain(bodies: Iterable<string>): Outcome<{ readonly entries: number; readonly head: StreamHead | undefined }> {
  let head: StreamHead | undefined;
  let entries = 0;
  let stream: string | undefined;
  for (const text of bodies) {
    const body = parseEntryBody(text);
    if (!body.ok) return { ...body, message: `entry ${entries} of the stream: ${body.message}` };
    stream ??= body.value.stream;
    const flaw = body.value.stream === stream ? chainFlaw(body.value, head) : `it belongs to stream ${body.value.stream}`;
    if (flaw) return refuse("engine", "BAD_STREAM", `stream ${stream}, entry ${entries}: ${flaw}`, "nexus ledger fsck");
    head = { streamSeq: body.value.streamSeq, time: body.value.time, leaf: sha256(text) };
    entries += 1;
  }
  return accept({ entries, head });
}
