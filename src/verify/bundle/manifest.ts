import { z } from "zod";
import { zImvuId, zSha256 } from "../../contract/index.ts";
import { accept, type Json, messageOf, type Outcome, refuse, sha256Hex } from "../../kernel/index.ts";
import { type BundlePath, parseBundlePath, sectionOf } from "./path.ts";

export const BUNDLE_FORMAT = "nexus-bundle/v1";
/** Bounds of a bundle, for writer and reader alike: what was exported can always be imported. */
export const BUNDLE_FILES_MAX = 200_000;
export const BUNDLE_BYTES_MAX = 1024 ** 4;
export const MANIFEST_BYTES_MAX = 64 * 1024 ** 2;
export const SIGNATURE_BYTES_MAX = 64 * 1024;

const zBundlePath = z.string().transform((text, context): BundlePath => {
  const parsed = parseBundlePath(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: "custom", message: parsed.message });
  return z.NEVER;
});
const zCount = z.int().min(0);
const zText = z.string().max(4_096);

export const zManifest = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  imvu: zImvuId,
  createdAt: z.iso.datetime({ precision: 3 }),
  toolVersion: zText,
  ledger: z.strictObject({
    /** Newest entry of the IMVU's stream that the bundle holds. */
    index: zCount,
    /** The checkpoint all inclusion proofs end in: the text of ledger/checkpoint. */
    checkpoint: z.string().max(SIGNATURE_BYTES_MAX),
  }),
  /** The owner's signed command that asked for this export: its digest, and where its entry stands in the ledger. */
  exit: z.strictObject({ command: zSha256, index: zCount }).nullable(),
  sections: z.record(z.string(), z.strictObject({ files: zCount, bytes: zCount })),
  files: z.array(z.strictObject({ path: zBundlePath, bytes: zCount, sha256: zSha256, section: zText })).max(BUNDLE_FILES_MAX),
  notIncluded: z.array(z.strictObject({ what: zText, why: zText })),
});

export type Manifest = z.output<typeof zManifest>;
export type ManifestFile = Manifest["files"][number];

/** One form, so that the same bundle always has the same digest: two spaces, one newline at the end, no member twice. */
export function manifestText(manifest: Manifest): string {
  return formatted(manifest);
}

function formatted(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function parseManifest(bytes: Uint8Array): Outcome<Manifest> {
  let data: Json;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    data = JSON.parse(text) as Json;
    // A member twice, or another spelling, could be read as something else by another tool.
    if (formatted(data) !== text) return wrong("is not in the one form that is signed");
  } catch (error) {
    return wrong(messageOf(error));
  }
  const parsed = zManifest.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return wrong(`${issue?.path.join(".") || "it"}: ${issue?.message ?? "does not fit"}`);
  }
  return checkSums(parsed.data);
}

/** Sums of files by section, as they must stand in the manifest. */
export function sectionsOf(files: readonly ManifestFile[]): Manifest["sections"] {
  const sections = new Map<string, { files: number; bytes: number }>();
  for (const { section, bytes } of files) {
    const sum = sections.get(section);
    sections.set(section, { files: (sum?.files ?? 0) + 1, bytes: (sum?.bytes ?? 0) + bytes });
  }
  return Object.fromEntries([...sections].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkSums(manifest: Manifest): Outcome<Manifest> {
  const seen = new Set<string>();
  for (const { path, section } of manifest.files) {
    if (seen.has(path)) return wrong(`${path} is listed twice`);
    seen.add(path);
    if (section !== sectionOf(path)) return wrong(`${path} is not of section ${section}`);
  }
  const sections = sectionsOf(manifest.files);
  for (const name of new Set([...Object.keys(sections), ...Object.keys(manifest.sections)])) {
    const [is, said] = [sections[name], manifest.sections[name]];
    if (!is || !said || is.files !== said.files || is.bytes !== said.bytes) return wrong(`section ${name}: its sums are not those of its files`);
  }
  return accept(manifest);
}

/** What MANIFEST.sig signs: a short text that pins the manifest's every bit. The first line keeps it apart from a checkpoint. */
export function manifestNoteText(imvu: string, manifest: Uint8Array): string {
  return `${BUNDLE_FORMAT}\n${imvu}\n${manifest.length} ${sha256Hex(manifest)}\n`;
}

function wrong(why: string): Outcome<never> {
  return refuse("usage", "BUNDLE_MANIFEST", `MANIFEST.json: ${why}`, "ask for the bundle again: this one was altered, or is no bundle");
}
