import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { StoredIdentity } from "../core/identity/index.ts";
import { type Checkpoint, openCheckpoint, parseVerifierKey } from "../core/ledger/pure.ts";
import type { ImvuId, Json } from "../kernel/index.ts";
import { bodiesPath, BodyCheck, checkTree, entryLine, erasedLine, LOG_CHECKPOINT_PATH, LOG_KEY_PATH } from "../verify/index.ts";
import type { Client } from "./client.ts";
import { must } from "./context.ts";
import { EXIT, Failure, usageFailure } from "./failure.ts";

export interface LogExport {
  readonly path: string;
  readonly origin: string;
  readonly size: number;
  readonly tiles: number;
  readonly bodies: Readonly<Record<string, number>>;
}

interface Wanted {
  /** Units whose bodies shall come along. */
  readonly units: readonly ImvuId[];
  /** Who may read them; undefined when there are none. */
  readonly reader: StoredIdentity | undefined;
}

const PROGRESS_ENTRIES = 25_600;
const BODIES_PER_PAGE = 100;

/**
 * Takes a log home: checkpoint, tiles, commitments, the key, and the bodies its reader may have. Every file is checked while it comes: the
 * tree is made again from the commitments, each body must be the one committed to. Written beside and renamed when all of it holds, so that
 * a folder of this name is a log that was checked. Memory does not grow with the log.
 */
export async function exportLog(client: Client, target: string, wanted: Wanted, say: (line: string) => void): Promise<LogExport> {
  await refuseNonEmpty(target);
  const { origin, key } = (await client.get("/log/")) as { origin: string; key: string };
  const note = await client.text("/log/checkpoint");
  const checkpoint = must(openCheckpoint(note, must(parseVerifierKey(key))));
  // The key is the one this home pinned, and the log extends what this home saw.
  await client.log.refresh(note);
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.new`);
  await mkdir(beside, { recursive: true });
  try {
    await writeFile(join(beside, LOG_KEY_PATH), `${key}\n`);
    const tiles = await takeTree(client, beside, checkpoint, say);
    const bodies: Record<string, number> = { platform: await takeBodies(client, beside, "platform", checkpoint.size, undefined) };
    for (const unit of wanted.units) {
      bodies[unit] = await takeBodies(client, beside, unit, checkpoint.size, wanted.reader);
      say(`${unit}: ${bodies[unit]} bodies`);
    }
    await writeFile(join(beside, LOG_CHECKPOINT_PATH), note);
    await rename(beside, target);
    return { path: target, origin, size: checkpoint.size, tiles, bodies };
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

async function refuseNonEmpty(target: string): Promise<void> {
  const there = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw usageFailure(`--out: ${target} is not a folder that can be read (${error.code})`, "name a folder that does not exist yet");
  });
  if (there && there.length > 0) throw usageFailure(`--out: ${target} is not empty`, "name a folder that does not exist yet", "NOT_EMPTY");
}

async function takeTree(client: Client, dir: string, checkpoint: Checkpoint, say: (line: string) => void): Promise<number> {
  const take = async (path: string): Promise<Buffer> => {
    const bytes = await client.bytes(`/log/${path}`);
    const file = join(dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    return bytes;
  };
  let said = 0;
  const { entries, tiles, failure } = await checkTree(checkpoint, take, {
    seen: (seen) => {
      if (seen - said < PROGRESS_ENTRIES && seen < checkpoint.size) return;
      said = seen;
      say(`${seen} of ${checkpoint.size} entries`);
    },
  });
  if (failure) throw lying(`${failure.what}: expected ${failure.expected}, found ${failure.found} (after ${entries} good entries)`);
  return tiles;
}

/** The stream's bodies that the checkpoint covers; what came later is left out. */
async function takeBodies(client: Client, dir: string, stream: ImvuId | "platform", size: number, reader: StoredIdentity | undefined): Promise<number> {
  const check = new BodyCheck(stream, size, (path) => readFile(join(dir, path)));
  const path = join(dir, bodiesPath(stream));
  await mkdir(dirname(path), { recursive: true });
  const file: FileHandle = await open(path, "wx");
  let count = 0;
  try {
    for (let from: number | null = 0; from !== null && from < size; ) {
      const asked: string = reader ? `/v1/imvus/${stream}/ledger/bodies?from=${from}&limit=${BODIES_PER_PAGE}` : `/v1/ledger/platform?from=${from}`;
      const page = pageOf(await (reader ? client.read(reader, asked) : client.get(asked)), from);
      for (const { index, body, erased } of page.entries) {
        if (index >= size) continue;
        const flaw = await (body === undefined ? check.goneFlaw(index, Buffer.from(erased, "hex")) : check.flaw(index, body));
        if (flaw !== undefined) throw lying(`stream ${stream}, entry ${index}: ${flaw}`);
        await file.write(`${body === undefined ? erasedLine(index, erased) : entryLine(index, body)}\n`);
        count += 1;
      }
      from = page.next;
    }
    const [gone] = check.unordered();
    if (gone !== undefined) throw lying(`stream ${stream}, entry ${gone}: the body is gone, and no entry orders it erased`);
  } finally {
    await file.close();
  }
  return count;
}

/** A page that leads nowhere new would be asked for for ever. */
function pageOf(answer: Json, from: number): { readonly entries: readonly ({ readonly index: number } & ({ readonly body: string; readonly erased?: never } | { readonly body?: never; readonly erased: string }))[]; readonly next: number | null } {
  const { entries, next } = answer as { entries?: unknown; next?: unknown };
  const good =
    Array.isArray(entries) &&
    entries.every((entry: { index?: unknown; body?: unknown; erased?: unknown } | null) => Number.isSafeInteger(entry?.index) && (typeof entry?.body === "string" || /^[0-9a-f]{64}$/.test(String(entry?.erased)))) &&
    (next === null || (Number.isSafeInteger(next) && (next as number) > from));
  if (!good) throw new Failure({ code: "BAD_ANSWER", message: "the platform answered no page of entries", hint: "nexus doctor" }, EXIT.engine);
  return { entries, next } as ReturnType<typeof pageOf>;
}

function lying(what: string): Failure {
  return new Failure({ code: "LOG_WRONG", message: `DO NOT TRUST THIS PLATFORM: what it served is not what it signed – ${what}`, hint: "nothing was kept; ask again, and show others what 'nexus ledger checkpoint' prints" }, EXIT.notSo);
}
