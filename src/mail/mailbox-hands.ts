import { readFile, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, imvuUidBase, type Mailbox, parseMailPasswordHash, type Site } from "../contract/index.ts";
import { ensureFolder, Fault, type ImvuId, imvuNumberOf, type MailAddress, sha256Hex } from "../kernel/index.ts";
import { type Account, type Directory, domainOf } from "./identity-binding/directory.ts";
import { boxesOf, boxOf, type Layout } from "./layout.ts";
import { BOX_MODE, observeMail } from "./observe.ts";
import { isOpenAs, type MailHands } from "./plan.ts";

export interface HandsDeps {
  readonly site: Site;
  readonly layout: Layout;
  readonly blobs: Blobs;
  readonly directory: Directory;
  /** Counts every delivery up to now. */
  settle(): Promise<void>;
  /** Ends the sessions of a login that is no more. */
  kick(address: MailAddress): Promise<void>;
}

/** Dovecot reads user ids as 31 bits, whatever the kernel allows. */
const DOVECOT_UID_MAX = 2 ** 31 - 1;
const HASH_BYTES_MAX = 4_096;

export function mailHands(deps: HandsDeps): MailHands {
  const { site, layout, directory } = deps;
  return {
    async announceDomain(imvu, domain) {
      const owner = directory.domain(domain);
      if (owner.is === "known" && owner.value !== imvu) throw new Fault("MAIL_DOMAIN_TAKEN", `${domain} takes mail for another IMVU`);
      directory.announceDomain(domain, imvu);
    },
    async withdrawDomain(imvu, domain) {
      const owner = directory.domain(domain);
      if (owner.is !== "known" || owner.value === imvu) directory.withdrawDomain(domain);
    },
    async openMailbox(imvu, mailbox) {
      const { address } = mailbox;
      const owner = directory.domain(domainOf(address));
      if (owner.is !== "known" || owner.value !== imvu) throw new Fault("MAIL_DOMAIN", `${domainOf(address)} takes no mail for ${imvu}`);
      const account = await accountOf(deps, imvu, mailbox);
      await ensureFolder(boxesOf(layout, imvu), BOX_MODE, { uid: account.uid, gid: account.uid });
      await ensureFolder(account.home, BOX_MODE, { uid: account.uid, gid: account.uid });
      directory.announceAccount(account);
      // Done means that the engines say so.
      const seen = (await observeMail(site, layout, directory, imvu, [address])).mailboxes[0];
      if (!seen || !isOpenAs(seen, mailbox)) throw new Fault("MAIL_NOT_OPEN", `the mail engines do not serve ${address} as ordered: ${JSON.stringify(seen)}`, { retry: true });
    },
    async closeMailbox(imvu, address) {
      const account = directory.account(address);
      if (account.is === "known" && account.value.imvu !== imvu) return;
      // What was delivered so far is still known to be this IMVU's.
      await deps.settle();
      directory.withdrawAccount(address);
      await deps.kick(address);
    },
    async removeBox(imvu, address) {
      const aside = goneOf(layout, imvu, address);
      await rm(aside, { recursive: true, force: true });
      const moved = await rename(boxOf(layout, imvu, address), aside).then(() => true, ifMissing);
      if (moved) await rm(aside, { recursive: true, force: true });
    },
    async restoreBox(imvu, address) {
      await rename(goneOf(layout, imvu, address), boxOf(layout, imvu, address)).catch(ifMissing);
    },
    async removeBoxes(imvu) {
      await rmdir(boxesOf(layout, imvu)).catch(ifMissing);
    },
  };
}

export async function accountOf({ site, layout, blobs }: Pick<HandsDeps, "site" | "layout" | "blobs">, imvu: ImvuId, mailbox: Mailbox): Promise<Account> {
  const uid = imvuUidBase(site, imvuNumberOf(imvu));
  if (uid > DOVECOT_UID_MAX) throw new Fault("MAIL_UID", `Dovecot knows no user id above ${DOVECOT_UID_MAX}; ${imvu} has ${uid}`, { hint: "start a home with a lower uid range" });
  const path = blobs.path(mailbox.passwordHash);
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new Fault("MAIL_PASSWORD_BLOB", `the password hash of ${mailbox.address} is not in the home`, { cause, hint: "let the owner set the mailbox's password again" });
  });
  if (text.length > HASH_BYTES_MAX || sha256Hex(text) !== mailbox.passwordHash) throw new Fault("MAIL_PASSWORD_BLOB", `the password hash of ${mailbox.address} is not the one that was ordered`);
  const hash = parseMailPasswordHash(text);
  if (!hash.ok) throw new Fault("MAIL_PASSWORD_BLOB", `${mailbox.address}: ${hash.message}`, { hint: hash.hint });
  return {
    address: mailbox.address,
    imvu,
    uid,
    home: boxOf(layout, imvu, mailbox.address),
    password: hash.value,
    quotaBytes: mailbox.quotaBytes,
    probe: false,
  };
}

function goneOf(layout: Layout, imvu: ImvuId, address: MailAddress): string {
  return join(layout.gone, `${imvu}.${address}`);
}

function ifMissing(error: NodeJS.ErrnoException): false {
  if (error.code === "ENOENT") return false;
  throw error;
}

