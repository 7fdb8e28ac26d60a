import type { ReadTx, Tx } from "../store/index.ts";

/** In the transaction of its entry. */
export async function putTariff(tx: Tx, { currency, validFrom }: { readonly currency: string; readonly validFrom: string }, index: number): Promise<void> {
  await tx.run("INSERT INTO tariff (entry_index, currency, valid_from) VALUES ($1, $2, $3)", [index, currency, validFrom]);
}

/** Whether there was ever a tariff in this currency. */
export async function hasTariff(tx: ReadTx, currency: string): Promise<boolean> {
  const [row] = await tx.query<{ published: boolean }>("SELECT EXISTS (SELECT FROM tariff WHERE currency = $1) AS published", [currency]);
  return row?.published === true;
}
