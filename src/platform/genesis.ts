import type { NewEntry } from "../contract/index.ts";
import { asJson, putOperator, putRing, putTariff } from "../core/command/index.ts";
import { DEFAULT_PRICES_V1, TARIFF_V1, type Tariff } from "../core/handshake/index.ts";
import { firstRing, type StoredIdentity } from "../core/identity/index.ts";
import type { Appended, Ledger } from "../core/ledger/index.ts";
import { type Clock, EUR, rfc3339 } from "../kernel/index.ts";

export interface GenesisFacts {
  readonly name: string;
  readonly suffix: string;
  readonly law: string;
  /** Makes, or finds, the first operator's key on this machine; asked once in a platform's life. */
  firstOperator(): Promise<StoredIdentity>;
}

/** What the platform's own stream says first: who it is, by which law it judges, who operates it, and what things cost. */
export async function ensureGenesis(ledger: Ledger, clock: Clock, facts: GenesisFacts): Promise<void> {
  let law: string | undefined;
  let operated = false;
  for await (const entry of ledger.entries({ stream: "platform" })) {
    if (entry.type === "platform.law") law = (entry.data as { digest: string }).digest;
    operated ||= entry.type === "platform.operator";
  }
  const wanted: NewEntry[] = [];
  const say = (type: NewEntry["type"], data: NewEntry["data"]) => wanted.push({ stream: "platform", type, actor: "platform", data });
  if (ledger.size() === 0) {
    say("platform.created", { name: facts.name, suffix: facts.suffix, logKey: ledger.verifierKey });
    const tariff: Tariff = { v: TARIFF_V1, currency: EUR, validFrom: rfc3339(clock.now()), prices: DEFAULT_PRICES_V1 };
    say("platform.tariff", asJson(tariff));
  }
  if (law !== facts.law) say("platform.law", { digest: facts.law });
  if (wanted.length > 0) {
    await ledger.append(wanted, async (tx, placed) => {
      for (const [at, { type, data }] of wanted.entries()) if (type === "platform.tariff") await putTariff(tx, data as unknown as Tariff, (placed[at] as Appended).index);
    });
  }
  if (!operated) await appointFirst(ledger, await facts.firstOperator());
}

/** The one operator whom no operator appointed: whoever started the platform on its machine. */
async function appointFirst(ledger: Ledger, { name, key }: StoredIdentity): Promise<void> {
  const publicKey = key.publicKey.text;
  const entries: readonly NewEntry[] = [
    { stream: name, type: "identity.registered", actor: "platform", data: { name, publicKey } },
    { stream: "platform", type: "platform.operator", actor: "platform", data: { identity: name } },
  ];
  await ledger.append(entries, async (tx, [registered, appointed]) => {
    await putRing(tx, firstRing({ name, publicKey }, (registered as Appended).index), (registered as Appended).index);
    await putOperator(tx, name, (appointed as Appended).index);
  });
}
