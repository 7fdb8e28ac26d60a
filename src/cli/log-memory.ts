import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Receipt } from "../contract/index.ts";
import { verifyCheckpoints, verifyReceipt } from "../core/ledger/pure.ts";
import { ensureFolder, writeFileAtomic } from "../kernel/index.ts";
import { EXIT, Failure } from "./failure.ts";

interface Seen {
  readonly origin: string;
  readonly key: string;
  readonly checkpoint: string | null;
}

type Fetch = (path: string) => Promise<unknown>;

/**
 * What this home knows of one platform's log: its key, pinned at first contact, and the newest checkpoint it was ever shown.
 * Each new checkpoint must extend the old one; a log that shrank or forked is evidence, and the end of trust.
 */
export class LogMemory {
  private readonly folder: string;
  private readonly fetch: Fetch;

  constructor(home: string, fetch: Fetch) {
    this.folder = join(home, "logs-seen");
    this.fetch = fetch;
  }

  private file(origin: string): string {
    return join(this.folder, `${createHash("sha256").update(origin).digest("hex").slice(0, 24)}.json`);
  }

  private async seen(): Promise<Seen> {
    const { origin, key } = (await this.fetch("/log/")) as { origin: string; key: string };
    const known = await readFile(this.file(origin), "utf8").then(
      (text) => JSON.parse(text) as Seen,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      },
    );
    if (known && known.key !== key) throw await this.alarm("LOG_KEY_CHANGED", `the log ${origin} is signed by another key than before`, { known: known.key, shown: key });
    return known ?? { origin, key, checkpoint: null };
  }

  /** The entry stands in the log this home has been watching. Throws Failure otherwise; nothing is called done before. */
  async check(receipt: Receipt): Promise<void> {
    const seen = await this.seen();
    const verified = verifyReceipt(receipt, seen.key);
    if (!verified.ok) throw await this.alarm(verified.code, verified.message, { receipt, seen });
    await this.extend(seen, verified.value.note);
  }

  /** Asks for the newest checkpoint and holds it against the one kept. */
  async refresh(checkpoint: string): Promise<void> {
    await this.extend(await this.seen(), checkpoint);
  }

  private async extend(seen: Seen, note: string): Promise<void> {
    if (seen.checkpoint !== null && seen.checkpoint !== note) {
      const [from, to] = [sizeOf(seen.checkpoint), sizeOf(note)];
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      const answer = (await this.fetch(`/v1/ledger/consistency?from=${low}&to=${high}`).catch(() => undefined)) as { proof: string[] } | undefined;
      const checked = answer ? verifyCheckpoints(seen.checkpoint, note, answer.proof, seen.key) : undefined;
      if (!checked?.ok) throw await this.alarm("LOG_FORKED", checked ? checked.message : `the log had ${from} entries and cannot show that its ${to} entries extend them`, { seen, note });
      if (to < from) return;
    }
    await ensureFolder(this.folder, 0o700);
    await writeFileAtomic(this.file(seen.origin), `${JSON.stringify({ ...seen, checkpoint: note }, null, 2)}\n`);
  }

  private async alarm(code: string, message: string, evidence: unknown): Promise<Failure> {
    await ensureFolder(this.folder, 0o700);
    const path = join(this.folder, `evidence-${new Date().toISOString().replace(/[:.]/g, "")}.json`);
    await writeFileAtomic(path, `${JSON.stringify({ code, message, evidence }, null, 2)}\n`);
    return new Failure({ code, message: `DO NOT TRUST THIS PLATFORM: ${message}`, hint: `the evidence is in ${path}; keep it and show it to others` }, EXIT.notSo);
  }
}


function sizeOf(note: string): number {
  return Number(note.split("\n")[1]);
}
