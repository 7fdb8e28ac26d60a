import { join } from "node:path";
import { allImvus, asJson, lastDrift } from "../core/command/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Store } from "../core/store/index.ts";
import type { Json } from "../kernel/index.ts";
import type { Home } from "./home.ts";
import type { Rooms } from "./rooms.ts";
import type { RunningEngines } from "./supervision/index.ts";
import { VERSION } from "./version.ts";
import type { Collector } from "../witness/index.ts";

export interface StatusDeps {
  readonly home: Home;
  readonly rooms: Rooms;
  readonly engines: RunningEngines;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly witnesses: Collector;
}

/** What `nexus status` prints; its keys are a promise to scripts. */
export async function statusOf({ home, rooms, engines, store, ledger, witnesses }: StatusDeps): Promise<Json> {
  const { site } = home;
  const at = (port: number) => `${site.listenAddress}:${port}`;
  const { ports } = site;
  const units = await store.snapshot(allImvus);
  const count = (statuses: readonly string[]) => units.filter((imvu) => statuses.includes(imvu.status)).length;
  const checkpoint = witnesses.checkpoint();
  return asJson({
    platform: {
      name: home.name,
      home: home.root,
      origin: ledger.verifierKey.slice(0, ledger.verifierKey.indexOf("+")),
      logKey: ledger.verifierKey,
      suffix: site.suffix,
      version: VERSION,
      caFile: rooms.network.certificateAuthority.caFile,
    },
    listen: {
      api: at(ports.api),
      gatewayHttp: at(ports.gatewayHttp),
      gatewayHttps: at(ports.gatewayHttps),
      dns: at(ports.dns),
      resolver: at(ports.resolver),
      smtp: at(ports.smtp),
      submission: at(ports.submission),
      submissions: at(ports.submissions),
      imap: at(ports.imap),
      imaps: at(ports.imaps),
      log: `http://${at(ports.api)}/log/`,
    },
    engines: engines.views(),
    database: store.describe(),
    ledger: { size: ledger.size(), checkpoint: checkpoint ?? null, checkpointTime: await newestTime(ledger), witnesses: witnesses.witnessing() },
    imvus: { active: count(["active", "creating"]), exiting: count(["exiting"]), exited: count(["exported", "exited"]) },
    // Meters that were set back are found; nothing else is watched continuously yet, and what is open is unknown, not zero.
    drift: { open: null, last: await store.snapshot(lastDrift) },
    supervisor: { pid: process.pid, log: join(site.dir, "log") },
  });
}

/** Time of the newest entry that the newest checkpoint covers; null while there is none. */
async function newestTime(ledger: Ledger): Promise<string | null> {
  const size = ledger.size();
  if (size === 0) return null;
  for await (const entry of ledger.entries({ from: size - 1 })) return entry.type === "erased" ? null : entry.time;
  return null;
}
