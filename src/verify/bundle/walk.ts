import { opendir } from "node:fs/promises";
import { join } from "node:path";

/** Every path below a folder with what it is, links not followed; stops with `more` after the bound. */
export async function walk(root: string, entries_max: number): Promise<{ readonly files: ReadonlySet<string>; readonly strange: readonly { path: string; what: string }[]; readonly more: boolean }> {
  const files = new Set<string>();
  const strange: { path: string; what: string }[] = [];
  const folders = [""];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(join(root, folder))) {
      entries += 1;
      if (entries > entries_max) return { files, strange, more: true };
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.add(path);
      else strange.push({ path, what: entry.isSymbolicLink() ? "a link" : "neither file nor folder" });
    }
  }
  return { files, strange, more: false };
}
