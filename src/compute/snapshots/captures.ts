import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Captured, imvuUidBase, type Site, type Snapshot } from "../../contract/index.ts";
import { Fault, messageOf, type ServiceName, type Sha256, sha256Hex } from "../../kernel/index.ts";
import { createSubvolume, isReadOnly, removeTree, setReadOnly, settleOnDisk, snapshotOf } from "../envelopes/subvolumes.ts";
import type { Volumes } from "../envelopes/volume.ts";
import { dataOf, type Layout, scratchOf, snapshotsOf } from "../layout.ts";
import { listTree, type Listed } from "./listing.ts";

const DATA = "data";
const DOCUMENT = "document.json";
/** Files of holes and shared extents can say more than the volume has; what is read has a bound all the same. */
const READ_PER_STORAGE_MAX = 4;

/** Which volume, and how much of it may be read. */
export interface Place {
  readonly number: number;
  readonly storageBytes: number;
}

/**
 * Captures of a volume, each `snapshots/ID`: a read-only subvolume with the unit's document and, in `data`, a read-only snapshot for each
 * service. A service's data is of one instant; services follow each other within milliseconds.
 */
export class Captures {
  private readonly site: Pick<Site, "uidBase">;
  private readonly layout: Layout;
  private readonly volumes: Volumes;

  constructor(site: Pick<Site, "uidBase">, layout: Layout, volumes: Volumes) {
    this.site = site;
    this.layout = layout;
    this.volumes = volumes;
  }

  /** Under its name it is whole. What lies there under an id that the ledger does not tell yet is of a crash, or of somebody else: it is none. */
  async take({ number, storageBytes }: Place, id: string, document: string): Promise<Captured> {
    const path = this.pathOf(number, id);
    const digest = sha256Hex(document);
    const beside = `${path}.new`;
    await mkdir(snapshotsOf(this.layout, number), { recursive: true, mode: 0o700 });
    await this.remove(number, id);
    return await withRoom(async () => {
      await createSubvolume(beside);
      await mkdir(join(beside, DATA), { mode: 0o700 });
      await writeFile(join(beside, DOCUMENT), document, { mode: 0o600 });
      await this.freeze(number, join(beside, DATA));
      await setReadOnly(beside, true);
      const listed = await this.list({ number, storageBytes }, join(beside, DATA), digest);
      await rename(beside, path);
      await settleOnDisk(path);
      return { document: digest, ...listed };
    });
  }

  async remove(number: number, id: string): Promise<void> {
    for (const path of [this.pathOf(number, id), `${this.pathOf(number, id)}.new`]) await removeTree(path);
  }

  /** Where the services' data of a capture lies. */
  dataOf(number: number, id: string): string {
    return join(this.pathOf(number, id), DATA);
  }

  async names(number: number): Promise<readonly string[]> {
    return (await readdir(snapshotsOf(this.layout, number)).catch(() => [] as string[])).sort();
  }

  /** What is not as the ledger tells it, in words; empty when all of it is. `part` "form": without reading the files. */
  async flaws(place: Place, snapshot: Snapshot, part: "form" | "all", signal?: AbortSignal): Promise<readonly string[]> {
    const { id, document } = snapshot;
    const path = this.pathOf(place.number, id);
    if (!existsSync(path)) return [`${id} is in the ledger and not on the volume`];
    const wrong: string[] = [];
    const inside = (await readdir(path)).sort();
    if (inside.join() !== `${DATA},${DOCUMENT}`) return [`${id} holds ${inside.join(", ") || "nothing"} instead of ${DATA} and ${DOCUMENT}`];
    for (const one of [path, ...(await readdir(join(path, DATA))).map((name) => join(path, DATA, name))])
      if (!(await isReadOnly(one).catch(() => false))) wrong.push(`${id} can be written to (${one.slice(path.length + 1) || "as a whole"})`);
    const found = sha256Hex(await readFile(join(path, DOCUMENT)));
    if (found !== document) wrong.push(`the document in ${id} has SHA-256 ${found}, in the ledger stands ${document}`);
    if (part === "form") return wrong;
    const listed = await this.list(place, join(path, DATA), document, signal);
    if (listed.digest !== snapshot.digest) wrong.push(`${id} has the digest ${listed.digest}, in the ledger stands ${snapshot.digest}`);
    return wrong;
  }

  async list({ number, storageBytes }: Place, folder: string, document: Sha256, signal?: AbortSignal): Promise<Listed> {
    return await listTree(folder, { document, uidBase: imvuUidBase(this.site, number), bytesMax: storageBytes * READ_PER_STORAGE_MAX, ...(signal ? { signal } : {}) });
  }

  /** Makes writable copies of everything in `captured`, as a restore does, and reads them; nothing of it stays. */
  async onTrial(place: Place, captured: string, document: Sha256, signal?: AbortSignal): Promise<Listed> {
    return await this.withScratch(place.number, "trial", async (folder) => {
      await mkdir(folder, { mode: 0o700 });
      for (const name of await readdir(captured)) await withRoom(() => snapshotOf(join(captured, name), join(folder, name), "writable"));
      return await this.list(place, folder, document, signal);
    });
  }

  /** A capture that nobody keeps. */
  async forAMoment<T>(number: number, work: (captured: string) => Promise<T>): Promise<T> {
    return await this.withScratch(number, "capture", async (folder) => {
      await mkdir(folder, { mode: 0o700 });
      await withRoom(() => this.freeze(number, folder));
      return await work(folder);
    });
  }

  private async freeze(number: number, into: string): Promise<void> {
    for (const name of await this.volumes.dataNames(number)) await snapshotOf(dataOf(this.layout, number, name as ServiceName), join(into, name), "read-only");
  }

  private async withScratch<T>(number: number, what: string, work: (folder: string) => Promise<T>): Promise<T> {
    await mkdir(scratchOf(this.layout, number), { recursive: true, mode: 0o700 });
    const folder = join(scratchOf(this.layout, number), `${what}-${process.pid}-${Date.now()}`);
    try {
      return await work(folder);
    } finally {
      await removeTree(folder);
    }
  }

  private pathOf(number: number, id: string): string {
    return join(snapshotsOf(this.layout, number), id);
  }
}

/** The kernel's word for a full volume is one of many lines of a tool. */
async function withRoom<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!/No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/.test(messageOf(cause))) throw cause;
    throw new Fault("VOLUME_FULL", "the volume is full: there is no room for one snapshot more", { cause, hint: "delete some files, remove a snapshot, or ask for more: 'nexus imvu scale --storage'" });
  }
}
