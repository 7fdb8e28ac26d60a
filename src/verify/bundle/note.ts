import { openNote, parseVerifierKey } from "../../core/ledger/pure.ts";
import { accept, type Outcome } from "../../kernel/index.ts";

/** The text of MANIFEST.sig when the log's key signed it. */
export function readManifestNote(note: string, logKey: string): Outcome<string> {
  const verifier = parseVerifierKey(logKey);
  if (!verifier.ok) return verifier;
  const opened = openNote(note, verifier.value);
  return opened.ok ? accept(opened.value.text) : opened;
}
