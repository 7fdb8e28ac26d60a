import { Fault, type MailAddress } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { doveadm } from "./doveadm.ts";

/** Messages in all folders of a box, asked of Dovecot: a box that holds any is not removed. */
export async function countMessages(layout: Layout, address: MailAddress): Promise<number> {
  const fields = await doveadm(layout, address, ["mailbox status", "messages", "*"]);
  let total = 0;
  for (let at = 1; at < fields.length; at += 2) {
    if (!/^\d+$/.test(fields[at] ?? "")) throw new Fault("DOVEADM", `doveadm mailbox status of ${address} answered ${fields.length} fields that are no counts`);
    total += Number(fields[at]);
  }
  return total;
}
