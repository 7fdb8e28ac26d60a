import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImvuId } from "../kernel/index.ts";

const ARCHIVE = /\.tar\.zst(\.age)?$/;
const KEPT = /\.tar\.zst(\.age)?(\.sha256)?$/;

export interface Archive {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** The folder exits are written to. Of each unit the newest archive stays, and nothing beside it: an unpacked bundle would be its data once more, in the clear. */
export class Exits {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async newest(imvu: ImvuId): Promise<Archive | undefined> {
    const name = (await this.of(imvu)).filter((one) => ARCHIVE.test(one)).at(-1);
    if (!name) return undefined;
    const path = join(this.folder, name);
    return { name, path, bytes: (await stat(path)).size };
  }

  /** Takes away what an exit that is complete now made superfluous. */
  async keepNewest(imvu: ImvuId): Promise<void> {
    const newest = await this.newest(imvu);
    for (const name of await this.of(imvu)) if (newest && name !== newest.name && name !== `${newest.name}.sha256`) await this.remove(name);
  }

  /** What exits and imports that a crash ended left half-made. Nothing may be at work. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.folder)) if (!KEPT.test(name)) await this.remove(name);
  }

  private async of(imvu: ImvuId): Promise<readonly string[]> {
    return (await readdir(this.folder)).filter((name) => name.startsWith(`${imvu}-`)).sort();
  }

  private async remove(name: string): Promise<void> {
    await rm(join(this.folder, name), { recursive: true, force: true });
  }
}
