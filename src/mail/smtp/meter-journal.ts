import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { Fault, type ImvuId, together, writeFileAtomic } from "../../kernel/index.ts";
import { type MailLogEvent, parseMailLogLine } from "./mail-log.ts";
import { type Counts, type MeterRecord, type Settled, Settlement } from "./settlement.ts";

/**
 * The mail counters' file: an fsynced journal of records (settlement.ts), and the reader of Postfix's log that feeds it.
 *
 * Why the log: it is the one place where Postfix names, for local and foreign deliveries alike, the queue id, the recipient and
 * success, and it says so after the delivery. The place read up to travels in the same line as what was read, so a crash repeats both or neither.
 */
const LOG_CHUNK_BYTES = 256 * 1024;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const LOG_LINE_BYTES_MAX = 64 * 1024;
const JOURNAL_GROWTH_BYTES_MAX = 4 * 1024 * 1024;

export class MeterJournal {
  private readonly path: string;
  private readonly logPath: string;
  private readonly ownerOf: (recipient: string) => ImvuId | undefined;
  private settlement: Settlement;
  private file: FileHandle;
  private bytes = 0;
  private compact_at_bytes = 0;
  /** Writes happen one after another; what arrives while one is under way shares the next fsync. */
  private writing: Promise<void> = Promise.resolve();
  private waiting: MeterRecord[] = [];
  private waiters: Promise<void> | undefined;
  private readonly drained = together(() => this.drainOnce());

  private constructor(path: string, logPath: string, ownerOf: (recipient: string) => ImvuId | undefined, settlement: Settlement, file: FileHandle) {
    this.path = path;
    this.logPath = logPath;
    this.ownerOf = ownerOf;
    this.settlement = settlement;
    this.file = file;
  }

  static async open(path: string, logPath: string, boot: string, ownerOf: (recipient: string) => ImvuId | undefined): Promise<MeterJournal> {
    const settlement = replay(await readFile(path, "utf8").catch(absent), path) ?? new Settlement(randomBytes(8).toString("hex"), boot);
    await writeFileAtomic(path, linesOf(settlement.compacted()));
    const journal = new MeterJournal(path, logPath, ownerOf, settlement, await open(path, "a"));
    await journal.measure();
    return journal;
  }

  get epoch(): string {
    return this.settlement.birth;
  }

  /** The counters outlive reboots: they belong to the boot in which their file was born. */
  get boot(): string {
    return this.settlement.boot;
  }

  /** Resolves when it is on disk; only then may the message be accepted. */
  reserve(queueId: string, imvu: ImvuId): Promise<void> {
    return this.append({ reserve: queueId, imvu });
  }

  /** Counts at the instant of the call, after reading the log to its end. */
  async read(imvu: ImvuId): Promise<Counts> {
    await this.drain();
    return this.settlement.read(imvu);
  }

  /** Reads what the log has gained until the call, or later. One at a time; callers share it. */
  drain(): Promise<void> {
    return this.drained();
  }

  async close(): Promise<void> {
    await this.drain();
    await this.writing;
    await this.file.close();
  }

  /** True when the log is long and read to its end: while no engine writes it, it may begin anew. */
  async mayPutLogAway(): Promise<boolean> {
    await this.drain();
    const log = await open(this.logPath, "r").catch(absent);
    if (!log) return false;
    try {
      const { ino, size } = await log.stat();
      return size > LOG_BYTES_MAX && this.settlement.log.inode === String(ino) && this.settlement.log.offset === size;
    } finally {
      await log.close();
    }
  }

  private async drainOnce(): Promise<void> {
    const log = await open(this.logPath, "r").catch(absent);
    if (!log) return;
    try {
      const inode = String((await log.stat()).ino);
      let offset = this.settlement.log.inode === inode ? this.settlement.log.offset : 0;
      for (;;) {
        const { bytesRead, buffer } = await log.read(Buffer.alloc(LOG_CHUNK_BYTES), 0, LOG_CHUNK_BYTES, offset);
        const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
        if (end === 0) {
          if (bytesRead <= LOG_LINE_BYTES_MAX) return;
          throw new Fault("MAIL_LOG", `${this.logPath}: a line at ${offset} is longer than ${LOG_LINE_BYTES_MAX} bytes`);
        }
        const events = buffer.subarray(0, end).toString("utf8").split("\n").flatMap((line) => parseMailLogLine(line) ?? []);
        offset += end;
        // Appended at once and applied when durable: the next chunk is judged by a state that holds this one.
        await this.append({ settled: this.judge(events), log: { inode, offset } });
      }
    } finally {
      await log.close();
    }
  }

  /** Duplicates inside one chunk are left in: applying them a second time counts nothing. */
  private judge(events: readonly MailLogEvent[]): readonly Settled[] {
    const settled: Settled[] = [];
    const fresh = new Set<string>();
    for (const event of events) {
      const result = this.settlement.settle(event, this.ownerOf);
      if (result) {
        settled.push(result);
        fresh.add(event.queueId);
      } else if (event.is === "removed" && fresh.has(event.queueId)) settled.push({ queueId: event.queueId, removed: true });
    }
    return settled;
  }

  private append(record: MeterRecord): Promise<void> {
    this.waiting.push(record);
    this.waiters ??= this.writing.then(() => this.flush());
    this.writing = this.waiters.catch(() => {});
    return this.waiters;
  }

  private async flush(): Promise<void> {
    const records = this.waiting;
    this.waiting = [];
    this.waiters = undefined;
    const text = Buffer.from(linesOf(records));
    try {
      await this.file.appendFile(text);
      await this.file.datasync();
    } catch (error) {
      // A half-written line must not glue itself to the next one.
      await this.file.truncate(this.bytes);
      throw error;
    }
    for (const record of records) this.settlement.apply(record);
    this.bytes += text.length;
    if (this.bytes < this.compact_at_bytes) return;
    await writeFileAtomic(this.path, linesOf(this.settlement.compacted()));
    await this.file.close();
    this.file = await open(this.path, "a");
    await this.measure();
  }

  private async measure(): Promise<void> {
    this.bytes = (await this.file.stat()).size;
    this.compact_at_bytes = this.bytes + JOURNAL_GROWTH_BYTES_MAX;
  }
}

/** Undefined for a file that does not exist. A torn last line was never acknowledged; anything else odd is a fault. */
export function replay(text: string | undefined, path: string): Settlement | undefined {
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  lines.pop();
  let settlement: Settlement | undefined;
  for (const [index, line] of lines.entries()) {
    try {
      const record = JSON.parse(line) as MeterRecord;
      if ("birth" in record) settlement = new Settlement(record.birth, record.boot);
      else if (settlement) settlement.apply(record);
      else throw new TypeError("no birth line");
    } catch (cause) {
      throw new Fault("METER_JOURNAL", `${path}: line ${index + 1} cannot be read`, { cause, hint: "restore the file from a backup; the ledger holds the last readings" });
    }
  }
  if (!settlement) throw new Fault("METER_JOURNAL", `${path}: is empty`, { hint: "restore the file from a backup; the ledger holds the last readings" });
  return settlement;
}

function linesOf(records: readonly MeterRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
