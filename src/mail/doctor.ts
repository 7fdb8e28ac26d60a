import { stat } from "node:fs/promises";
import type { Finding, Site } from "../contract/index.ts";
import { messageOf, runOk } from "../kernel/index.ts";
import { greets } from "./greets.ts";
import type { Layout } from "./layout.ts";
import { osGroup, osUser } from "./os-users.ts";

const PACKAGES = "apt-get install postfix dovecot-core dovecot-imapd dovecot-lmtpd";

async function finding(what: string, hint: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, detail: await look(), hint: "" };
  } catch (error) {
    return { what, ok: false, detail: messageOf(error), hint };
  }
}

export async function examineMail(site: Site, layout: Layout): Promise<readonly Finding[]> {
  return await Promise.all([
    finding("Postfix 3.5 or newer", PACKAGES, async () => atLeast(await runOk(["/usr/sbin/postconf", "-d", "-h", "mail_version"]), 3, 5)),
    finding("Dovecot 2.3", PACKAGES, async () => atLeast(await runOk(["/usr/sbin/dovecot", "--version"]), 2, 3)),
    finding("Dovecot's IMAP and LMTP", PACKAGES, async () => {
      for (const name of ["imap", "lmtp", "quota-status"]) await stat(`/usr/lib/dovecot/${name}`);
      return "imap, lmtp and quota-status are installed";
    }),
    finding("operating system users of the mail engines", PACKAGES, async () => {
      const users = await Promise.all(["postfix", "dovecot", "dovenull"].map(async (name) => `${name} (${(await osUser(name)).uid})`));
      return `${users.join(", ")}, group postdrop (${await osGroup("postdrop")})`;
    }),
    finding("mail folder", "nexus up", async () => {
      await stat(layout.dir);
      return layout.dir;
    }),
    ...(["smtp", "submission", "imap"] as const).map((name) =>
      finding(`mail port ${name} (${site.ports[name]})`, "nexus up", async () => {
        const greeting = name === "imap" ? "* OK" : "220 ";
        if (await greets(site.listenAddress, site.ports[name], greeting)) return `${site.listenAddress}:${site.ports[name]} greets`;
        throw new Error(`nobody greets at ${site.listenAddress}:${site.ports[name]}`);
      }),
    ),
  ]);
}

function atLeast(version: string, major: number, minor: number): string {
  const [is, isMinor] = version.trim().split(".").map((part) => Number.parseInt(part, 10)) as [number, number];
  if (is > major || (is === major && isMinor >= minor)) return version.trim();
  throw new Error(`version ${version.trim()} is installed`);
}
