import { COMMAND_PARAMS, type Receipt } from "../../contract/index.ts";
import { decimalText, parseImvuId, sha256Hex } from "../../kernel/index.ts";
import type { Context } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { digitsOf, unitsOf } from "./made.ts";
import type { PayoutToSend } from "./provider.ts";

/**
 * Payouts that are to be made, each as its own ledger entry says, after the entry was proved to stand in the log that this home has been watching: neither the
 * platform's tables nor its answer can change an amount or an account on the way to the bank.
 */
export async function duePayouts(context: Context): Promise<readonly PayoutToSend[]> {
  const client = await context.client();
  const { payouts } = (await client.read(await context.operator(), "/v1/payouts/due")) as unknown as { readonly payouts: readonly { readonly receipt: Receipt }[] };
  const due: PayoutToSend[] = [];
  for (const { receipt } of payouts) {
    await client.log.check(receipt);
    due.push(payoutOf(receipt));
  }
  return due;
}

function payoutOf({ index, body }: Receipt): PayoutToSend {
  const { stream, type, data } = JSON.parse(body) as { stream: unknown; type: unknown; data: Record<string, unknown> };
  const { imvu, number, id, amount, currency } = data;
  const account = COMMAND_PARAMS["imvu.payout.account"].safeParse({ account: data.account });
  const named = parseImvuId(imvu);
  const whole = type === "payout.created" && named.ok && stream === imvu && account.success && account.data.account !== null && Number.isSafeInteger(number) && id === `${imvu}-${number}`;
  if (!whole || typeof amount !== "string" || !/^\d{1,18}(\.\d{1,5})?$/.test(amount) || !/[1-9]/.test(amount) || typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency))
    throw new Failure({ code: "BAD_PAYOUT", message: `ledger entry ${index} is no payout that could be made`, hint: "nexus verify revenue" }, EXIT.engine);
  return { imvu: named.value, number: number as number, id: id as string, amount, currency, account: account.data.account as PayoutToSend["account"], commitment: sha256Hex(body) };
}

/** Sums for people, currency by currency. */
export function sumLines(payouts: readonly Pick<PayoutToSend, "amount" | "currency">[]): readonly string[] {
  return [...new Set(payouts.map(({ currency }) => currency))].map((currency) => {
    const amounts = payouts.filter((one) => one.currency === currency).map(({ amount }) => amount);
    const digits = Math.max(...amounts.map(digitsOf));
    return `${amounts.length} of ${currency} ${decimalText(amounts.reduce((sum, amount) => sum + unitsOf(amount, digits), 0n), digits)}`;
  });
}
