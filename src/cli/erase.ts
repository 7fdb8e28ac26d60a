import { Buffer } from "node:buffer";
import type { StoredIdentity } from "../core/identity/index.ts";
import type { ImvuId, Json, Sha256 } from "../kernel/index.ts";
import type { Context } from "./context.ts";
import { digestOf } from "./named-file.ts";
import { keepReceipt } from "./receipts.ts";

export const ORDER_FILE = ["--order <file>", "the request or order that demands it; only its SHA-256 is sent"] as const;
export const ORDER_SHA256 = ["--order-sha256 <digest>", "the same, where the document lies elsewhere"] as const;

export interface OrderOptions {
  readonly order?: string;
  readonly orderSha256?: string;
}

export async function orderOf({ order, orderSha256 }: OrderOptions): Promise<Sha256> {
  return await digestOf("order", order, orderSha256, "the document that demands it");
}

/** Orders the body of one command erased, named by its commitment, so that nothing else can be meant. */
export async function eraseEntry(context: Context, signer: StoredIdentity, op: "imvu.erase" | "platform.erase", imvu: ImvuId | null, index: number, order: Sha256): Promise<Json> {
  const { leaf } = (await (await context.client()).get(`/v1/ledger/proof/${index}`)) as { leaf: string };
  const commitment = Buffer.from(leaf, "base64").toString("hex");
  const done = await context.command(signer, op, imvu, { index, commitment, order });
  return { index, commitment, order: done.receipt.index, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } };
}
