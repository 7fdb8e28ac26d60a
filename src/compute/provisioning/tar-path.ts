import { Fault, quoteForPeople } from "../../kernel/index.ts";

/** Names inside archives come from strangers. Pure checks; nothing here touches a disk. */

export const PATH_BYTES_MAX = 1_024;
export const PATH_DEPTH_MAX = 64;
const NAME_BYTES_MAX = 255;

/** `./a/b/` → `a/b`; the root → ``. A name that could leave the folder, or that tools read differently, is refused. */
export function safePath(name: string): string {
  const refuse = (why: string) => new Fault("ARCHIVE_NAME", `the archive holds a name that ${why}: ${quoteForPeople(name)}`, { hint: "pack it again with relative, plain names" });
  if (name.includes("\0")) throw refuse("contains a NUL");
  if (name.startsWith("/")) throw refuse("is absolute");
  if (Buffer.byteLength(name) > PATH_BYTES_MAX) throw refuse(`is longer than ${PATH_BYTES_MAX} bytes`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refuse("leads upwards");
  if (parts.length > PATH_DEPTH_MAX) throw refuse(`is nested deeper than ${PATH_DEPTH_MAX} folders`);
  if (parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) throw refuse(`has a part longer than ${NAME_BYTES_MAX} bytes`);
  return parts.join("/");
}

/** True when a symbolic link at `path` with this target stays inside the folder, whatever else is in it. */
export function linkStaysInside(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0") || Buffer.byteLength(target) > PATH_BYTES_MAX) return false;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return true;
}
