import { Fault, type MailAddress } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { doveadm } from "./doveadm.ts";

/** Messages in all folders of a box, asked of Dovecot: a box that holds any is not removed. */
export async function countMessages(layout: Layout, address: MailAddress): Promise<number> {
  return [...(await messagesByFolder(layout, address)).values()].reduce((sum, count) => sum + count, 0);
}

export async function messagesByFolder(layout: Layout, address: MailAddress): Promise<ReadonlyMap<string, number>> {
  const fields = await doveadm(layout, address, ["mailbox status", "messages", "*"]);
  const counts = new Map<string, number>();
  for (let at = 0; at < fields.length; at += 2) {
    const [name, count] = fields.slice(at, at + 2);
    if (name === undefined || !/^\d+$/.test(count ?? "")) throw new Fault("DOVEADM", `doveadm mailbox status of ${address} answered ${fields.length} fields that are no counts`);
    counts.set(name, Number(count));
  }
  return counts;
}
