import type { Reading } from "../contract/index.ts";
import { type Clock, Fault, type ImvuId, inSlices, togetherOf } from "../kernel/index.ts";
import type { Account, Directory } from "./identity-binding/directory.ts";
import { boxStamp } from "./imap/box-stamp.ts";
import { vsizes } from "./imap/vsizes.ts";
import type { Layout } from "./layout.ts";
import type { MeterJournal } from "./smtp/meter-journal.ts";

/**
 * Messages from the settled deliveries, storage from Dovecot's own sum of its mailboxes. The counters live on over reboots, in a
 * file: their boot is the one in which that file was born, and their epoch is its birth id.
 */
export function mailMeter(layout: Layout, directory: Directory, journalOf: () => Promise<MeterJournal>, clock: Clock): (imvu: ImvuId) => Promise<readonly Reading[]> {
  const bytesIn = storageMeter((addresses) => vsizes(layout, addresses), clock);
  return async (imvu) => {
    const journal = await journalOf();
    const [{ sent, received }, ...sizes] = await Promise.all([journal.read(imvu), ...directory.accountsOf(imvu).map(bytesIn)]);
    const bytes = sizes.reduce((sum, size) => sum + size, 0n);
    const at = { boot: journal.boot, epoch: journal.epoch };
    return [
      { resource: "mail.sent", value: String(sent), ...at },
      { resource: "mail.received", value: String(received), ...at },
      { resource: "mail.storage", value: String(bytes), ...at },
    ];
  };
}

/**
 * Each reading looks whether a message came or went since Dovecot summed the box: a sum is the box's own for as long as its stamp from before the sum is the
 * one it has now. Boxes in which something moved are summed together.
 */
export function storageMeter(sum: (addresses: readonly string[]) => Promise<ReadonlyMap<string, bigint | Fault>>, clock: Clock): (account: Pick<Account, "address" | "home">) => Promise<bigint> {
  const summed = new WeakMap<object, { readonly stamp: string; readonly bytes: bigint }>();
  const slice = inSlices();
  const askDovecot = togetherOf(sum);
  return async (account) => {
    const stamp = await slice(() => boxStamp(account.home, clock.now()));
    const before = summed.get(account);
    if (before?.stamp === stamp.text) return before.bytes;
    const bytes = await askDovecot(account.address);
    if (bytes === undefined || bytes instanceof Fault) throw bytes ?? new Fault("MAIL_STORAGE", `Dovecot was not asked about ${account.address}`);
    if (stamp.settled) summed.set(account, { stamp: stamp.text, bytes });
    return bytes;
  };
}
