import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { BundleReader, MailDesired } from "../contract/index.ts";
import { ensureFolder, Fault, type ImvuId, messageOf, runOk } from "../kernel/index.ts";
import { DKIM_PREFIX, FOLDERS_BYTES_MAX, FOLDERS_PATH, type MailboxFolders, zFolders } from "./bundle-layout.ts";
import type { MailParts } from "./parts.ts";
import { messagesByFolder } from "./imap/count-messages.ts";
import { doveadm } from "./imap/doveadm.ts";
import { dovecotConfigFile } from "./imap/engine.ts";
import type { Layout } from "./layout.ts";
import { maildirFlags, maildirFolder } from "./maildir.ts";
import { type MboxMessage, readMbox } from "./mbox.ts";

const IMPORT_TIMEOUT_MS = 60 * 60_000;

/**
 * Keys first, then mail: each folder is laid out as a Maildir that belongs to the IMVU's user, and Dovecot takes it from there with
 * flags, dates and quota. Boxes must be empty, so that an import that is run again does not double anything.
 */
export async function importMail(parts: MailParts, imvu: ImvuId, desired: MailDesired, bundle: BundleReader): Promise<void> {
  await importKeys(parts, imvu, desired, bundle);
  const bytes = await bundle.read(FOLDERS_PATH);
  const parsed = bytes.length <= FOLDERS_BYTES_MAX ? zFolders.safeParse(parseJson(bytes)) : undefined;
  if (!parsed?.success) throw refused(`${FOLDERS_PATH}: ${parsed?.error.issues[0]?.path.join(".") ?? ""} ${parsed?.error.issues[0]?.message ?? "is too large"}`);
  const ordered = new Set<string>(desired.mailboxes.map((mailbox) => mailbox.address));
  for (const mailbox of parsed.data.mailboxes) {
    if (!ordered.has(mailbox.address)) throw refused(`${FOLDERS_PATH}: ${JSON.stringify(mailbox.address)} is not one of the mailboxes that are ordered`);
    await importMailbox(parts, mailbox, bundle);
  }
}

async function importKeys({ keyring }: MailParts, imvu: ImvuId, desired: MailDesired, bundle: BundleReader): Promise<void> {
  const suffix = ".private.pem";
  const paths = bundle.list(DKIM_PREFIX).filter((path) => path.endsWith(suffix));
  const keys = await Promise.all(
    paths.map(async (path) => ({ selector: path.slice(DKIM_PREFIX.length, -suffix.length), pem: Buffer.from(await bundle.read(path)).toString("utf8") })),
  );
  const restored = await keyring.replace(imvu, keys);
  for (const key of desired.dkim) {
    if (restored.find(({ selector }) => selector === key.selector)?.txt !== key.txt) throw refused(`the DKIM key ${key.selector} is missing or is not the one that is published`);
  }
}

async function importMailbox({ layout, directory }: MailParts, mailbox: MailboxFolders, bundle: BundleReader): Promise<void> {
  const account = directory.account(mailbox.address);
  if (account.is !== "known") throw new Fault("MAIL_IMPORT", `the mailbox ${mailbox.address} is not open`);
  const { address, uid } = account.value;
  const before = await messagesByFolder(layout, address);
  const held = [...before.values()].reduce((sum, count) => sum + count, 0);
  const expected = mailbox.folders.reduce((sum, folder) => sum + folder.messages, 0);
  if (held > 0 && held !== expected) throw new Fault("MAIL_IMPORT", `the mailbox ${address} holds ${held} messages already`, { hint: "import into an IMVU whose mailboxes are empty" });
  const passing = join(layout.passing, randomBytes(6).toString("hex"));
  try {
    if (held === 0) {
      await ensureFolder(passing, 0o700);
      for (const folder of mailbox.folders) await layOut(passing, folder, bundle);
      await runOk(["/bin/chown", "-R", `${uid}:${uid}`, passing]);
      for (const { name } of mailbox.folders) if (name !== "INBOX" && !before.has(name)) await doveadm(layout, address, ["mailbox create", name]);
      await runOk(["/usr/bin/doveadm", "-c", dovecotConfigFile(layout), "import", "-u", address, `maildir:${passing}`, "", "ALL"], { timeout_ms: IMPORT_TIMEOUT_MS });
    }
  } finally {
    await rm(passing, { recursive: true, force: true });
  }
  await subscribe(layout, address, mailbox.subscriptions);
  const after = await messagesByFolder(layout, address);
  const wrong = mailbox.folders.find(({ name, messages }) => (after.get(name) ?? 0) !== messages);
  if (wrong) throw new Fault("MAIL_IMPORT", `${address}: the folder ${wrong.name} holds ${after.get(wrong.name) ?? 0} of ${wrong.messages} messages`);
}

/** One folder's messages as files; numbered names keep their order. */
async function layOut(root: string, folder: MailboxFolders["folders"][number], bundle: BundleReader): Promise<void> {
  const dir = folder.name === "INBOX" ? root : join(root, maildirFolder(folder.name));
  for (const name of ["", "cur", "new", "tmp"]) await ensureFolder(join(dir, name), 0o700);
  const keywords: string[] = [];
  let number = 0;
  let current: { readonly file: FileHandle; readonly path: string; readonly message: MboxMessage } | undefined;
  const finish = async () => {
    if (!current) return;
    await current.file.close();
    await utimes(current.path, current.message.received_s, current.message.received_s);
    current = undefined;
  };
  try {
    for await (const piece of readMbox(bundle.stream(folder.file))) {
      if ("bytes" in piece) {
        await current?.file.write(piece.bytes);
        continue;
      }
      await finish();
      number += 1;
      const path = join(dir, "cur", `${1_000_000_000 + number}.M0P0.nexus:2,${maildirFlags(piece.begin.flags, keywords)}`);
      current = { file: await open(path, "wx", 0o600), path, message: piece.begin };
    }
    await finish();
  } catch (error) {
    if (error instanceof RangeError) throw refused(`${folder.file}: ${messageOf(error)}`);
    throw error;
  } finally {
    await current?.file.close();
  }
  if (number !== folder.messages) throw refused(`${folder.file} holds ${number} messages, ${FOLDERS_PATH} says ${folder.messages}`);
  const list = await open(join(dir, "dovecot-keywords"), "w", 0o600);
  await list.writeFile(keywords.map((keyword, index) => `${index} ${keyword}\n`).join(""));
  await list.close();
}

async function subscribe(layout: Layout, address: string, wanted: readonly string[]): Promise<void> {
  const has = new Set(await doveadm(layout, address, ["mailbox list", "-s"]));
  for (const name of wanted) if (!has.has(name)) await doveadm(layout, address, ["mailbox subscribe", name]);
  for (const name of has) if (!wanted.includes(name)) await doveadm(layout, address, ["mailbox unsubscribe", name]);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

function refused(why: string): Fault {
  return new Fault("BUNDLE_MAIL", why, { hint: "export it again" });
}
