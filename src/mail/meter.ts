import type { Reading } from "../contract/index.ts";
import { Fault, type ImvuId } from "../kernel/index.ts";
import type { Directory } from "./identity-binding/directory.ts";
import { doveadm } from "./imap/doveadm.ts";
import type { Layout } from "./layout.ts";
import type { MeterJournal } from "./smtp/meter-journal.ts";

/**
 * Messages from the settled deliveries, storage from Dovecot's own sum of its mailboxes. The counters live on over reboots, in a
 * file: their boot is the one in which that file was born, and their epoch is its birth id.
 */
export async function meterMail(layout: Layout, directory: Directory, journal: MeterJournal, imvu: ImvuId): Promise<readonly Reading[]> {
  const { sent, received } = await journal.read(imvu);
  let bytes = 0n;
  for (const { address } of directory.accountsOf(imvu)) bytes += await bytesIn(layout, address);
  const at = { boot: journal.boot, epoch: journal.epoch };
  return [
    { resource: "mail.sent", value: String(sent), ...at },
    { resource: "mail.received", value: String(received), ...at },
    { resource: "mail.storage", value: String(bytes), ...at },
  ];
}

/** Sum over a login's folders of the messages' sizes as IMAP shows them: what the quota counts, to the byte. */
export async function bytesIn(layout: Layout, address: string): Promise<bigint> {
  const fields = await doveadm(layout, address, ["mailbox status", "-t", "vsize", "*"]);
  const total = fields.at(-1) ?? "";
  if (!/^\d+$/.test(total)) throw new Fault("MAIL_STORAGE", `Dovecot does not say how many bytes ${address} holds: ${JSON.stringify(fields.slice(0, 4))}`, { retry: true });
  return BigInt(total);
}
