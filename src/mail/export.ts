import { Readable } from "node:stream";
import type { ExportSink } from "../contract/index.ts";
import { Fault, type ImvuId, messageOf } from "../kernel/index.ts";
import { DKIM_PREFIX, type Folders, FOLDERS_PATH, type MailboxFolders, mboxPath } from "./bundle-layout.ts";
import type { MailParts } from "./parts.ts";
import { doveadm, doveadmFields } from "./imap/doveadm.ts";
import { lookUpUser } from "./imap/auth-lookup.ts";
import { quotaBytesOf } from "./imap/quota.ts";
import type { Layout } from "./layout.ts";
import { type MboxPiece, writeMbox } from "./mbox.ts";

const INBOX = "INBOX";

/** Everything through Dovecot, streamed: a folder is never held in memory nor copied on disk first. The same state gives the same bytes. */
export async function exportMail(parts: MailParts, imvu: ImvuId, sink: ExportSink): Promise<void> {
  const { layout, directory } = parts;
  const mailboxes: MailboxFolders[] = [];
  for (const { address } of [...directory.accountsOf(imvu)].sort((a, b) => (a.address < b.address ? -1 : 1))) mailboxes.push(await exportMailbox(layout, address, sink));
  for (const key of await parts.keyring.of(imvu)) {
    await sink.file(`${DKIM_PREFIX}${key.selector}.private.pem`, key.privatePem);
    await sink.file(`${DKIM_PREFIX}${key.selector}.txt`, `${key.txt}\n`);
  }
  for (const domain of directory.domainsOf(imvu)) {
    await exportPolicy(parts, sink, "spf", domain, "v=spf1 ");
    await exportPolicy(parts, sink, "dmarc", `_dmarc.${domain}`, "v=DMARC1;");
  }
  const folders: Folders = { version: 1, mailboxes };
  await sink.file(FOLDERS_PATH, `${JSON.stringify(folders, null, 2)}\n`);
}

async function exportMailbox(layout: Layout, address: string, sink: ExportSink): Promise<MailboxFolders> {
  const quotaBytes = quotaBytesOf((await lookUpUser(layout, address))?.quota_rule);
  if (quotaBytes === undefined) throw new Fault("MAIL_EXPORT", `Dovecot does not know the mailbox ${address}`, { retry: true });
  const listed = await doveadm(layout, address, ["mailbox status", "guid", "*"]);
  const found = listed.flatMap((name, index) => (index % 2 === 0 ? [{ name, guid: listed[index + 1] ?? "" }] : []));
  // Dovecot makes the INBOX's files when it is first opened; to everybody else it is always there.
  if (!found.some(({ name }) => name === INBOX)) found.push({ name: INBOX, guid: "" });
  const folders: MailboxFolders["folders"] = [];
  for (const { name, guid } of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = mboxPath(address, name);
    const flags: Record<string, number> = {};
    let messages = 0;
    const counted = async function* () {
      if (guid === "") return;
      for await (const piece of fetchFolder(layout, address, guid)) {
        if ("begin" in piece) {
          messages += 1;
          for (const flag of piece.begin.flags) flags[flag] = (flags[flag] ?? 0) + 1;
        }
        yield piece;
      }
    };
    await sink.file(file, Readable.from(writeMbox(counted())));
    folders.push({ name, file, messages, flags: Object.fromEntries(Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1))) });
  }
  const subscriptions = [...(await doveadm(layout, address, ["mailbox list", "-s"]))].sort();
  return { address, quotaBytes, folders, subscriptions };
}

/** Three fields for each message: flags, seconds since the epoch, the message. By GUID: in a search a name is a pattern. */
async function* fetchFolder(layout: Layout, address: string, guid: string): AsyncGenerator<MboxPiece> {
  let field = 0;
  let head = "";
  let flags = "";
  for await (const { bytes, last } of doveadmFields(layout, address, ["fetch", "flags date.received.unixtime text", "mailbox-guid", guid, "ALL"])) {
    if (field === 2) {
      if (bytes.length > 0) yield { bytes };
      if (last) field = 0;
      continue;
    }
    head += bytes.toString("utf8");
    if (!last) continue;
    if (field === 0) flags = head;
    else {
      if (!/^\d+$/.test(head)) throw new Fault("MAIL_EXPORT", `Dovecot gave the date ${JSON.stringify(head.slice(0, 40))}`);
      yield { begin: { flags: flags.split(" ").filter((flag) => flag !== "" && flag !== "\\Recent"), received_s: Number(head) } };
    }
    head = "";
    field += 1;
  }
}

async function exportPolicy({ dns }: MailParts, sink: ExportSink, what: "spf" | "dmarc", name: string, begins: string): Promise<void> {
  const path = `mail/policies/${what}.txt`;
  if (!dns) return sink.omit(path, `no DNS resolver is at hand to read ${name}; the record is in the zone file`);
  try {
    const found = (await dns(name, "TXT")).map((parts) => parts.join("")).find((text) => text.startsWith(begins));
    if (found === undefined) return sink.omit(path, `${name} publishes no such policy`);
    await sink.file(path, `${found}\n`);
  } catch (error) {
    sink.omit(path, `DNS gives no answer for ${name}: ${messageOf(error)}`);
  }
}
