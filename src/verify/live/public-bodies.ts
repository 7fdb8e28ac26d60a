import type { Buffer } from "node:buffer";
import type { Counter, Failures } from "../failures.ts";
import { BodyCheck } from "../log/body-check.ts";
import type { Answer } from "./fetcher.ts";

/** 100 bodies of 32 KiB, each in a JSON string, which may double it. */
export const PAGE_BYTES_MAX = 8 * 1024 * 1024;
const STREAM = "platform";

interface Page {
  readonly entries: readonly { readonly index: number; readonly body: string }[];
  readonly next: number | null;
}

/** What a platform shows everybody of its own stream, page by page, each body held against its commitment when that comes by: one page in memory. */
export class PublicBodies {
  /** Undefined until asked; false when none are shown here. */
  shown: boolean | undefined;
  private readonly page: (from: number) => Promise<Answer>;
  private readonly check: BodyCheck;
  private readonly size: number;
  private readonly count: Counter;
  private readonly failures: Failures;
  private waiting: Page["entries"][number][] = [];
  private next: number | null = 0;

  /** @param commitments gives the bundle of commitments that was read last, by its path. */
  constructor(size: number, page: (from: number) => Promise<Answer>, commitments: (path: string) => Promise<Buffer>, count: Counter, failures: Failures) {
    this.size = size;
    this.page = page;
    this.count = count;
    this.failures = failures;
    this.check = new BodyCheck(STREAM, size, commitments);
  }

  /** Checks the bodies of entries below `end`, whose commitments were just read. */
  async upTo(end: number): Promise<void> {
    for (;;) {
      const first = this.waiting[0];
      if (first) {
        // What came after the checkpoint is for the next one.
        if (first.index >= end) return;
        this.waiting.shift();
        this.count.of += 1;
        const flaw = await this.check.flaw(first.index, first.body);
        if (flaw === undefined) this.count.good += 1;
        else this.failures.add(`${STREAM} entry ${first.index}`, `the next entry of stream ${STREAM}`, flaw);
      } else if (this.next === null || this.next >= end) return;
      else if (!(await this.turn(this.next))) return;
    }
  }

  private async turn(from: number): Promise<boolean> {
    const answer = await this.page(from);
    if (!answer.ok && answer.absent && from === 0) {
      this.shown = false;
      this.next = null;
      return false;
    }
    this.shown = true;
    const page = answer.ok ? pageOf(answer.bytes, from) : undefined;
    if (!page) {
      this.failures.add(`bodies from entry ${from}`, "a page of entries of the platform's stream", answer.ok ? "something else" : answer.found);
      this.next = null;
      return false;
    }
    this.waiting = page.entries.filter(({ index }) => index < this.size);
    this.next = page.next;
    return true;
  }
}

/** A page that leads nowhere new would be asked for for ever; one that goes back would show what was passed. */
function pageOf(bytes: Buffer, from: number): Page | undefined {
  let page: { entries?: unknown; next?: unknown } | null;
  try {
    page = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as typeof page;
  } catch {
    return undefined;
  }
  const { entries, next } = page ?? {};
  const good =
    Array.isArray(entries) &&
    entries.every((entry: { index?: unknown; body?: unknown } | null) => Number.isSafeInteger(entry?.index) && (entry?.index as number) >= from && typeof entry?.body === "string") &&
    (next === null || (Number.isSafeInteger(next) && (next as number) > from));
  return good ? ({ entries, next } as Page) : undefined;
}
