import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { commandFields, createIdentityKey, signCommand } from "../../src/core/identity/index.ts";
import { foldRange, headOf, inclusionRanges, leafHash, nextEntry, nodeHash, rootRange, signCheckpoint, noteSigner, type StreamHead } from "../../src/core/ledger/pure.ts";
import { openLogKey } from "../../src/core/ledger/index.ts";
import type { ImvuId, Json } from "../../src/kernel/index.ts";
import { entriesPath, entryLine, proofLine, proofsPath } from "../../src/verify/index.ts";

const STREAM = "IMVU-001" as ImvuId;
const TIME = "2026-01-01T00:00:00.000Z";

export interface AuditFiles {
  readonly checkpoint: string;
  readonly verifierKey: string;
  readonly publicKey: string;
}

/** A bundle's events with their proofs, by the ledger's own pure code: every `commandEvery`-th entry carries a signed command, the others a reading's worth of data. */
export async function writeAuditFiles(dir: string, entries: number, commandEvery: number): Promise<AuditFiles> {
  const key = createIdentityKey();
  const signer = noteSigner("bench.example/nexus", await openLogKey(join(dir, "log.pem")));
  const rows: Buffer[][] = [[]];
  let head: StreamHead | undefined;
  const salt = (size: number) => randomBytes(size);
  async function* lines() {
    let text = "";
    for (let index = 0; index < entries; index += 1) {
      const command = index % commandEvery === 0;
      const data = (command ? { jws: signCommand(commandFields("consent.record", STREAM, { subject: `user-${index}`, purpose: "newsletter", text: createHash("sha256").update("t").digest("hex"), state: "given" }, 1_790_000_000_000), key) } : { n: index, pad: "x".repeat(146) }) as unknown as Json;
      const entry = nextEntry({ stream: STREAM, type: command ? "command.accepted" : "meter.reading", actor: "platform", data }, index, head, TIME, salt);
      head = headOf(entry);
      leaves.push(entry.leaf);
      grow(rows, leafHash(entry.leaf));
      text += `${entryLine(index, entry.body)}\n`;
      if (text.length > 65_536) {
        yield text;
        text = "";
      }
    }
    yield text;
  }
  const leaves: Buffer[] = [];
  for (const path of [entriesPath("events"), proofsPath("events")]) await mkdir(dirname(join(dir, path)), { recursive: true });
  await pipeline(lines, createWriteStream(join(dir, entriesPath("events"))));
  const fold = (range: ReturnType<typeof rootRange>) => foldRange(range.map(({ level, index }) => rows[level]?.[index] as Buffer));
  async function* proofs() {
    for (let index = 0; index < entries; index += 1) yield `${proofLine(index, leaves[index]?.toString("base64") ?? "", inclusionRanges(index, entries).map((range) => fold(range).toString("base64")))}\n`;
  }
  await pipeline(proofs, createWriteStream(join(dir, proofsPath("events"))));
  return { checkpoint: signCheckpoint({ origin: signer.name, size: entries, root: fold(rootRange(entries)) }, signer), verifierKey: signer.vkey, publicKey: key.publicKey.text };
}

function grow(rows: Buffer[][], leaf: Buffer): void {
  let hash = leaf;
  for (let level = 0; ; level += 1) {
    const row = rows[level] ?? [];
    rows[level] = row;
    row.push(hash);
    if (row.length % 2 === 1) return;
    hash = nodeHash(row.at(-2) as Buffer, hash);
  }
}
