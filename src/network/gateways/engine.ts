import { readFile } from "node:fs/promises";
import { type EngineSpec, namespacePathOf, routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { runOk, writeFileAtomic } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { ensureMachineHandle } from "../nexus-net/namespaces.ts";
import { renderRoles } from "../routing/route-map.ts";
import { renderHaproxy } from "./haproxy-conf.ts";
import { ask } from "./runtime.ts";

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;
const HAPROXY = "/usr/sbin/haproxy";

/**
 * HAProxy, in the router's namespace. It is started as root to listen in the machine's namespace and on port 80 and to read
 * its keys, and becomes the user haproxy before it takes the first connection.
 */
export function haproxyEngine(site: Site, layout: Layout, restore: () => Promise<void>): EngineSpec {
  return {
    name: "haproxy",
    purpose: "gateway: public, private and restricted routes of every IMVU over HTTP and HTTPS",
    async prepare() {
      await ensureMachineHandle(site);
      for (const path of [layout.routes, layout.certificateList]) if ((await readFile(path).catch(() => undefined)) === undefined) await writeFileAtomic(path, "", 0o644);
      await writeFileAtomic(layout.roles, renderRoles(), 0o644);
      const beside = `${layout.config}.next`;
      await writeFileAtomic(beside, renderHaproxy(site, layout));
      await runOk([HAPROXY, "-c", "-q", "-f", beside]);
      await writeFileAtomic(layout.config, renderHaproxy(site, layout));
    },
    argv: () => [HAPROXY, "-db", "-q", "-f", layout.config],
    networkNamespace: () => namespacePathOf(routerNamespaceNameOf(site)),
    ready: async () =>
      await ask(layout.socket, "show info").then(
        (answer) => answer.startsWith("Name: HAProxy"),
        () => false,
      ),
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => /version ([0-9.]+)/.exec(await runOk([HAPROXY, "-v"]))?.[1] ?? "unknown",
    recovered: restore,
  };
}
