import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Invoice, InvoiceForm } from "../../src/core/handshake/index.ts";
import { type Currency, run, sha256Hex } from "../../src/kernel/index.ts";
import { type Manifest, manifestNoteText, manifestText, sectionsOf, verifyExport } from "../../src/verify/index.ts";
import { BUYER, EXEMPT, SELLER } from "../harness/invoices.ts";
import { SyntheticWorld } from "./synthetic-world.ts";

/** Invoices in a bundle, made again by two programs that share no code. */
let scratch = "";
let honest = "";
let sign: (text: string) => string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-invoices-test-"));
  honest = join(scratch, "honest");
  const world = new SyntheticWorld({ invoiced: true });
  sign = world.sign;
  await world.writeBundle(honest, "// nothing\n");
});
after(() => rm(scratch, { recursive: true, force: true }));

async function bothSay(dir: string): Promise<{ readonly ours: string; readonly theirs: string; readonly counted: number }> {
  const { failures, counts } = await verifyExport(dir);
  const { stdout, stderr } = await run(["python3", "-B", "-I", join(import.meta.dirname, "stranger.py"), "--bundle", dir]);
  assert.equal(stderr, "", "a stranger's verifier does not stumble");
  return { ours: failures.map(({ what, expected, found }) => `${what} ${expected} ${found}`).join("\n"), theirs: stdout.toString().trim(), counted: counts.statements };
}

test("an honest bundle holds each invoice as XML and as PDF, and both verifiers make it again", async () => {
  const { ours, theirs, counted } = await bothSay(honest);
  assert.equal(ours, "");
  assert.equal(counted, 5);
  assert.match(theirs, /^entries \d+ · commands 17 · verdicts 289 · statements 5 · files \d+$/);
  for (const name of ["2026-11-invoice", "2026-11-invoice-1"]) {
    assert.equal((await readFile(join(honest, `ledger/revenue/${name}.pdf`))).subarray(0, 5).toString(), "%PDF-");
    assert.ok((await stat(join(honest, `ledger/revenue/${name}.xml`))).size > 2_000);
  }
  assert.match(await readFile(join(honest, "ledger/revenue/2026-11-invoice-1.xml"), "utf8"), /<ram:TypeCode>381<[\s\S]*<ram:IssuerAssignedID>NX-2026-000007</);
});

test("in money of three or four decimals an invoice has two, and both verifiers make it so", async () => {
  for (const currency of ["KWD", "CLF"] as Currency[]) {
    const dir = join(scratch, `money-${currency}`);
    await new SyntheticWorld({ invoiced: true, currency }).writeBundle(dir, "// nothing\n");
    const { ours, theirs } = await bothSay(dir);
    assert.deepEqual([ours, theirs.slice(0, 8)], ["", "entries "], currency);
    assert.match(await readFile(join(dir, "ledger/revenue/2026-11-invoice.xml"), "utf8"), /<ram:GrandTotalAmount>\d+\.\d\d</);
  }
});

test("an invoice from before amounts had two decimals and the XML a day of delivery stays good, until there was one after", async () => {
  const written = async (forms: readonly [InvoiceForm, InvoiceForm]) => {
    const dir = join(await mkdtemp(join(scratch, "forms-")), "bundle");
    await new SyntheticWorld({ invoiced: true, currency: "KWD" as Currency, invoiceForms: forms }).writeBundle(dir, "// nothing\n");
    const { ours, theirs } = await bothSay(dir);
    const [first, second] = await Promise.all(["", "-1"].map((nth) => readFile(join(dir, `ledger/revenue/2026-11-invoice${nth}.xml`), "utf8")));
    return { ours, theirs, first: first ?? "", second: second ?? "" };
  };
  for (const forms of [[1, 1], [1, 2]] as const) {
    const { ours, theirs, first, second } = await written(forms);
    assert.deepEqual([ours, theirs.slice(0, 8)], ["", "entries "], String(forms));
    assert.match(first, /<ram:ApplicableHeaderTradeDelivery\/>[\s\S]*<ram:GrandTotalAmount>\d+\.\d{3}</);
    assert.match(second, forms[1] === 1 ? /<ram:ApplicableHeaderTradeDelivery\/>/ : />20261130<[\s\S]*>20261130</);
  }
  const { ours, theirs } = await written([2, 1]);
  assert.match(ours, /invoice\.issued\) \S+ (v|amounts)/);
  assert.match(theirs, /^WRONG: .*invoice\.issued.*(\bv\b|amounts)/);
});

test("a bundle from before there were invoices has none, and says so", async () => {
  const dir = join(scratch, "older");
  const { manifest } = await new SyntheticWorld().writeBundle(dir, "// nothing\n");
  assert.ok(manifest.notIncluded.some(({ what }) => what === "ledger/revenue/*-invoice.pdf"));
  assert.ok(!manifest.files.some(({ path }) => path.includes("invoice")));
});

describe("a log that lies in an invoice before it signs is found out by both", () => {
  const change = (of: (made: Invoice) => Partial<Invoice>) => (made: Invoice): Invoice => ({ ...made, ...of(made) });
  const lies: Readonly<Record<string, readonly [(made: Invoice) => Invoice, RegExp]>> = {
    "a cent more VAT": [change(({ amounts }) => ({ amounts: { ...amounts, vat: "0.01" } })), /amounts/],
    "a larger share": [change(() => ({ share: `9.${"0".repeat(21)}` })), /share/],
    "the seller's rate where the recipient owes": [change(({ vat }) => ({ vat: { ...vat, category: "S", rate: "19.00", code: null, reason: null } })), /vat/],
    "another buyer": [change(({ buyer }) => ({ buyer: { ...buyer, profile: { ...BUYER, name: "Somebody" } } })), /buyer/],
    "a seller of another scheme, by the old figures": [change(({ seller, vat }) => ({ seller: { ...seller, profile: EXEMPT }, vat: { ...vat, category: "AE" } })), /vat/],
    "a seller who is none": [change(({ seller }) => ({ seller: { ...seller, profile: { ...SELLER, prefix: "nx" } } })), /series|dated/],
    "a number that is not its series'": [change(() => ({ number: "NX-2026-000008" })), /number/],
    "a usage line left out": [change(({ annex }) => ({ annex: { ...annex, lines: annex.lines.slice(1), usage: annex.usage } })), /annex/],
    "an invoice for a credit note": [change(() => ({ kind: "credit-note" })), /kind/],
    "a statement that is none": [change(() => ({ statement: 2 })), /statement/],
    "a year of its own": [change(() => ({ issued: "2025-12-01" })), /dated|day/],
    "another log": [change(() => ({ origin: "elsewhere.example" })), /origin/],
  };
  for (const [what, [invoice, wrong]] of Object.entries(lies))
    test(what, async () => {
      const dir = join(await mkdtemp(join(scratch, "lie-")), "bundle");
      await new SyntheticWorld({ invoiced: true, invoice }).writeBundle(dir, "// nothing\n");
      const { ours, theirs } = await bothSay(dir);
      assert.match(ours, /invoice\.issued/);
      assert.match(ours, wrong);
      assert.match(theirs, /^WRONG: .*invoice\.issued/);
      assert.match(theirs, /seller who is none/.test(what) ? /series|number/ : wrong);
    });
});

describe("a bundle that its own log signed again is wrong where an invoice's file is", () => {
  const spoil: Readonly<Record<string, readonly [string, (text: string) => string | null, RegExp]>> = {
    "another amount in the XML": ["ledger/revenue/2026-11-invoice.xml", (text) => text.replace(/(<ram:GrandTotalAmount>)/, "$19"), /2026-11-invoice\.xml/],
    "an XML that is none": ["ledger/revenue/2026-11-invoice.xml", (text) => text.replace("</ram:Name>", ""), /2026-11-invoice\.xml/],
    "the XML left out": ["ledger/revenue/2026-11-invoice-1.xml", () => null, /2026-11-invoice-1\.xml/],
  };
  for (const [what, [path, change, wrong]] of Object.entries(spoil))
    test(what, async () => {
      const dir = await mkdtemp(join(scratch, "signed-again-"));
      await cp(honest, dir, { recursive: true });
      const manifest = JSON.parse(await readFile(join(dir, "MANIFEST.json"), "utf8")) as Manifest;
      const changed = change(await readFile(join(dir, path), "utf8"));
      if (changed === null) await rm(join(dir, path));
      else await writeFile(join(dir, path), changed);
      const kept = manifest.files.filter((file) => changed !== null || file.path !== path);
      const files = await Promise.all(kept.map(async (file) => {
        const bytes = await readFile(join(dir, file.path));
        return { ...file, bytes: bytes.length, sha256: sha256Hex(bytes) };
      }));
      const text = manifestText({ ...manifest, files, sections: sectionsOf(files) });
      await writeFile(join(dir, "MANIFEST.json"), text);
      await writeFile(join(dir, "MANIFEST.sig"), sign(manifestNoteText(manifest.imvu, Buffer.from(text))));
      const { ours, theirs } = await bothSay(dir);
      assert.match(ours, wrong);
      assert.match(theirs, new RegExp(`^WRONG: ${wrong.source.replace(/^/, ".*")}`));
    });
});
