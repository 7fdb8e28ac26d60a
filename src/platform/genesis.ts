import type { NewEntry } from "../contract/index.ts";
import { asJson } from "../core/command/index.ts";
import { DEFAULT_PRICES_V1, parseTariff, TARIFF_V1, type Tariff, type TariffEntry } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { type Clock, Fault, rfc3339 } from "../kernel/index.ts";

/** What the platform's own stream says first: who it is, by which law it judges, and what things cost. */
export async function ensureGenesis(ledger: Ledger, clock: Clock, facts: { name: string; suffix: string; law: string }): Promise<void> {
  let law: string | undefined;
  for await (const entry of ledger.entries({ stream: "platform" })) if (entry.type === "platform.law") law = (entry.data as { digest: string }).digest;
  const wanted: NewEntry[] = [];
  const say = (type: NewEntry["type"], data: NewEntry["data"]) => wanted.push({ stream: "platform", type, actor: "platform", data });
  if (ledger.size() === 0) {
    say("platform.created", { name: facts.name, suffix: facts.suffix, logKey: ledger.verifierKey });
    const tariff: Tariff = { v: TARIFF_V1, currency: "EUR", validFrom: rfc3339(clock.now()), prices: DEFAULT_PRICES_V1 };
    say("platform.tariff", asJson(tariff));
  }
  if (law !== facts.law) say("platform.law", { digest: facts.law });
  if (wanted.length > 0) await ledger.append(wanted);
}

/** Every tariff that was ever published, in the log's order. */
export async function publishedTariffs(ledger: Ledger): Promise<readonly TariffEntry[]> {
  const tariffs: TariffEntry[] = [];
  for await (const entry of ledger.entries({ stream: "platform" })) {
    if (entry.type !== "platform.tariff") continue;
    const parsed = parseTariff(entry.data);
    if (!parsed.ok) throw new Fault("TARIFF_MALFORMED", `entry ${entry.index}: ${parsed.message}`, { hint: "nexus ledger fsck" });
    tariffs.push({ index: entry.index, tariff: parsed.value });
  }
  return tariffs;
}
