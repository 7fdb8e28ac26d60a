import { type Params, TARIFF_NOTICE_MS, type Verdict } from "../../contract/index.ts";
import { AHEAD_MS_MAX } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 6's rules for prices: who pays them has thirty days, whichever clock the unit's months are by. */
export type TariffCode = "TARIFF_TOO_SOON" | "TARIFFS_UNKNOWN";

export const TARIFF_DENIALS: Readonly<Record<TariffCode, Denial>> = {
  TARIFF_TOO_SOON: { says: "prices are announced 30 days before they hold, and never for the past", hint: "publish it for a later month: 'nexus tariff publish --from YYYY-MM'" },
  TARIFFS_UNKNOWN: { says: "what was published before could not be read", hint: "'nexus doctor' names the engine that does not answer; try again when it does" },
};

/** A month begins first where clocks are furthest ahead; nobody is rated by the first tariff of a currency yet, so it may hold from the present month on. */
export function mayPublish({ validFrom }: Params<"platform.tariff.publish">, { tariffs, now_ms }: Facts, answer: Answer<TariffCode>): Verdict {
  if (tariffs === null) return answer.deny("TARIFFS_UNKNOWN");
  const earliest = tariffs === undefined ? now_ms + TARIFF_NOTICE_MS : tariffs.published ? now_ms + TARIFF_NOTICE_MS + AHEAD_MS_MAX : monthBegin(now_ms);
  return Date.parse(validFrom) >= earliest ? answer.pass() : answer.deny("TARIFF_TOO_SOON", { validFrom }, { validFrom_ms: earliest });
}

function monthBegin(epoch_ms: number): number {
  const now = new Date(epoch_ms);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
}
