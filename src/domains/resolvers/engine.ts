import { join } from "node:path";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, Fault, runOk, writeFileAtomic } from "../../kernel/index.ts";
import type { Knot } from "../dns-authority/knot.ts";
import type { DomainsLayout } from "../layout.ts";
import { osUser } from "../os-user.ts";
import { dsOf } from "../state.ts";
import type { UnboundFlusher } from "./flush.ts";
import { unboundConfig } from "./unbound-config.ts";

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** After Knot: its trust anchor is the DS that the platform's own zone proposes. */
export function unboundEngine(site: Site, layout: DomainsLayout, knot: Knot, flusher: UnboundFlusher): EngineSpec {
  return {
    name: "unbound",
    purpose: "validating resolver",
    user: "unbound",
    after: ["knot"],
    async prepare() {
      const owner = await osUser("unbound");
      await ensureFolder(join(site.dir, "domains"), 0o711);
      await ensureFolder(layout.unboundFolder, 0o700, owner);
      const ds = dsOf((await knot.read(site.suffix)) ?? []);
      if (ds.length === 0) throw new Fault("NO_TRUST_ANCHOR", `the zone ${site.suffix} is not signed yet`, { retry: true, hint: "nexus logs knot" });
      await writeFileAtomic(layout.trustAnchor, ds.map((data) => `${site.suffix}. IN DS ${data}\n`).join(""), 0o600, owner);
      await writeFileAtomic(`${layout.unboundConf}.new`, unboundConfig(site, layout), 0o600, owner);
      await runOk(["/usr/sbin/unbound-checkconf", `${layout.unboundConf}.new`]);
      await writeFileAtomic(layout.unboundConf, unboundConfig(site, layout), 0o600, owner);
    },
    argv: () => ["/usr/sbin/unbound", "-d", "-p", "-c", layout.unboundConf],
    ready: async () => (await flusher.tell("status")).includes("is running"),
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => (await runOk(["/usr/sbin/unbound", "-V"])).replace(/[^0-9.]*([0-9.]+)[\s\S]*/, "$1"),
  };
}
