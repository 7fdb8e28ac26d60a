import type { Buyer, Command, Seller } from "../../contract/index.ts";
import type { Profile } from "../handshake/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** Billing profiles: a table told by the ledger. From its command's entry on a profile counts, for invoices that are still to be written. */
export type BillingCommand = Extract<Command, { op: "imvu.billing.set" | "platform.billing.set" }>;

/** The platform's row. */
export const SELLER = "platform";

export function isBilling(command: Command): command is BillingCommand {
  return command.op === "imvu.billing.set" || command.op === "platform.billing.set";
}

/** Whose profile a command sets. */
export function subjectOfBilling({ imvu }: BillingCommand): string {
  return imvu ?? SELLER;
}

export async function putBilling(tx: Tx, command: BillingCommand, index: number): Promise<void> {
  await tx.run("INSERT INTO billing (subject, doc, entry_index) VALUES ($1, $2::jsonb, $3) ON CONFLICT (subject) DO UPDATE SET doc = excluded.doc, entry_index = excluded.entry_index", [subjectOfBilling(command), JSON.stringify(command.params), index]);
}

export async function sellerNow(tx: ReadTx): Promise<Profile<Seller> | undefined> {
  return (await profilesNow<Seller>(tx, [SELLER])).get(SELLER);
}

export async function buyersNow(tx: ReadTx, imvus: readonly string[]): Promise<ReadonlyMap<string, Profile<Buyer>>> {
  return await profilesNow<Buyer>(tx, imvus);
}

async function profilesNow<T extends Seller | Buyer>(tx: ReadTx, subjects: readonly string[]): Promise<ReadonlyMap<string, Profile<T>>> {
  const rows = await tx.query<{ subject: string; doc: T; entry_index: string }>("SELECT subject, doc, entry_index FROM billing WHERE subject = ANY($1)", [subjects]);
  return new Map(rows.map(({ subject, doc, entry_index }) => [subject, { index: Number(entry_index), profile: doc }]));
}
