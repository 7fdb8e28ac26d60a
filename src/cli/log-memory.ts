import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Receipt } from "../contract/index.ts";
import { openCheckpoint, openCosignatures, parseNote, parseVerifierKey, parseWitnessKey, verifyCheckpoints, verifyReceipt } from "../core/ledger/pure.ts";
import { ensureFolder, type Outcome, sleep, writeFileAtomic } from "../kernel/index.ts";
import { EXIT, Failure } from "./failure.ts";

interface Seen {
  readonly origin: string;
  readonly key: string;
  readonly checkpoint: string | null;
  /** Cosignatures that a checkpoint must carry to be believed: at least `required` of these keys'. */
  readonly witnesses?: { readonly required: number; readonly keys: readonly string[] };
}

type Fetch = (path: string) => Promise<unknown>;

/** A platform holds a checkpoint back 2 s for its witnesses; a witness that answers late may take some more. */
const WITNESSED_WAIT_MS = 10_000;
const WITNESSED_POLL_MS = 200;

/**
 * What this home knows of one platform's log: its key, pinned at first contact, and the newest checkpoint it was ever shown.
 * Each new checkpoint must extend the old one; a log that shrank or forked is evidence, and the end of trust.
 */
export class LogMemory {
  private readonly folder: string;
  private readonly fetch: Fetch;
  private readonly fetchCheckpoint: () => Promise<string>;
  private readonly witnessedWait_ms: number;

  constructor(home: string, fetch: Fetch, fetchCheckpoint: () => Promise<string>, witnessedWait_ms = WITNESSED_WAIT_MS) {
    this.folder = join(home, "logs-seen");
    this.fetch = fetch;
    this.fetchCheckpoint = fetchCheckpoint;
    this.witnessedWait_ms = witnessedWait_ms;
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
    if (seen.witnesses) await this.witnessed(verified.value.checkpoint.size);
  }

  /** Asks for the newest checkpoint and holds it against the one kept. */
  async refresh(checkpoint: string): Promise<void> {
    const seen = await this.seen();
    await this.extend(seen, checkpoint);
    if (seen.witnesses && !isWitnessed(seen, checkpoint)) await this.witnessed(sizeOf(checkpoint));
  }

  /** From now on this log's checkpoints must be cosigned by `required` of `keys`; 0 takes it back. @returns the log's origin */
  async require(required: number, keys: readonly string[]): Promise<string> {
    const { witnesses: _, ...seen } = await this.seen();
    await this.keep(required === 0 ? seen : { ...seen, witnesses: { required, keys } });
    return seen.origin;
  }

  /**
   * A receipt's own checkpoint is signed the moment its entry is stored, before any witness was asked: what must be cosigned is a later one –
   * of at least `size` entries – that extends it.
   */
  private async witnessed(size: number): Promise<void> {
    const seen = await this.seen();
    for (const until = Date.now() + this.witnessedWait_ms; ; await sleep(WITNESSED_POLL_MS)) {
      const note = await this.fetchCheckpoint();
      if (sizeOf(note) >= size && isWitnessed(seen, note)) return await this.extend(seen, note);
      if (Date.now() < until) continue;
      const { required, keys } = seen.witnesses as NonNullable<Seen["witnesses"]>;
      throw new Failure(
        {
          code: "LOG_UNWITNESSED",
          message: `the log ${seen.origin} shows no checkpoint of ${size} or more entries with ${required} of the ${keys.length} cosignatures this home demands: it may show others another log`,
          hint: "what was asked for may be done; see 'nexus witness list', then run 'nexus ledger checkpoint'",
        },
        EXIT.notSo,
      );
    }
  }

  private async extend(seen: Seen, note: string): Promise<void> {
    const signed = this.signedBy(seen, note);
    if (!signed.ok) throw await this.alarm(signed.code, signed.message, { seen, note });
    if (seen.checkpoint !== null && seen.checkpoint !== note) {
      const [from, to] = [sizeOf(seen.checkpoint), sizeOf(note)];
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      const answer = (await this.fetch(`/v1/ledger/consistency?from=${low}&to=${high}`).catch(() => undefined)) as { proof: string[] } | undefined;
      const checked = answer ? verifyCheckpoints(seen.checkpoint, note, answer.proof, seen.key) : undefined;
      if (!checked?.ok) throw await this.alarm("LOG_FORKED", checked ? checked.message : `the log had ${from} entries and cannot show that its ${to} entries extend them`, { seen, note });
      if (to < from) return;
    }
    await this.keep({ ...seen, checkpoint: note });
  }

  /** Also at first contact, when there is nothing to hold it against. */
  private signedBy(seen: Seen, note: string): Outcome<unknown> {
    const key = parseVerifierKey(seen.key);
    return key.ok ? openCheckpoint(note, key.value) : key;
  }

  private async keep(seen: Seen): Promise<void> {
    await ensureFolder(this.folder, 0o700);
    await writeFileAtomic(this.file(seen.origin), `${JSON.stringify(seen, null, 2)}\n`);
  }

  private async alarm(code: string, message: string, evidence: unknown): Promise<Failure> {
    await ensureFolder(this.folder, 0o700);
    const path = join(this.folder, `evidence-${new Date().toISOString().replace(/[:.]/g, "")}.json`);
    await writeFileAtomic(path, `${JSON.stringify({ code, message, evidence }, null, 2)}\n`);
    return new Failure({ code, message: `DO NOT TRUST THIS PLATFORM: ${message}`, hint: `the evidence is in ${path}; keep it and show it to others` }, EXIT.notSo);
  }
}

/** Cosignatures say nothing without the log's own: only what `extend` has held against the log's key may be asked. */
function isWitnessed({ witnesses }: Seen, note: string): boolean {
  if (!witnesses) return true;
  const parsed = parseNote(note);
  const keys = witnesses.keys.flatMap((vkey) => {
    const key = parseWitnessKey(vkey);
    return key.ok ? [key.value] : [];
  });
  return parsed.ok && openCosignatures(parsed.value, keys).length >= witnesses.required;
}

function sizeOf(note: string): number {
  return Number(note.split("\n")[1]);
}
