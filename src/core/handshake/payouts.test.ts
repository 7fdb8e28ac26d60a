import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decimalText, type Iban, imvuIdOf, MONEY_DECIMALS, money } from "../../kernel/index.ts";
import type { Correction } from "./account.ts";
import { payoutPostings } from "./payout-postings.ts";
import { PayoutBook } from "./payouts.ts";

const imvu = imvuIdOf(7);
const ACCOUNT = { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000" as Iban } as const;

/** What a statement or correction pays, and nothing else of it. */
function credit(units: bigint, currency = "EUR", digits = 2): Correction {
  const text = decimalText(units * 10n ** BigInt(MONEY_DECIMALS - digits), MONEY_DECIMALS);
  const revenue = { recorded: `0.${"0".repeat(21)}`, reversed: `0.${"0".repeat(21)}`, sales: 0, reversals: 0 };
  return { currency, corrects: 1, creator: text, platform: text, revenue, payout: { creator: decimalText(units, digits), difference: "0" } } as unknown as Correction;
}

type Happening = { readonly what: "credit"; readonly units: bigint } | { readonly what: "look" } | { readonly what: "executed" | "returned"; readonly which: number };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant("credit" as const), units: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }) }),
  fc.record({ what: fc.constant("look" as const) }),
  fc.record({ what: fc.constantFrom("executed" as const, "returned" as const), which: fc.nat(6) }),
);

test("whatever happens in whatever order: what was paid and what is owed are what was earned, nobody is paid of nothing, numbers have no gap, the journal is zero", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      const book = new PayoutBook(imvu);
      book.name(ACCOUNT, "ab", 0);
      let [earned, index] = [0n, 0];
      const journal = new Map<string, bigint>();
      const post = (postings: ReturnType<typeof payoutPostings>) => {
        for (const { account, amount } of postings) journal.set(account, (journal.get(account) ?? 0n) + amount);
      };
      for (const one of happenings) {
        index += 1;
        if (one.what === "credit") {
          book.owe(credit(one.units), index);
          earned += one.units * 10n ** 19n;
        } else if (one.what === "look") {
          const due = book.due("EUR");
          assert.equal(due === undefined, book.owed("EUR") <= 0n);
          if (!due) continue;
          assert.equal(due.number, book.payouts().length + 1);
          const owed = book.owed("EUR");
          book.create(due, index);
          post(payoutPostings({ from: null, to: "created" }, owed));
          assert.equal(book.owed("EUR"), 0n);
        } else {
          const id = `${imvu}-${one.which}`;
          const [before, step] = [book.payout(id), book.step(id, one.what)];
          assert.equal(book.settle(id, one.what, `c${index}`, index), step !== undefined);
          if (step && before) post(payoutPostings(step, before.amount));
        }
      }
      const standing = book.payouts().filter(({ state }) => state !== "returned").reduce((sum, { amount }) => sum + amount, 0n);
      assert.equal(standing + book.owed("EUR"), earned);
      assert.equal([...journal.values()].reduce((sum, amount) => sum + amount, 0n), 0n);
      assert.equal(-(journal.get("transit") ?? 0n) - (journal.get("paid") ?? 0n), standing);
      assert.equal(journal.get("creator") ?? 0n, standing);
    }),
    { numRuns: 500 },
  );
});

test("each step is two lines of the same amount", () => {
  for (const step of [{ from: null, to: "created" }, { from: "created", to: "executed" }, { from: "created", to: "returned" }, { from: "executed", to: "returned" }] as const) {
    const [debit, counter] = payoutPostings(step, money(7n));
    assert.deepEqual([debit?.amount, counter?.amount], [7n, -7n]);
    assert.notEqual(debit?.account, counter?.account);
  }
});

test("currencies are owed apart, each in the decimals in which it was earned", () => {
  const book = new PayoutBook(imvu);
  book.name(ACCOUNT, "ab", 0);
  for (const [at, [units, currency, digits]] of ([[1_234n, "EUR", 2], [500n, "JPY", 0], [7_001n, "KWD", 3], [-900n, "JPY", 0]] as const).entries()) book.owe(credit(units, currency, digits), at + 1);
  assert.deepEqual(book.currencies().map((currency) => book.due(currency)?.amount), ["12.34", undefined, "7.001"]);
  assert.equal(book.due("USD"), undefined);
  book.name(null, "cd", 9);
  assert.equal(book.due("EUR"), undefined);
});
