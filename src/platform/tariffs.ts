import { type Params, TARIFF_NOTICE_MS, TARIFF_WRITE_MS_MAX } from "../contract/index.ts";
import { asJson } from "../core/command/index.ts";
import { parseTariff, TARIFF_V1, TARIFF_V2, type Tariff, type TariffEntry } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { type Clock, Fault } from "../kernel/index.ts";

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
  for (const { index, tariff } of await publishedTariffs(ledger)) if (tariff.command === command) return index;
  if (Date.parse(validFrom) < clock.now() + TARIFF_NOTICE_MS - TARIFF_WRITE_MS_MAX) throw new Fault("TARIFF_LATE", `validFrom: ${validFrom} is less than 30 days ahead by now`, { hint: "publish it for a later month" });
  const tariff = { v: tiers ? TARIFF_V2 : TARIFF_V1, currency, validFrom, prices, ...(tiers ? { tiers } : {}), command } as Tariff;
  const [entry] = await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: asJson(tariff) }]);
  return (entry as { index: number }).index;
}
