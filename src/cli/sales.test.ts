import assert from "node:assert/strict";
import { test } from "node:test";
import { imvuIdOf } from "../kernel/index.ts";
import type { Context } from "./context.ts";
import { salesCsv, salesFrom } from "./sales.ts";

/** A platform with so many sales, at every third entry, that answers as the API does. */
function platformWith(many: number) {
  const asked: string[] = [];
  const read = async (_who: unknown, path: string) => {
    asked.push(path);
    const query = new URL(`http://x${path}`).searchParams;
    const [from, limit] = [Number(query.get("from")), Number(query.get("limit"))];
    const all = Array.from({ length: many }, (_, at) => ({ index: at * 3, sourceId: `s${at}`, reverses: null, amount: "1.00", currency: "EUR", at: "2026-11-10T00:00:00.000Z", left: "1.00" }));
    return { currency: "EUR", sales: all.filter(({ index }) => index >= from).slice(0, Math.min(limit, 500)) };
  };
  return { asked, context: { client: async () => ({ read }), signer: async () => ({}) } as unknown as Context };
}

test("a list of sales is whole, however many answers it takes; or as long as asked for", async () => {
  for (const [many, answers] of [[0, 1], [499, 1], [500, 2], [1_201, 3]] as const) {
    const { asked, context } = platformWith(many);
    const { sales, currency } = await salesFrom(context, imvuIdOf(7));
    assert.deepEqual([sales.map(({ sourceId }) => sourceId), currency, asked.length], [Array.from({ length: many }, (_, at) => `s${at}`), "EUR", answers]);
  }
  const { context } = platformWith(1_201);
  const some = async (from: number, limit: number) => (await salesFrom(context, imvuIdOf(7), from, limit)).sales.map(({ index }) => index);
  assert.deepEqual([await some(4, 2), (await some(0, 700)).length, (await some(3_000, 700)).length], [[6, 9], 700, 201]);
});

test("as rows for a spreadsheet", () => {
  const sale = { index: 9, sourceId: "order-1", reverses: null, amount: "12.34", currency: "EUR", at: "2026-11-10T00:00:00.000Z", left: "12.34" };
  assert.equal(salesCsv([sale, { ...sale, index: 10, sourceId: "r:1", reverses: "order-1", amount: "2.00" }]), "ledger entry,at,source id,reverses,amount,currency\r\n9,2026-11-10T00:00:00.000Z,order-1,,12.34,EUR\r\n10,2026-11-10T00:00:00.000Z,r:1,order-1,2.00,EUR\r\n");
});
