import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zBuyer, zSeller } from "./billing.ts";

const BUYER = { name: "Łódź & Söhne", street: "Rue 1", postalCode: "75001", city: "Paris", country: "FR", vatId: "FR12345678901", email: "books@art.example" };
const SELLER = { ...BUYER, country: "DE", vatId: "DE123456789", vat: { scheme: "standard", rate: "19.00" }, prefix: "NX" };
const flaws = (schema: typeof zBuyer | typeof zSeller, profile: object) => (schema.safeParse(profile).error?.issues ?? []).map(({ path }) => path.join("."));

describe("a billing profile", () => {
  test("has VAT ids of the form that the country of the address gives", () => {
    const good = { AT: "ATU12345678", BE: "BE0123456789", CY: "CY12345678X", DE: "DE123456789", ES: "ESX1234567X", FR: "FRXX123456789", GR: "EL123456789", IE: "IE1234567WA", NL: "NL123456789B01", PL: "PL1234567890", RO: "RO12", SE: "SE123456789012", CH: "CHE123456789MWST", GB: "GB123456789" };
    for (const [country, vatId] of Object.entries(good)) assert.deepEqual(flaws(zBuyer, { ...BUYER, country, vatId: vatId.slice(0, 15) }), [], country);
    for (const [country, vatId] of [["DE", "DE12345678"], ["DE", "FR12345678901"], ["DE", "de123456789"], ["DE", "DE 123456789"], ["GR", "GR123456789"], ["NL", "NL1"], ["CH", "DE123456789"], ["FR", "FRO1123456789"], ["FR", ""], ["GB", "GB<1>"]] as const) assert.deepEqual(flaws(zBuyer, { ...BUYER, country, vatId }), ["vatId"], vatId);
    for (const country of ["XX", "de", "D", "DEU", "EU", "", "UK"]) assert.ok(flaws(zBuyer, { ...BUYER, country, vatId: undefined }).includes("country"), country);
  });

  test("is one line of letters that can be seen in each field, and not too long: what XML 1.0 cannot hold never comes so far", () => {
    const poison = ["\0", "\u0001", "\b", "\n", "\r", "\t", "\u001b[2J", "\u007f", "\u0085", "\u2028", "\u202e", "\u200b", "\u200f", "\u2066", "\ufeff", "\ufffe", "\uffff", "\ufdd0", "\ud800", "\u00ad"];
    for (const field of ["name", "street", "postalCode", "city"] as const) {
      for (const letter of poison) for (const text of [`a${letter}b`, letter, `a${letter}`]) assert.deepEqual([...new Set(flaws(zBuyer, { ...BUYER, [field]: text }))], [field], `${field} ${JSON.stringify(text)}`);
      for (const text of ["", " ", " a", "a ", "a".repeat(200)]) assert.ok(flaws(zBuyer, { ...BUYER, [field]: text }).includes(field), `${field} ${JSON.stringify(text)}`);
      for (const text of ["<b>&amp;", "]]>", "a'\"`", "漢字", "💥", "Ελ"]) assert.deepEqual(flaws(zBuyer, { ...BUYER, [field]: text }), [], `${field} ${text}`);
    }
    assert.deepEqual(flaws(zBuyer, { ...BUYER, reference: "a\u0000" }), ["reference"]);
    assert.equal(zBuyer.safeParse({ ...BUYER, iban: "DE00" }).success, false, "and no field of a neighbour's");
  });

  test("of the platform charges VAT with an id and a rate, or says why not; its invoices name a tax office's number", () => {
    assert.deepEqual(flaws(zSeller, SELLER), []);
    assert.deepEqual(flaws(zSeller, { ...SELLER, vatId: undefined, taxNumber: "30/1" }), ["vatId"]);
    const exempt = { ...SELLER, vat: { scheme: "exempt", reason: "§ 19 UStG" }, vatId: undefined };
    assert.deepEqual(flaws(zSeller, exempt), ["taxNumber"]);
    assert.deepEqual(flaws(zSeller, { ...exempt, taxNumber: "30/1" }), []);
    for (const rate of ["19", "19.0", "0.00", "100.00", "-1.00", "1e1", "019.00", "", "0.01", "0.49"]) assert.deepEqual([...new Set(flaws(zSeller, { ...SELLER, vat: { scheme: "standard", rate } }))], ["vat.rate"], rate);
    for (const rate of ["0.50", "99.99"]) assert.deepEqual(flaws(zSeller, { ...SELLER, vat: { scheme: "standard", rate } }), [], rate);
    for (const prefix of ["", "nx", "-NX", "NX-", "A B", "ABCDEFGHIJKLM", "N/X", "NX\n"]) assert.deepEqual(flaws(zSeller, { ...SELLER, prefix }), ["prefix"], prefix);
  });
});
