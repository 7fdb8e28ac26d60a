import type { ComputeDesired } from "../../contract/index.ts";
import { type ImvuId, imvuIdOf, messageOf } from "../../kernel/index.ts";
import { type Credit, newCredit, quotaNow, settleCredit } from "./governor.ts";
import type { Groups } from "./groups.ts";

const ROUND_MS = 250;

/** Watches the groups whose envelopes promise bursts, and moves their CPU quota between share and burst. */
export class Bursts {
  private readonly groups: Groups;
  private readonly desiredOf: (imvu: ImvuId) => ComputeDesired | undefined;
  private readonly say: (line: string) => void;
  private readonly credits = new Map<number, Credit>();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();

  constructor(groups: Groups, desiredOf: (imvu: ImvuId) => ComputeDesired | undefined, say: (line: string) => void) {
    this.groups = groups;
    this.desiredOf = desiredOf;
    this.say = say;
  }

  open(): void {
    this.timer ??= setTimeout(() => {
      this.round = this.once().then(
        () => this.again(),
        (error) => {
          this.say(`bursts: ${messageOf(error)}`);
          this.again();
        },
      );
    }, ROUND_MS).unref();
  }

  private again(): void {
    if (this.timer === undefined) return;
    this.timer = undefined;
    this.open();
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.round;
    this.credits.clear();
  }

  private async once(): Promise<void> {
    for (const number of await this.groups.numbers()) {
      const envelope = this.desiredOf(imvuIdOf(number))?.envelope;
      if (!envelope?.burst || !this.groups.exists(number)) {
        this.credits.delete(number);
        continue;
      }
      const [now_ms, { cpuNs }, { cpuMillis }] = [Date.now(), await this.groups.counters(number, null), await this.groups.read(number, null)];
      const before = this.credits.get(number);
      // A group made anew counts from zero.
      const credit = before && before.cpuNs <= cpuNs ? settleCredit(envelope, before, now_ms, cpuNs) : newCredit(envelope, now_ms, cpuNs);
      this.credits.set(number, credit);
      const quota = quotaNow(envelope, credit);
      if (cpuMillis !== quota) await this.groups.setCpu(number, quota, envelope);
    }
  }
}
