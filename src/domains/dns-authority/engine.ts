import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, type Fqdn, parseFqdn, runOk, sha256Hex, writeFileAtomic } from "../../kernel/index.ts";
import type { DomainsLayout } from "../layout.ts";
import { osUser } from "../os-user.ts";
import type { Authority } from "./authority.ts";
import type { Knot } from "./knot.ts";
import { knotConfig } from "./knot-config.ts";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export function knotEngine(site: Site, layout: DomainsLayout, knot: Knot, authority: Authority): EngineSpec {
  const asKnot = (argv: [string, ...string[]]): [string, ...string[]] => ["/usr/bin/setpriv", "--reuid=knot", "--regid=knot", "--init-groups", ...argv];
  return {
    name: "knot",
    purpose: "authoritative, signed DNS",
    user: "knot",
    async prepare() {
      const owner = await osUser("knot");
      await ensureFolder(join(site.dir, "domains"), 0o711);
      for (const folder of [layout.knotFolder, layout.knotRun, layout.storage]) await ensureFolder(folder, 0o700, owner);
      const text = knotConfig(site, layout);
      const stamp = sha256Hex(text);
      if ((await readFile(layout.confStamp, "utf8").catch(() => "")) === stamp) return;
      // The configuration database is made anew with the zones it had, so that the server reads their journals before it answers.
      const file = join(layout.knotFolder, "knot.conf");
      const zones = await configuredZones(layout, asKnot);
      await writeFileAtomic(file, knotConfig(site, layout, zones), 0o600, owner);
      await runOk(asKnot(["knotc", "-c", file, "conf-check"]));
      await rm(layout.confdb, { recursive: true, force: true });
      await runOk(asKnot(["knotc", "-C", layout.confdb, "conf-import", file]));
      await writeFileAtomic(layout.confStamp, stamp, 0o600, owner);
    },
    argv: () => ["/usr/sbin/knotd", "-C", layout.confdb],
    ready: async () => {
      await knot.zones();
      await authority.ensureSuffix();
      return true;
    },
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => (await runOk(["/usr/sbin/knotd", "--version"])).replace(/[^0-9.]*([0-9.]+)[\s\S]*/, "$1"),
  };
}

/** Zones that the former configuration database names, by the server's own reading of it. */
async function configuredZones(layout: DomainsLayout, asKnot: (argv: [string, ...string[]]) => [string, ...string[]]): Promise<readonly Fqdn[]> {
  if (!existsSync(layout.confdb)) return [];
  const file = join(layout.knotFolder, "former.conf");
  await rm(file, { force: true });
  await runOk(asKnot(["knotc", "-C", layout.confdb, "conf-export", file]));
  const text = await readFile(file, "utf8");
  await rm(file, { force: true });
  return zonesIn(text);
}

/** The names under `zone:` of an exported configuration, without the platform's own. Pure. */
export function zonesIn(exported: string): readonly Fqdn[] {
  const section = exported.slice(exported.search(/^zone:$/m));
  return [...section.matchAll(/^\s+- domain: "?([^"\s]+?)\.?"?$/gm)].flatMap(([, name]) => {
    const zone = parseFqdn(name ?? "");
    return zone.ok && /^imvu\d+\./.test(zone.value) ? [zone.value] : [];
  });
}
