import { Fault } from "../../kernel/index.ts";
import { type Order, type Row, talk } from "./control-client.ts";

const BUSY_TRIES_MAX = 40;
const BUSY_WAIT_MS = 25;

/** Knot by its control socket: one batch at a time, in order, because configuration transactions are global. */
export class Knot {
  private readonly socketPath: string;
  private last: Promise<unknown> = Promise.resolve();

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Runs `work` alone. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => {});
    return mine;
  }

  /** Each order's rows. An error row of an order is a Fault, unless `tolerate` says it is fine. */
  async ask(orders: readonly Order[], tolerate: (error: string) => boolean = () => false): Promise<readonly (readonly Row[])[]> {
    return await this.alone(() => this.batch(orders, tolerate));
  }

  private async batch(orders: readonly Order[], tolerate: (error: string) => boolean): Promise<readonly (readonly Row[])[]> {
    const answers = await talk(this.socketPath, orders);
    for (const [at, rows] of answers.entries()) {
      const error = rows.find((row) => row.error !== undefined)?.error;
      if (error !== undefined && !tolerate(error)) throw new Fault("KNOT_REFUSED", `the DNS server refused ${describe(orders[at] as Order)}: ${error}`);
    }
    return answers;
  }

  /** A configuration transaction; on any refusal it is aborted, so that none stays open. */
  async configure(orders: readonly Order[], tolerate: (error: string) => boolean = () => false): Promise<void> {
    await this.alone(async () => {
      await this.transaction({ command: "conf-begin" }, orders, { command: "conf-commit" }, { command: "conf-abort" }, tolerate);
    });
  }

  /** A zone transaction, signed and served when it resolves. */
  async change(zone: string, orders: readonly Order[], tolerate: (error: string) => boolean = () => false): Promise<void> {
    const at = { zone: `${zone}.` };
    await this.alone(async () => {
      await this.transaction({ command: "zone-begin", ...at }, orders.map((order) => ({ ...at, ...order })), { command: "zone-commit", ...at }, { command: "zone-abort", ...at }, tolerate);
    });
  }

  private async transaction(begin: Order, orders: readonly Order[], commit: Order, abort: Order, tolerate: (error: string) => boolean): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const begun = await talk(this.socketPath, [begin]);
      const refusal = begun[0]?.find((row) => row.error !== undefined)?.error;
      if (refusal === undefined) break;
      // Left open by a process that died: nobody else talks to this socket.
      await talk(this.socketPath, [abort]);
      if (tries >= BUSY_TRIES_MAX) throw new Fault("KNOT_BUSY", `the DNS server does not begin ${describe(begin)}: ${refusal}`, { retry: true });
      await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
    }
    try {
      if (orders.length > 0) await this.batch(orders, tolerate);
      await this.batch([commit], () => false);
    } catch (error) {
      await talk(this.socketPath, [abort]).catch(() => {});
      throw error;
    }
  }

  /** Every record a zone serves; undefined when the zone is not served. */
  async read(zone: string): Promise<readonly Row[] | undefined> {
    const [rows] = await this.ask([{ command: "zone-read", zone: `${zone}.` }], () => true);
    if (!rows || rows.some((row) => row.error !== undefined)) return undefined;
    return rows.filter((row) => row.owner !== undefined && row.type !== undefined);
  }

  async zones(): Promise<readonly string[]> {
    const [rows] = await this.ask([{ command: "conf-read", section: "zone", item: "domain" }], () => true);
    return (rows ?? []).map((row) => (row.data ?? row.id ?? "").replace(/\.$/, "")).filter((name) => name !== "");
  }
}

function describe(order: Order): string {
  return [order.command, order.zone, order.section, order.item, order.owner, order.type, order.data].filter(Boolean).join(" ").slice(0, 200);
}
