import { accept, type Outcome, quoteForPeople, refuse } from "../../kernel/index.ts";

declare const bundlePathBrand: unique symbol;
/** `/`-separated path inside a bundle, safe to join to a folder on any common file system. */
export type BundlePath = string & { readonly [bundlePathBrand]: true };

export const BUNDLE_PATH_CHARS_MAX = 512;
export const BUNDLE_PATH_SEGMENT_CHARS_MAX = 200;
export const BUNDLE_PATH_DEPTH_MAX = 12;

export const MANIFEST_PATH = "MANIFEST.json" as BundlePath;
export const SIGNATURE_PATH = "MANIFEST.sig" as BundlePath;

/**
 * Printable ASCII without \ : * ? " < > |, so no two spellings of one name exist and no file system reads a path differently:
 * no bidirectional marks, no NFC/NFD twins, no NUL, no drive letters. Other names are percent-encoded by whoever writes them.
 */
const SEGMENT = /^[A-Za-z0-9._@+=~%,!#$&'()[\]{}^`; -]+$/;

export function parseBundlePath(text: unknown): Outcome<BundlePath> {
  const wrong = typeof text === "string" ? reasonAgainst(text) : "is not a text";
  if (wrong === undefined) return accept(text as BundlePath);
  const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
  return refuse("usage", "BUNDLE_PATH", `bundle path ${seen}: ${wrong}`, "percent-encode the name; paths are relative and stay inside the bundle");
}

function reasonAgainst(text: string): string | undefined {
  if (text.length === 0 || text.length > BUNDLE_PATH_CHARS_MAX) return `must have 1 to ${BUNDLE_PATH_CHARS_MAX} characters`;
  const segments = text.split("/");
  if (segments.length > BUNDLE_PATH_DEPTH_MAX) return `lies deeper than ${BUNDLE_PATH_DEPTH_MAX} folders`;
  for (const segment of segments) {
    if (segment === "") return "is absolute or has an empty folder name";
    if (segment === "." || segment === "..") return "must not contain . or ..";
    if (segment.length > BUNDLE_PATH_SEGMENT_CHARS_MAX) return `has a name longer than ${BUNDLE_PATH_SEGMENT_CHARS_MAX} characters`;
    if (!SEGMENT.test(segment)) return "holds a character outside the allowed ones";
    if (/^ |[ .]$/.test(segment)) return "has a name that begins or ends with a space, or ends with a dot";
  }
  return undefined;
}

/** The section a file belongs to: its first folder; files at the top are `bundle`. */
export function sectionOf(path: BundlePath): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "bundle" : path.slice(0, slash);
}
