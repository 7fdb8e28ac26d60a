import type { Evidence } from "../contract/index.ts";
import { createIdentityKey, signRequest } from "../core/identity/index.ts";
import type { ImvuId } from "../kernel/index.ts";

const READS = ["", "/dns", "/mail", "/routes", "/services", "/statement?month=2000-01", "/statements", "/ledger", "/zonefile", "/exit/archive"];
const TIMEOUT_MS = 10_000;

/** Really asks the API for everything of an IMVU, once with a key nobody knows and once without a signature: all of it must be refused. */
export async function readAsStranger(apiOrigin: string, imvu: ImvuId, now_ms: number): Promise<Evidence> {
  const key = createIdentityKey();
  let asked = 0;
  for (const suffix of READS) {
    const targetUri = `${apiOrigin}/v1/imvus/${imvu}${suffix}`;
    for (const headers of [{}, signRequest({ method: "GET", targetUri }, key, now_ms)]) {
      const answer = await fetch(targetUri, { headers: { ...headers }, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await answer.text();
      asked += 1;
      if (answer.status < 400) return { verdict: "broken", detail: `a stranger read ${suffix || "the unit"}: ${answer.status}` };
      if (text.includes(imvu)) return { verdict: "broken", detail: `the refusal of ${suffix || "the unit"} names the unit` };
    }
  }
  return { verdict: "holds", detail: `${asked} reads by a stranger were refused and name nothing` };
}
