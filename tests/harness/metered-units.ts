import assert from "node:assert/strict";
import { type Fabric, type Imvu, type Op, type Reading, RESOURCES, type Resource, type SignedCommand } from "../../src/contract/index.ts";
import { type Effects, replayCheck } from "../../src/core/command/index.ts";
import { DEFAULT_PRICES_V1, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { commandFields, openCommand, signCommand, type SigningKey } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import type { Store, Tx } from "../../src/core/store/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type ImvuId, imvuIdOf, type Json } from "../../src/kernel/index.ts";

/** Units that cost and earn, without engines: rows and entries as an accepted command leaves them, and counters that the test turns. */

export const FIRST_READING = Date.UTC(2026, 10, 10);
export const AFTER_NOVEMBER = Date.UTC(2026, 11, 1, 0, 0, 30);
export const AFTER_DECEMBER = Date.UTC(2027, 0, 1, 0, 0, 30);

/** A clock that stands until it is turned. */
export function turnedClock(at = FIRST_READING) {
  const clock = { at, now: () => clock.at };
  return clock;
}

/** The row of one more unit; they are numbered in turn. */
export class Units {
  private readonly store: Store;
  private made = 0;

  constructor(store: Store) {
    this.store = store;
  }

  async add(more: Partial<Imvu> = {}): Promise<ImvuId> {
    this.made += 1;
    const imvu: Imvu = { ...newImvu(), id: imvuIdOf(this.made), number: this.made, ...more };
    await this.store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, $3, 'active', $4::jsonb, 0)", [imvu.id, imvu.number, imvu.owner, JSON.stringify(imvu)]));
    return imvu.id;
  }

  get all(): readonly { readonly id: ImvuId }[] {
    return Array.from({ length: this.made }, (_, at) => ({ id: imvuIdOf(at + 1) }));
  }
}

/** An engine whose every counter stands at what `value` says. */
export function counting(value: (imvu: ImvuId, resource: Resource) => string): Fabric<unknown, Json> {
  const meter = async (imvu: ImvuId): Promise<readonly Reading[]> => (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: value(imvu, resource), boot: "b1", epoch: "e1" }));
  return { meter } as unknown as Fabric<unknown, Json>;
}

export async function publishTariff(ledger: Ledger, prices: typeof DEFAULT_PRICES_V1 = DEFAULT_PRICES_V1): Promise<void> {
  await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices } }]);
}

export interface Accepted {
  readonly digest: string;
  readonly nonce: string;
  readonly signed: SignedCommand;
  readonly index: number;
}

/** A command as the gates let it pass: its entry, and in the same transaction the rows that `rows` puts. */
export async function accepted(ledger: Ledger, key: SigningKey, at_ms: number, op: Op, imvu: ImvuId | null, params: object, rows?: (tx: Tx, command: Accepted) => Promise<void>): Promise<Accepted> {
  const signed = signCommand(commandFields(op, imvu, JSON.parse(JSON.stringify(params)) as Record<string, Json>, at_ms), key);
  const opened = openCommand(signed);
  assert.ok(opened.ok, opened.ok ? "" : opened.message);
  const { digest, command } = opened.value;
  const at = (index: number): Accepted => ({ digest, nonce: command.nonce, signed, index });
  const data = { digest, jws: signed as unknown as Json, allocation: null };
  const [entry] = await ledger.append([{ stream: imvu ?? "platform", type: "command.accepted", actor: "somebody", data }], rows && (async (tx, [placed]) => await rows(tx, at(placed?.index ?? -1))));
  return at(entry?.index ?? -1);
}

/** What of these tables is not what the log tells; commands have no effect here. */
export async function notAsTold(store: Store, ledger: Ledger, tables: readonly Awaited<ReturnType<typeof replayCheck>>["failures"][number]["table"][]) {
  const effects: Pick<Effects, "after" | "withLearned"> = { after: () => undefined, withLearned: (after) => after };
  return (await replayCheck(store, ledger, effects)).failures.filter(({ table }) => tables.includes(table));
}
