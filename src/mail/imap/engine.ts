import { join } from "node:path";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, runOk, writeFileAtomic } from "../../kernel/index.ts";
import { copyCertificate, type TlsSource } from "../certificate.ts";
import { greets } from "../greets.ts";
import type { Layout } from "../layout.ts";
import { renderDictAuthConf, renderDovecotConf } from "./dovecot-conf.ts";

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

export function dovecotConfigFile(layout: Layout): string {
  return join(layout.dovecotConfig, "dovecot.conf");
}

/** Started as root: it gives each login and each delivery a process of that IMVU's user. */
export function dovecotEngine(site: Site, layout: Layout, hostname: string, tls: TlsSource): EngineSpec {
  const file = dovecotConfigFile(layout);
  return {
    name: "dovecot",
    purpose: "mailboxes: IMAP, delivery, login",
    async prepare() {
      await copyCertificate(layout, tls);
      await ensureFolder(layout.dovecotConfig, 0o755);
      await ensureFolder(layout.dovecotRun, 0o755);
      await ensureFolder(layout.dovecotState, 0o755);
      await writeFileAtomic(join(layout.dovecotConfig, "dict-auth.conf"), renderDictAuthConf(layout), 0o600);
      const beside = `${file}.checked`;
      const text = renderDovecotConf({ layout, homeId: site.homeId, hostname, listenAddress: site.listenAddress, ports: site.ports });
      await writeFileAtomic(beside, text, 0o644);
      await runOk(["/usr/bin/doveconf", "-n", "-c", beside]);
      await writeFileAtomic(file, text, 0o644);
    },
    argv: () => ["/usr/sbin/dovecot", "-F", "-c", file],
    ready: () => greets(site.listenAddress, site.ports.imap, "* OK"),
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => (await runOk(["/usr/sbin/dovecot", "--version"])).trim().split(" ")[0] ?? "",
  };
}
