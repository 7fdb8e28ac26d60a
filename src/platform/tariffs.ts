import type { Params } from "../contract/index.ts";
import { asJson, putTariff } from "../core/command/index.ts";
import { announcedForAll, parseTariff, TARIFF_V1, TARIFF_V2, type Tariff, type TariffEntry } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { type Clock, Fault, rfc3339 } from "../kernel/index.ts";

/** Every tariff that was ever published, in the log's order. */
export async function publishedTariffs(ledger: Pick<Ledger, "entries">): Promise<readonly TariffEntry[]> {
  const tariffs: TariffEntry[] = [];
  for await (const entry of ledger.entries({ stream: "platform" })) {
    if (entry.type !== "platform.tariff") continue;
    const parsed = parseTariff(entry.data);
    if (!parsed.ok) throw new Fault("TARIFF_MALFORMED", `entry ${entry.index}: ${parsed.message}`, { hint: "nexus ledger fsck" });
    tariffs.push({ index: entry.index, tariff: parsed.value });
  }
  return tariffs;
}

/**
 * The tariff of an accepted command, as an entry that statements can cite. Done again after a crash it is the entry that stands there; one that
 * comes too late to be announced in time is not written.
 */
export async function publishTariff(ledger: Pick<Ledger, "entries" | "append">, clock: Clock, { currency, validFrom, prices, tiers }: Params<"platform.tariff.publish">, command: string): Promise<number> {
  const before = await publishedTariffs(ledger);
  for (const { index, tariff } of before) if (tariff.command === command) return index;
  if (!announcedForAll({ currency, validFrom }, rfc3339(clock.now()), before)) throw new Fault("TARIFF_LATE", `validFrom: ${validFrom} is less than 30 days ahead by now`, { hint: "publish it for a later month" });
  const tariff = { v: tiers ? TARIFF_V2 : TARIFF_V1, currency, validFrom, prices, ...(tiers ? { tiers } : {}), command } as Tariff;
  const [entry] = await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: asJson(tariff) }], (tx, [placed]) => putTariff(tx, tariff, (placed as { index: number }).index));
  return (entry as { index: number }).index;
}
