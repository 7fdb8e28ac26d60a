import { join } from "node:path";
import type { Finding } from "../contract/index.ts";
import { readKept } from "../witness/index.ts";

/** Where the platform keeps what its witnesses said: the newest cosigned checkpoint among it. */
export function witnessesFile(siteDir: string): string {
  return join(siteDir, "witnesses.json");
}

/** For doctor: what the witnesses said last, also when the platform is not running; nothing when it never had any. */
export async function witnessFindings(siteDir: string, required: number): Promise<readonly Finding[]> {
  if (required === 0) return [];
  const kept = await readKept(witnessesFile(siteDir));
  if (!kept) return [{ what: "witnesses", ok: false, detail: `${required} required, none asked yet`, hint: "nexus up" }];
  const enough = kept.present >= required;
  const behind = kept.standings.filter(({ size }) => size < kept.size).map(({ name, size, lastError }) => `${name} ${kept.size - size} entries behind${lastError === null ? "" : ` (${lastError})`}`);
  const summary = `${kept.present} of ${required} required cosigned the checkpoint of ${kept.size} entries`;
  return [
    { what: "witnesses", ok: enough, detail: [summary, ...behind].join("; "), hint: enough ? "" : "nexus witness list" },
    ...kept.alarms.map((alarm) => ({ what: "witnesses", ok: false, detail: alarm, hint: "nexus ledger fsck; keep the platform's witnesses.json as evidence" })),
  ];
}
