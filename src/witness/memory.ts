import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type NoteVerifier, parseVerifierKey } from "../core/ledger/pure.ts";
import { ensureFolder, Fault, type Outcome, quoteForPeople, refuse, sha256Hex, writeFileAtomic } from "../kernel/index.ts";
import { NOTHING_SEEN, type Seen } from "./judge.ts";

/**
 * What a witness has on disk: `logs/<id>.json` – whom it watches, with the keys it trusts – and `seen/<id>.json` – the newest tree it
 * vouched for. `add-log` makes both once. A log whose `seen` file is gone is never begun again at 0, because the witness might then vouch for a
 * second history: it is an error until somebody brings the file back, or takes the witness's key out of use.
 */

export const KEYS_PER_LOG_MAX = 16;
const ROOT = /^[0-9a-f]{64}$/;

const zLog = z.strictObject({ v: z.literal(1), origin: z.string(), keys: z.array(z.string()).min(1).max(KEYS_PER_LOG_MAX) });
const zSeen = z.strictObject({ v: z.literal(1), origin: z.string(), size: z.int().min(0), root: z.string().regex(ROOT) });

export interface WatchedLog {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly size: number;
}

export class WitnessMemory {
  private readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async open(dir: string): Promise<WitnessMemory> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const folder of ["logs", "seen"]) await ensureFolder(join(dir, folder), 0o700);
    return new WitnessMemory(dir);
  }

  private file(folder: "logs" | "seen", origin: string): string {
    return join(this.dir, folder, `${sha256Hex(origin).slice(0, 32)}.json`);
  }

  /** undefined: this log is not watched. */
  async keysOf(origin: string): Promise<readonly NoteVerifier[] | undefined> {
    const log = await readJson(this.file("logs", origin), zLog);
    if (log?.origin !== origin) return undefined;
    return log.keys.map((vkey) => {
      const key = parseVerifierKey(vkey);
      if (!key.ok) throw new Fault("WITNESS_MEMORY", `${this.file("logs", origin)}: ${key.message}`, { hint: "bring the file back" });
      return key.value;
    });
  }

  /** @throws Fault when it is gone or unreadable */
  async seen(origin: string): Promise<Seen> {
    const path = this.file("seen", origin);
    const seen = await readJson(path, zSeen);
    if (!seen || seen.origin !== origin)
      throw new Fault("WITNESS_MEMORY_LOST", `${path}: what was seen of ${quoteForPeople(origin)} is gone`, { hint: "bring the file back from the newest copy, or begin a new witness with a new key" });
    return { size: seen.size, root: Buffer.from(seen.root, "hex") };
  }

  /** Durable when it resolves. */
  async remember(origin: string, { size, root }: Seen): Promise<void> {
    await writeFileAtomic(this.file("seen", origin), `${JSON.stringify({ v: 1, origin, size, root: root.toString("hex") })}\n`);
  }

  /** Watches the log whose origin is the key's name; a further key for a log that is watched already is trusted beside the first. */
  async addLog(vkey: string): Promise<Outcome<WatchedLog>> {
    const key = parseVerifierKey(vkey);
    if (!key.ok) return key;
    const origin = key.value.name;
    const known = await readJson(this.file("logs", origin), zLog);
    const keys = [...new Set([...(known?.keys ?? []), key.value.vkey])];
    if (keys.length > KEYS_PER_LOG_MAX) return refuse("usage", "TOO_MANY_KEYS", `log ${quoteForPeople(origin)}: at most ${KEYS_PER_LOG_MAX} keys are trusted`, "nexus witness list --dir DIR");
    // What was seen comes first: a log without it would be an error.
    if (!known && !(await readJson(this.file("seen", origin), zSeen))) await this.remember(origin, NOTHING_SEEN);
    await writeFileAtomic(this.file("logs", origin), `${JSON.stringify({ v: 1, origin, keys }, null, 2)}\n`);
    return { ok: true, value: { origin, keys, size: (await this.seen(origin)).size } };
  }

  /** All that are watched. @throws Fault when of one of them it is not known what was seen */
  async logs(): Promise<readonly WatchedLog[]> {
    const names = (await readdir(join(this.dir, "logs"))).filter((name) => name.endsWith(".json")).sort();
    const logs: WatchedLog[] = [];
    for (const name of names) {
      const log = await readJson(join(this.dir, "logs", name), zLog);
      if (log) logs.push({ origin: log.origin, keys: log.keys, size: (await this.seen(log.origin)).size });
    }
    return logs;
  }
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault("WITNESS_MEMORY", `${path}: not as this witness writes it`, { cause, hint: "bring the file back from the newest copy" });
  }
}
