import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import type { Site } from "../contract/index.ts";
import { type ImvuId, type MailAddress, parseMailAddress } from "../kernel/index.ts";
import { type Directory, domainOf } from "./identity-binding/directory.ts";
import { lookUpPasswordDigest, lookUpUser } from "./imap/auth-lookup.ts";
import { quotaBytesOf } from "./imap/quota.ts";
import { boxesOf, boxOf, type Layout } from "./layout.ts";
import { SmtpSession } from "./smtp/session.ts";
import type { MailboxState, MailState } from "./state.ts";

export const BOX_MODE = 0o700;
/** No mailbox is called so: the names of mailboxes do not end with a hyphen. */
const NOBODY_LOCAL = "nobody-";

/** Which names to ask about comes from the disk and the directory; what is so is answered by Postfix, Dovecot and the file system. `only`: about these mailboxes. */
export async function observeMail(site: Site, layout: Layout, directory: Directory, imvu: ImvuId, only?: readonly MailAddress[]): Promise<MailState> {
  const addresses = new Set(only ?? [...(await boxesOnDisk(layout, imvu)), ...directory.accountsOf(imvu).map((account) => account.address)]);
  const candidates = new Set([...directory.domainsOf(imvu), ...[...addresses].map(domainOf)]);
  if (candidates.size === 0) return { domains: [], mailboxes: [] };
  await using smtp = await SmtpSession.open(site.listenAddress, site.ports.smtp);
  const domains: string[] = [];
  // 550 5.1.1: no such mailbox in a domain of ours; anything else: no such domain, or not yet.
  for (const domain of candidates) if (await isRefusedAsUnknown(smtp, `${NOBODY_LOCAL}@${domain}`)) domains.push(domain);
  const mailboxes: MailboxState[] = [];
  for (const address of [...addresses].sort()) mailboxes.push(await observeMailbox(layout, imvu, address, smtp));
  return { domains: domains.sort(), mailboxes };
}

export async function boxesOnDisk(layout: Layout, imvu: ImvuId): Promise<readonly MailAddress[]> {
  const names = await readdir(boxesOf(layout, imvu)).catch(() => [] as string[]);
  return names.flatMap((name) => {
    const parsed = parseMailAddress(name);
    return parsed.ok ? [parsed.value] : [];
  });
}

async function observeMailbox(layout: Layout, imvu: ImvuId, address: MailAddress, smtp: SmtpSession): Promise<MailboxState> {
  const [user, digest, accepts] = await Promise.all([
    lookUpUser(layout, address).catch(() => undefined),
    lookUpPasswordDigest(layout, address).catch(() => undefined),
    isAccepted(smtp, address),
  ]);
  return {
    address,
    accepts,
    passwordHash: digest ?? null,
    uid: user?.uid === undefined ? null : Number(user.uid),
    quotaBytes: quotaBytesOf(user?.quota_rule) ?? null,
    folder: user?.uid !== undefined && (await isPrivateTo(boxOf(layout, imvu, address), Number(user.uid))),
  };
}

/** True when the folder belongs to `uid` and its group alone, and grants nobody else anything. */
export async function isPrivateTo(path: string, uid: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === uid && found.gid === uid && (found.mode & 0o777) === BOX_MODE;
}

async function isAccepted(smtp: SmtpSession, address: string): Promise<boolean> {
  return (await askRecipient(smtp, address)).code === 250;
}

async function isRefusedAsUnknown(smtp: SmtpSession, address: string): Promise<boolean> {
  const { code, text } = await askRecipient(smtp, address);
  return code === 550 && text.startsWith("5.1.1");
}

/**
 * Would the message be taken? Nothing is sent. A full mailbox (552) exists as well. An smtpd process remembers what became of a
 * pair of sender and recipient for as long as it lives: each question has a sender of its own.
 */
async function askRecipient(smtp: SmtpSession, address: string): Promise<{ code: number; text: string }> {
  await smtp.send("RSET");
  await smtp.send(`MAIL FROM:<${randomBytes(8).toString("hex")}@observer.invalid>`);
  const { code, text } = await smtp.send(`RCPT TO:<${address}>`);
  return { code: code === 552 ? 250 : code, text };
}
