import { chmod, chown, rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, Fault, run, runOk, writeFileAtomic } from "../../kernel/index.ts";
import { copyCertificate, type TlsSource } from "../certificate.ts";
import { greets } from "../greets.ts";
import type { Layout } from "../layout.ts";
import { osGroup, osUser } from "../os-users.ts";
import { renderMainCf } from "./main-cf.ts";
import { renderMasterCf } from "./master-cf.ts";

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const SETTLED_MS = 60_000;

export interface PostfixDeps {
  readonly site: Site;
  readonly layout: Layout;
  readonly hostname: string;
  readonly smarthost: string | null;
  readonly tls: TlsSource;
  /** True when nobody needs the log any more as it is: it may begin anew. */
  mayPutLogAway(): Promise<boolean>;
}

/** Started as root: the master reads the TLS key, opens the log, and starts every other process as the user postfix. */
export function postfixEngine(deps: PostfixDeps): EngineSpec {
  const { site, layout } = deps;
  return {
    name: "postfix",
    purpose: "mail in and out: SMTP, submission, queue",
    async prepare() {
      await copyCertificate(layout, deps.tls);
      await makeQueue(layout);
      const settings = { layout, hostname: deps.hostname, listenAddress: site.listenAddress, ports: site.ports, smarthost: deps.smarthost };
      const [main, master] = [renderMainCf(settings), renderMasterCf(settings)];
      const beside = `${layout.postfixConfig}.checked`;
      await writeConfig(beside, main, master);
      await check(beside);
      await writeConfig(layout.postfixConfig, main, master);
      if (await deps.mayPutLogAway()) await rename(layout.mailLog, `${layout.mailLog}.1`).catch(() => {});
    },
    argv: () => ["/usr/lib/postfix/sbin/master", "-s", "-c", layout.postfixConfig],
    // The master wants to know its configuration also for the children it starts.
    env: { MAIL_CONFIG: layout.postfixConfig },
    ready: () => greets(site.listenAddress, site.ports.smtp, "220 "),
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => (await runOk(["/usr/sbin/postconf", "-d", "-h", "mail_version"])).trim(),
    // SASL and delivery are Dovecot's.
    after: ["dovecot"],
  };
}

/** Owners and modes as Debian's postfix-files lists them; Postfix's own script would also look at files outside the home. */
const POSTFIX_FOLDERS = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"];

async function makeQueue(layout: Layout): Promise<void> {
  const postfix = await osUser("postfix");
  const root = { uid: 0, gid: 0 };
  const postdrop = { uid: postfix.uid, gid: await osGroup("postdrop") };
  await ensureFolder(layout.queue, 0o755, root);
  await ensureFolder(layout.postfixData, 0o700, postfix);
  for (const name of POSTFIX_FOLDERS) await ensureFolder(join(layout.queue, name), 0o700, { uid: postfix.uid, gid: 0 });
  await ensureFolder(join(layout.queue, "pid"), 0o755, root);
  for (const [name, mode] of [["public", 0o2710], ["maildrop", 0o1730]] as const) {
    const folder = join(layout.queue, name);
    await ensureFolder(folder, mode, postdrop);
    // chown clears the set-group-id bit.
    await chown(folder, postdrop.uid, postdrop.gid);
    await chmod(folder, mode);
  }
}

async function writeConfig(folder: string, main: string, master: string): Promise<void> {
  await ensureFolder(folder, 0o755);
  for (const [name, text] of [["main.cf", main], ["master.cf", master]] as const) {
    const path = join(folder, name);
    await writeFileAtomic(path, text, 0o644);
    // A Postfix program that finds its configuration younger than a second or two waits, in case somebody is still writing it.
    // Nobody is: the file was renamed into place whole. Without this each start takes two seconds longer.
    const settled = new Date(Date.now() - SETTLED_MS);
    await utimes(path, settled, settled);
  }
}

/** postconf reads both files whole and warns of every name it does not know; a warning is a fault of ours. */
async function check(folder: string): Promise<void> {
  for (const flag of ["-n", "-M", "-P"]) {
    const ran = await run(["/usr/sbin/postconf", "-c", folder, flag]);
    if (ran.code !== 0 || ran.stderr !== "") throw new Fault("POSTFIX_CONFIG", `Postfix does not accept its configuration: ${ran.stderr.trim().slice(0, 2_000)}`);
  }
}
