import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, runOk, sha256Hex, writeFileAtomic } from "../../kernel/index.ts";
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
      // The configuration database is made anew; zones are added to it again from the ledger, their content is in the journal.
      const file = join(layout.knotFolder, "knot.conf");
      await writeFileAtomic(file, text, 0o600, owner);
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
