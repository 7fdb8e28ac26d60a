import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openCommand, type OpenedCommand, publicKeyFromText, verifySignatures } from "../../src/core/identity/index.ts";
import { chainFlaw, headOf, openCheckpoint, parseHashes, parseVerifierKey, type StreamHead, verifyInclusion } from "../../src/core/ledger/pure.ts";
import { sha256 } from "../../src/kernel/index.ts";
import { readEntries } from "../../src/verify/entry-reader.ts";
import { Counter, Failures } from "../../src/verify/failures.ts";
import { entriesPath, proofsPath } from "../../src/verify/ledger-files.ts";
import { linesOf } from "../../src/verify/lines.ts";
import type { AuditFiles } from "./audit-files.ts";

/** In a process of its own, so that its memory is its own: `audit` reads and checks everything, `crypto` times hashing and signatures alone. */
const [mode, dir = ""] = process.argv.slice(2);
const files = JSON.parse(await readFile(join(dir, "audit.json"), "utf8")) as AuditFiles;
const verifier = parseVerifierKey(files.verifierKey);
const checkpoint = verifier.ok ? openCheckpoint(files.checkpoint, verifier.value) : verifier;
const key = publicKeyFromText(files.publicKey);
if (!checkpoint.ok || !key.ok) throw new TypeError("the bench's own files cannot be read");
const signed = (opened: OpenedCommand) => verifySignatures(opened, () => key.value).every(({ valid }) => valid);

const { seconds, entries } = mode === "audit" ? await audit() : await crypto();
process.stdout.write(JSON.stringify({ seconds, entries, rssBytes: process.resourceUsage().maxRSS * 1024 }));

async function audit() {
  const [counter, failures] = [new Counter(), new Failures()];
  let head: StreamHead | undefined;
  const began = performance.now();
  for await (const entry of readEntries(dir, "events", checkpoint.ok ? checkpoint.value : (undefined as never), counter, failures)) {
    if (entry.text === null) throw new TypeError("the bench's own files hold nothing erased");
    const { body, leaf } = entry;
    const flaw = chainFlaw(body, head);
    head = headOf({ ...body, leaf });
    if (flaw) failures.add("entry", "the next of the stream", flaw);
    if (body.type !== "command.accepted") continue;
    const opened = openCommand((body.data as { jws: unknown }).jws);
    if (!opened.ok || !signed(opened.value)) failures.add("entry", "a signature that verifies", "none");
  }
  if (failures.total > 0 || counter.good !== counter.of) throw new TypeError(JSON.stringify(failures.list[0]));
  return { seconds: (performance.now() - began) / 1_000, entries: counter.good };
}

/** Everything is parsed before the clock runs: a body's digest, its leaf and its whole path up to the root, and the signatures. */
async function crypto() {
  const PORTION = 10_000;
  const [bodies, proofs] = [linesOf(join(dir, entriesPath("events"))), linesOf(join(dir, proofsPath("events")))];
  let [ms, entries] = [0, 0];
  for (let more = true; more; ) {
    const portion: { text: string; index: number; hashes: readonly Uint8Array[]; opened: OpenedCommand | undefined }[] = [];
    while (portion.length < PORTION) {
      const [body, proof] = [await bodies.next(), await proofs.next()];
      more = !body.done && !proof.done;
      if (body.done || proof.done) break;
      const text = /"body":(.*)\}$/s.exec(body.value)?.[1] ?? "";
      const opened = text.includes('"type":"command.accepted"') ? openCommand(JSON.parse(text).data.jws) : undefined;
      const { index, proof: path } = JSON.parse(proof.value) as { index: number; proof: string[] };
      portion.push({ text, index, hashes: parseHashes(path) ?? [], opened: opened?.ok ? opened.value : undefined });
    }
    const began = performance.now();
    for (const { text, index, hashes, opened } of portion) {
      if (!checkpoint.ok || !verifyInclusion(sha256(text), index, checkpoint.value.size, hashes, checkpoint.value.root)) throw new TypeError(`entry ${index}`);
      if (opened && !signed(opened)) throw new TypeError(`command ${index}`);
    }
    ms += performance.now() - began;
    entries += portion.length;
  }
  return { seconds: ms / 1_000, entries };
}
