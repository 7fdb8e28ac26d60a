import { readFile } from "node:fs/promises";
import type { Imvu } from "../contract/index.ts";
import { allImvus, imvuById, type OthersRefusals, othersRefusals } from "../core/command/index.ts";
import type { Store } from "../core/store/index.ts";
import { type Clock, type ImvuId, messageOf, writeFileAtomic } from "../kernel/index.ts";

/** Whoever tries again and again writes to the owner six times an hour, not a thousand times. */
const PAUSE_MS = 10 * 60_000;
const ROUND_MS = 30_000;
const SOON_MS = 200;
const REFUSALS_NAMED_MAX = 20;

export interface Notice {
  readonly subject: string;
  readonly text: string;
  readonly at: Date;
}

export interface NoticesDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Remembers what was told, across starts. */
  readonly file: string;
  /** Into the unit's first mailbox. */
  deliver(imvu: Imvu, notice: Notice): Promise<void>;
  say(line: string): void;
}

interface Told {
  /** Every refusal up to this ledger entry was told. */
  readonly upTo: number;
  readonly at_ms: number;
}

/**
 * Writes to an owner's mailbox when somebody else's command on the unit was refused. What was told is written down after it is in the
 * mailbox: a crash between the two tells twice rather than never.
 */
export class Notices {
  private readonly deps: NoticesDeps;
  private readonly pending = new Set<ImvuId>();
  private told: Record<string, Told> = {};
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void>;
  private closed = false;

  constructor(deps: NoticesDeps) {
    this.deps = deps;
    this.running = this.remember();
    this.schedule(SOON_MS);
  }

  /** A command on the unit was refused just now. */
  refused(imvu: ImvuId): void {
    this.pending.add(imvu);
    this.schedule(SOON_MS);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** What was told before, and every unit once: refusals of the last moments before a crash are among them. */
  private async remember(): Promise<void> {
    const { file, store } = this.deps;
    const text = await readFile(file, "utf8").catch(() => "{}");
    this.told = JSON.parse(text) as Record<string, Told>;
    for (const { id } of await store.snapshot(allImvus)) this.pending.add(id);
  }

  private schedule(delay_ms: number): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.running
        .then(() => this.round())
        .catch((error: unknown) => this.deps.say(`notices: ${messageOf(error)}`))
        .finally(() => {
          if (this.pending.size > 0) this.schedule(ROUND_MS);
        });
    }, delay_ms);
    this.timer.unref();
  }

  private async round(): Promise<void> {
    for (const id of [...this.pending]) {
      const before = this.told[id];
      if (before && this.deps.clock.now() - before.at_ms < PAUSE_MS) continue;
      const imvu = await this.deps.store.snapshot((tx) => imvuById(tx, id));
      if (imvu) await this.tell(imvu, before?.upTo ?? -1);
      this.pending.delete(id);
    }
  }

  private async tell(imvu: Imvu, after: number): Promise<void> {
    const { store, clock, file, deliver } = this.deps;
    const news = await store.snapshot((tx) => othersRefusals(tx, imvu, after, REFUSALS_NAMED_MAX));
    const newest = news.refusals[0];
    if (!newest || imvu.mailboxes.length === 0) return;
    const at_ms = clock.now();
    await deliver(imvu, { ...noticeOf(imvu, news), at: new Date(at_ms) });
    this.told = { ...this.told, [imvu.id]: { upTo: newest.index, at_ms } };
    await writeFileAtomic(file, `${JSON.stringify(this.told)}\n`, 0o600);
  }
}

/** Nothing a stranger chose stands in it: actors are registered names, ops are words of the law. */
function noticeOf(imvu: Imvu, { refusals, count }: OthersRefusals): Pick<Notice, "subject" | "text"> {
  const more = count - refusals.length;
  return {
    subject: `${imvu.id}: ${count === 1 ? "a command was refused" : `${count} commands were refused`}`,
    text: [
      `Somebody else tried to change ${imvu.name} (${imvu.id}). The law refused it; nothing was changed.`,
      "",
      ...refusals.map(({ index, actor, op }) => `  entry ${index}: ${op} by ${actor === "unknown" ? "nobody who is registered here" : actor}`),
      ...(more > 0 ? [`  and ${more} before these`] : []),
      "",
      `Which gate said no, and why:   nexus imvu refusals ${imvu.id}`,
      "",
    ].join("\n"),
  };
}
