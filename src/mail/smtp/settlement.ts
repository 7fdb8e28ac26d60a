import type { ImvuId } from "../../kernel/index.ts";
import type { MailLogEvent } from "./mail-log.ts";

/**
 * Metering in two steps. Reserve: before a submitted message is accepted, its queue id is written down with the IMVU
 * that sends. Settle: each delivery counts once, unique by (queue id, recipient); an id is forgotten when its queue file is removed.
 * This file is the pure part: a state and how one record changes it.
 */
export type MeterRecord =
  /** First line of a file: its birth id and the kernel boot it was born in. */
  | { readonly birth: string; readonly boot: string }
  | { readonly reserve: string; readonly imvu: ImvuId }
  /** One drain of the log: all of it or, when the line is torn, nothing. */
  | { readonly settled: readonly Settled[]; readonly log: LogPosition }
  /** What a compacted file begins with. */
  | { readonly counts: Readonly<Record<string, Counts>>; readonly open: readonly (readonly [string, ImvuId | null, readonly string[]])[]; readonly log: LogPosition };

export type Settled =
  | { readonly queueId: string; readonly recipient: string; readonly sent: ImvuId | null; readonly received: ImvuId | null }
  | { readonly queueId: string; readonly removed: true };

export interface Counts {
  readonly sent: number;
  readonly received: number;
}

export interface LogPosition {
  readonly inode: string;
  readonly offset: number;
}

interface OpenMessage {
  readonly sender: ImvuId | null;
  readonly settled: Set<string>;
}

export class Settlement {
  readonly birth: string;
  readonly boot: string;
  private readonly counts = new Map<ImvuId, { sent: number; received: number }>();
  private readonly open = new Map<string, OpenMessage>();
  log: LogPosition = { inode: "", offset: 0 };

  constructor(birth: string, boot: string) {
    this.birth = birth;
    this.boot = boot;
  }

  /** What a log event comes to; undefined when it concerns nobody of ours. */
  settle(event: MailLogEvent, ownerOf: (recipient: string) => ImvuId | undefined): Settled | undefined {
    if (event.is === "removed") return this.open.has(event.queueId) ? { queueId: event.queueId, removed: true } : undefined;
    const message = this.open.get(event.queueId);
    const sent = message?.sender ?? null;
    const received = (event.by === "lmtp" && ownerOf(event.recipient)) || null;
    return sent || received ? { queueId: event.queueId, recipient: event.recipient, sent, received } : undefined;
  }

  apply(record: MeterRecord): void {
    if ("reserve" in record) this.open.set(record.reserve, { sender: record.imvu, settled: new Set() });
    else if ("settled" in record) {
      for (const settled of record.settled) this.applySettled(settled);
      this.log = record.log;
    } else if ("counts" in record) {
      for (const [imvu, counts] of Object.entries(record.counts)) this.counts.set(imvu as ImvuId, { ...counts });
      for (const [queueId, sender, settled] of record.open) this.open.set(queueId, { sender, settled: new Set(settled) });
      this.log = record.log;
    }
  }

  applySettled(settled: Settled): void {
    if ("removed" in settled) {
      this.open.delete(settled.queueId);
      return;
    }
    let message = this.open.get(settled.queueId);
    if (!message) {
      message = { sender: null, settled: new Set() };
      this.open.set(settled.queueId, message);
    }
    if (message.settled.has(settled.recipient)) return;
    message.settled.add(settled.recipient);
    if (settled.sent) this.countOf(settled.sent).sent += 1;
    if (settled.received) this.countOf(settled.received).received += 1;
  }

  read(imvu: ImvuId): Counts {
    return { ...this.countOf(imvu) };
  }

  /** The same state in the fewest lines. */
  compacted(): readonly MeterRecord[] {
    const open = [...this.open].map(([queueId, { sender, settled }]) => [queueId, sender, [...settled]] as const);
    return [{ birth: this.birth, boot: this.boot }, { counts: Object.fromEntries(this.counts), open, log: this.log }];
  }

  private countOf(imvu: ImvuId): { sent: number; received: number } {
    let counts = this.counts.get(imvu);
    if (!counts) {
      counts = { sent: 0, received: 0 };
      this.counts.set(imvu, counts);
    }
    return counts;
  }
}
