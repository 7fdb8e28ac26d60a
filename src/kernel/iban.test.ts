import assert from "node:assert/strict";
import test from "node:test";
import { ibanSpelled, parseBic, parseIban } from "./iban.ts";

/** The examples of the IBAN registry (SWIFT), one for each form of length and letters. */
const GOOD = [
  "AD1200012030200359100100", "AT611904300234573201", "BE68539007547034", "CH9300762011623852957", "CY17002001280000001200527600", "DE89370400440532013000", "DK5000400440116243", "EE382200221020145685", "ES9121000418450200051332",
  "FI2112345600000785", "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GI75NWBK000000007099453", "GR1601101250000000012300695", "IE29AIBK93115212345678", "IT60X0542811101000000123456", "LC55HEMM000100010012001200023015",
  "LI21088100002324013AA", "LU280019400644750000", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "SE4550000000058398257466", "SI56191000000123438", "SM86U0322509800000000270100", "VA59001123000012345678",
];

test("IBANs of the registry are read, in their one spelling", () => {
  for (const iban of GOOD) assert.equal(parseIban(iban).ok, true, iban);
  assert.equal(ibanSpelled("de89 3704 0044\u00a00532 0130 00"), "DE89370400440532013000");
});

test("one character changed, two exchanged, one more or less, another country: each is refused", () => {
  for (const iban of GOOD) {
    const at = iban.length - 3;
    const changed = `${iban.slice(0, at)}${iban[at] === "7" ? "8" : "7"}${iban.slice(at + 1)}`;
    const longer = `${iban}0`;
    for (const wrong of [changed, longer, iban.slice(0, -1), `XX${iban.slice(2)}`, iban.toLowerCase(), ` ${iban}`, `${iban.slice(0, 4)} ${iban.slice(4)}`]) assert.equal(parseIban(wrong).ok, false, wrong);
  }
  const swapped = parseIban("DE89370400440532013000".replace("5320", "5230"));
  assert.equal(swapped.ok, false);
  for (const wrong of [undefined, null, 7, "", "DE", "DE89370400440532013000\n", "<Iban/>"]) assert.equal(parseIban(wrong).ok, false);
});

test("a refusal repeats no account number", () => {
  const refused = parseIban("DE89370400440532013001");
  assert.ok(!refused.ok && refused.code === "BAD_IBAN" && !refused.message.includes("3704"));
});

test("BICs have 8 or 11 characters", () => {
  for (const bic of ["COBADEFF", "COBADEFFXXX", "NTSBDEB1XXX", "1234DEFF"]) assert.equal(parseBic(bic).ok, true, bic);
  for (const bic of ["COBADEF", "COBADEFFX", "cobadeff", "COBA1EFF", "COBADEFFXXXX", 7, ""]) assert.equal(parseBic(bic).ok, false, String(bic));
});
