import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { type Bic, decimalText, type Iban } from "../../kernel/index.ts";
import { payoutsCsv } from "./csv.ts";
import type { Payout } from "./made.ts";
import { pain001, type PaymentFile } from "./pain001.ts";
import { sepaText } from "./sepa-text.ts";

const golden = (name: string) => readFileSync(join(import.meta.dirname, "golden", name), "utf8");
const payout = (number: number, amount: string, holder: string, more: Partial<Payout["account"]> = {}, currency = "EUR"): Payout => ({ imvu: "IMVU-001", number, id: `IMVU-001-${number}`, amount, currency, account: { holder, kind: "person", iban: "DE89370400440532013000" as Iban, ...more } });
const FILE: PaymentFile = {
  from: { name: "Nexus Gastgeberin & Söhne", iban: "GB29NWBK60161331926819" as Iban, bic: "NWBKGB2LXXX" as Bic },
  createdAt: "2026-12-01T10:11:12.345Z",
  executionDate: "2026-12-02",
  payouts: [payout(1, "55.01", "Ada Lovelace"), payout(2, "0.01", "Łukasz Größe-Ørsted", { bic: "COBADEFFXXX" as Bic }), payout(3, "999999999.99", "Ελένη Παπαδοπούλου", { kind: "company" })],
};
const made = (change: Partial<PaymentFile> = {}) => {
  const file = pain001({ ...FILE, ...change });
  assert.ok(file.ok, file.ok ? "" : file.message);
  return file.value;
};

test("a file of SEPA credit transfers is the golden one", () => {
  assert.equal(made(), golden("sepa.xml"));
});

test("each currency has an instruction of its own; what is not euro is no SEPA transfer; a bank without a BIC is not provided", () => {
  const { bic: _, ...from } = FILE.from;
  assert.equal(made({ from, payouts: [payout(1, "10.00", "Ada"), payout(2, "1000", "Bo", {}, "JPY"), payout(3, "1.500", "Cy", {}, "KWD")] }), golden("currencies.xml"));
});

test("sums are exact, whatever is added", () => {
  const amounts = Array.from({ length: 1_000 }, (_, at) => decimalText(BigInt(at * 7 + 1), 2));
  const xml = made({ payouts: amounts.map((amount, at) => payout(at + 1, amount, "Ada")) });
  const expected = decimalText(amounts.reduce((sum, amount) => sum + BigInt(amount.replace(".", "")), 0n), 2);
  assert.deepEqual([...xml.matchAll(/<CtrlSum>([^<]*)</g)].map(([, sum]) => sum), [expected, expected]);
  assert.deepEqual([...xml.matchAll(/<NbOfTxs>([^<]*)</g)].map(([, many]) => many), ["1000", "1000"]);
});

test("names are written in the characters that every bank takes, and in no other", () => {
  for (const [name, written] of [["Größe & Söhne", "Grosse + Sohne"], ["Łukasz Żółć", "Lukasz Zolc"], ["Đorđe Ħ.", "Dorde H."], ["Ελένη Ψωμά", "Eleni Psoma"], ["Жана Щерева", "Zhana Shtereva"], ["O’Neill “Art”", "O'Neill 'Art'"], ["山田", ".."], ["a\u00a0b", "a b"], ["</Nm><x>", "./Nm..x."], ["é\u0301", "e"], ["ﬁ", "fi"], ["  a   b ", "a b"]] as const) assert.equal(sepaText(name, 70), written, name);
  assert.equal(sepaText(`${"a".repeat(69)} bc`, 70), "a".repeat(69));
  for (let code = 1; code < 0x3000; code += 1) assert.match(sepaText(`x${String.fromCodePoint(code)}y`, 70), /^[A-Za-z0-9/?:().,'+ -]+$/);
});

test("a name that no payment can carry, or an amount beyond one, is refused by the payout's name", () => {
  for (const [wrong, code] of [[payout(4, "1.00", "山田"), "NAME_UNWRITABLE"], [payout(5, "1000000000.00", "Ada"), "AMOUNT_TOO_LARGE"]] as const) {
    const file = pain001({ ...FILE, payouts: [...FILE.payouts, wrong] });
    assert.ok(!file.ok && file.code === code && file.message.includes(wrong.id));
  }
  const nobody = pain001({ ...FILE, from: { ...FILE.from, name: "—" } });
  assert.ok(!nobody.ok && nobody.code === "NAME_UNWRITABLE");
});

test("an amount or a sum of more digits than the message has place for is refused, by the payout's name or by the currencies'", () => {
  const most = "9999999999999999.99";
  assert.match(made({ payouts: [payout(1, most, "Ada", {}, "USD")] }), />9999999999999999\.99</);
  for (const [payouts, named] of [[[payout(1, `9${most}`, "Ada", {}, "USD")], "IMVU-001-1"], [[payout(1, most, "Ada", {}, "USD"), payout(2, "0.02", "Bo", {}, "USD")], "USD"], [[payout(1, most, "Ada", {}, "USD"), payout(2, "0.001", "Bo", {}, "KWD")], "KWD, USD"]] as const) {
    const file = pain001({ ...FILE, payouts });
    assert.ok(!file.ok && file.code === "AMOUNT_TOO_LARGE" && file.message.includes(named), named);
  }
});

test("a CSV has one header; a name that a spreadsheet would calculate, or that holds a comma or a quote, stays a name", () => {
  const text = payoutsCsv([payout(1, "55.01", "Ada Lovelace"), payout(2, "1.00", '=HYPERLINK("http://x","y")'), payout(3, "1.00", "@SUM(1)"), payout(4, "1.00", 'Smith, "Bo"', { bic: "COBADEFF" as Bic, kind: "company" }), payout(5, "1.00", "-2+3"), payout(6, "1.00", "+1")]);
  assert.equal(text, golden("payouts.csv"));
});
