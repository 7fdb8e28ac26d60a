import { readFile } from "node:fs/promises";
import { type Imvu, RECOVERY_WAIT_MS } from "../contract/index.ts";
import { accountCommands, allImvus, driftsOf, imvuById, type OthersRefusals, othersRefusals, reachedOf, recoveringRings } from "../core/command/index.ts";
import { budgetNotice } from "./budget-notice.ts";
import { driftNotice } from "./drift-notice.ts";
import type { KeyRing } from "../core/identity/index.ts";
import type { Store } from "../core/store/index.ts";
import { accountNotice } from "./account-notice.ts";
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
  /** Every refusal, or of an identity every recovery, up to this ledger entry was told. */
  readonly upTo: number;
  readonly at_ms: number;
}

/**
 * Writes to an owner's mailbox when somebody else's command on the unit was refused, and when somebody began to recover the owner's
 * identity: older keys have three days to object. And when the account changes that the unit's money goes to, when something of the unit's budget was
 * reached, and when a meter of it was set back. What was told is written down after it is in the mailbox: a crash between the two tells twice rather than never.
 */
export class Notices {
  private readonly deps: NoticesDeps;
  private readonly pending = new Set<ImvuId>();
  private readonly accounts = new Set<ImvuId>();
  private readonly budgets = new Set<ImvuId>();
  private readonly drifts = new Set<ImvuId>();
  private recoveries = false;
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

  /** A recovery of this identity began just now. */
  recovering(_identity: string): void {
    this.recoveries = true;
    this.schedule(SOON_MS);
  }

  /** The unit's money goes to another account from now on, or to none: whoever holds a stolen key would begin with that. */
  accountNamed(imvu: ImvuId): void {
    this.accounts.add(imvu);
    this.schedule(SOON_MS);
  }

  /** Something of the unit's budget was reached just now. */
  budgetReached(imvu: ImvuId): void {
    this.budgets.add(imvu);
    this.schedule(SOON_MS);
  }

  /** A meter of the unit was set back just now. */
  driftFound(imvu: ImvuId): void {
    this.drifts.add(imvu);
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
    for (const { id } of await store.snapshot(allImvus)) {
      this.pending.add(id);
      this.accounts.add(id);
      this.budgets.add(id);
      this.drifts.add(id);
    }
    this.recoveries = true;
  }

  private schedule(delay_ms: number): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.running
        .then(() => this.round())
        .catch((error: unknown) => this.deps.say(`notices: ${messageOf(error)}`))
        .finally(() => {
          if (this.pending.size > 0 || this.accounts.size > 0 || this.budgets.size > 0 || this.drifts.size > 0 || this.recoveries) this.schedule(ROUND_MS);
        });
    }, delay_ms);
    this.timer.unref();
  }

  private async round(): Promise<void> {
    if (this.recoveries) await this.tellRecoveries();
    for (const id of [...this.budgets]) {
      await this.tellBudget(id);
      this.budgets.delete(id);
    }
    for (const id of [...this.drifts]) {
      await this.tellDrift(id);
      this.drifts.delete(id);
    }
    for (const id of [...this.pending]) {
      const before = this.told[id];
      if (before && this.deps.clock.now() - before.at_ms < PAUSE_MS) continue;
      const imvu = await this.deps.store.snapshot((tx) => imvuById(tx, id));
      if (imvu) await this.tell(imvu, before?.upTo ?? -1);
      this.pending.delete(id);
    }
    for (const id of [...this.accounts]) {
      await this.tellAccount(id);
      this.accounts.delete(id);
    }
  }

  /** To every unit of the identity that has a mailbox. */
  private async tellRecoveries(): Promise<void> {
    const { store } = this.deps;
    // Taken back before the work: one that begins meanwhile sets it again, and so does a fault below.
    this.recoveries = false;
    try {
      for (const ring of await store.snapshot(recoveringRings)) await this.tellRecovery(ring);
    } catch (error) {
      this.recoveries = true;
      throw error;
    }
  }

  private async tellRecovery(ring: KeyRing): Promise<void> {
    const { store, clock, deliver } = this.deps;
    const { pending } = ring;
    const key = `recovery/${ring.name}`;
    if (!pending || pending.index <= (this.told[key]?.upTo ?? -1)) return;
    const at_ms = clock.now();
    const units = (await store.snapshot(allImvus)).filter((imvu) => imvu.owner === ring.name && imvu.mailboxes.length > 0);
    for (const imvu of units) await deliver(imvu, { ...recoveryNotice(ring, pending), at: new Date(at_ms) });
    await this.remembered(key, { upTo: pending.index, at_ms });
  }

  /** Of several changes the newest: where the money goes now. */
  private async tellAccount(id: ImvuId): Promise<void> {
    const { store, clock, deliver } = this.deps;
    const key = `account/${id}`;
    const [newest] = await store.snapshot((tx) => accountCommands(tx, id, this.told[key]?.upTo ?? -1));
    const imvu = newest && (await store.snapshot((tx) => imvuById(tx, id)));
    const notice = imvu && accountNotice(imvu, newest);
    if (!notice || imvu.mailboxes.length === 0 || imvu.status === "exited") return;
    const at_ms = clock.now();
    await deliver(imvu, { ...notice, at: new Date(at_ms) });
    await this.remembered(key, { upTo: newest.index, at_ms });
  }

  private async tellBudget(id: ImvuId): Promise<void> {
    const { store, clock, deliver } = this.deps;
    const key = `budget/${id}`;
    const reached = await store.snapshot((tx) => reachedOf(tx, id, this.told[key]?.upTo ?? -1));
    const imvu = reached.length === 0 ? undefined : await store.snapshot((tx) => imvuById(tx, id));
    if (!imvu || imvu.mailboxes.length === 0) return;
    const at_ms = clock.now();
    await deliver(imvu, { ...budgetNotice(imvu, reached), at: new Date(at_ms) });
    await this.remembered(key, { upTo: reached.at(-1)?.index ?? -1, at_ms });
  }

  private async tellDrift(id: ImvuId): Promise<void> {
    const { store, clock, deliver } = this.deps;
    const key = `drift/${id}`;
    const found = await store.snapshot((tx) => driftsOf(tx, id, this.told[key]?.upTo ?? -1));
    const imvu = found.length === 0 ? undefined : await store.snapshot((tx) => imvuById(tx, id));
    if (!imvu || imvu.mailboxes.length === 0) return;
    const at_ms = clock.now();
    await deliver(imvu, { ...driftNotice(imvu, found), at: new Date(at_ms) });
    await this.remembered(key, { upTo: found.at(-1)?.index ?? -1, at_ms });
  }

  private async remembered(key: string, told: Told): Promise<void> {
    this.told = { ...this.told, [key]: told };
    await writeFileAtomic(this.deps.file, `${JSON.stringify(this.told)}\n`, 0o600);
  }

  private async tell(imvu: Imvu, after: number): Promise<void> {
    const { store, clock, deliver } = this.deps;
    const news = await store.snapshot((tx) => othersRefusals(tx, imvu, after, REFUSALS_NAMED_MAX));
    const newest = news.refusals[0];
    if (!newest || imvu.mailboxes.length === 0) return;
    const at_ms = clock.now();
    await deliver(imvu, { ...noticeOf(imvu, news), at: new Date(at_ms) });
    await this.remembered(imvu.id, { upTo: newest.index, at_ms });
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

function recoveryNotice({ name }: KeyRing, { index, since_ms }: NonNullable<KeyRing["pending"]>): Pick<Notice, "subject" | "text"> {
  const from = new Date(since_ms + RECOVERY_WAIT_MS).toISOString();
  return {
    subject: `${name}: somebody recovers your identity`,
    text: [
      `Whoever holds the recovery key of ${name} began to replace all of its keys (ledger entry ${index}).`,
      `From ${from} on that can be completed, and every present key ends.`,
      "",
      "If it was not you, object with any key that you still hold:",
      "",
      `  nexus identity object ${name}`,
      "",
    ].join("\n"),
  };
}
