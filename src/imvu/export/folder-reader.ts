import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { BundleReader } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";

/** Reads a bundle's files from a folder; only paths that were verified (or just written by us) are in the list, and no other can be opened. */
export class FolderReader implements BundleReader {
  private readonly dir: string;
  private readonly paths: ReadonlySet<string>;

  constructor(dir: string, paths: Iterable<string>) {
    this.dir = dir;
    this.paths = new Set(paths);
  }

  list(prefix: string): readonly string[] {
    return [...this.paths].filter((path) => path.startsWith(prefix)).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    return await readFile(this.place(path));
  }

  stream(path: string): Readable {
    return createReadStream(this.place(path));
  }

  private place(path: string): string {
    if (!this.paths.has(path)) throw new Fault("BUNDLE_NO_FILE", `the bundle has no file ${path}`, { hint: "it is incomplete: export it again" });
    return join(this.dir, path);
  }
}
