import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { runOk, sleep, systemClock } from "../../src/kernel/index.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";
import { brokenRules } from "../harness/en16931.ts";

const MONTH = new Date().toISOString().slice(0, 7);
const BUYER = ["--name", "Galerie Łódź & <Söhne>", "--street", "Rue 1", "--postal-code", "75001", "--city", "Paris", "--country", "FR", "--email", "books@art.example"];
const SELLER = ["--name", "Nexus Hosting GmbH", "--street", "Torstraße 1", "--postal-code", "10119", "--city", "Berlin", "--country", "DE", "--email", "billing@nexus.example", "--vat-id", "DE123456789", "--prefix", "NX"];

/** A month closes while the platform's clock is past its end; before and after it everybody's clock is the same. */
test("a month is invoiced between the profiles that owner and operators set, and the documents say what the log says", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "ni-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const homeFolder = join(root, "p");
  const said: string[] = [];
  const operator = new Caller(homeFolder);
  const start = async (clock = systemClock) => await startPlatform(await openHome(homeFolder, { cacheDir, create: true, checkPorts: true }), (line) => void said.push(line), { clock });
  const person = async (name: string, api: string) => {
    await mkdir(join(root, name), { mode: 0o711 });
    const call = new Caller(join(root, name), api);
    await call.ok("identity", "create", name);
    await call.ok("identity", "register");
    return call;
  };
  let running: (() => Promise<void>) | undefined;
  try {
    let platform = await start();
    running = () => platform.stop();
    const [owner, books, maintainer, stranger] = [await person("creator-8891", platform.apiOrigin), await person("creator-7702", platform.apiOrigin), await person("creator-6603", platform.apiOrigin), await person("stranger-1", platform.apiOrigin)];
    const small = ["--cpu", "0.5", "--memory", "0.25", "--storage", "0.25"];
    const unit: Printed = await owner.ok("imvu", "create", "--name", "ArtGallery", "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", ...small);
    const of = ["--imvu-id", unit.imvu.id] as const;
    const bill = (...more: string[]) => ["billing", "set", ...of, ...BUYER, ...more];
    const write = (...more: string[]) => ["invoice", ...of, "--month", MONTH, ...more];
    await owner.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "billing");
    await owner.ok("imvu", "member", "add", "creator-6603", ...of, "--role", "maintainer");
    await owner.ok("revenue", "record", ...of, "--source-id", "order-1", "--amount", "1000");

    await t.test("who may say it: the owner and who keeps the books, and of the platform an operator; a stranger learns nothing", async () => {
      await maintainer.refused(3, /^GATE_01_ROLE$/, ...bill());
      await stranger.refused(3, /^GATE_01_NOT_A_MEMBER$|^GATE_16_FORBIDDEN$/, ...bill());
      await owner.refused(3, /^GATE_01_NOT_AN_OPERATOR$/, "billing", "seller", "set", ...SELLER, "--vat-rate", "19");
      for (const call of [maintainer, stranger]) for (const verb of [["billing", "show", ...of], ["invoice", "list", ...of], write()]) assert.notEqual((await call.call(...verb)).code, 0, verb.join(" "));
      const [theirs, none] = [await stranger.call("invoice", "list", ...of), await stranger.call("invoice", "list", "--imvu-id", "IMVU-999")];
      assert.deepEqual([theirs.code, theirs.printed.error.code], [none.code, none.printed.error.code], "the same, whether there is such a unit or not");
    });

    await t.test("what is no profile is refused before it is signed, with the flag that is wrong", async () => {
      for (const [flag, value] of [["--vat-id", "FR1"], ["--country", "XX"], ["--name", "a\u202eb"], ["--email", "nobody"], ["--city", ""], ["--street", "x".repeat(121)]] as const) {
        const { code, printed } = await owner.call("billing", "set", ...of, ...BUYER.map((one, at) => (BUYER[at - 1] === flag ? value : one)), ...(flag === "--vat-id" ? [flag, value] : []));
        assert.deepEqual([code, printed.error.message.startsWith(`${flag}:`)], [2, true], printed.error.message);
      }
      await operator.refused(2, /^USAGE$/, "billing", "seller", "set", ...SELLER);
      await operator.refused(2, /^USAGE$/, "billing", "seller", "set", ...SELLER, "--vat-rate", "19", "--exempt", "because");
      await operator.refused(2, /^USAGE$/, "billing", "seller", "set", ...SELLER, "--vat-rate", "nineteen");
    });

    await t.test("set and shown; a month that is not over says so", async () => {
      assert.deepEqual((await owner.ok("billing", "show", ...of)).buyer, null);
      await books.ok(...bill("--reference", "PO 1"));
      await owner.ok(...bill("--vat-id", "FR12345678901"));
      await operator.ok("billing", "seller", "set", ...SELLER, "--vat-rate", "19");
      const shown: Printed = await books.ok("billing", "show", ...of);
      assert.deepEqual([shown.buyer.profile.vatId, shown.buyer.profile.reference, shown.seller.profile.vat], ["FR12345678901", undefined, { scheme: "standard", rate: "19.00" }]);
      assert.deepEqual((await stranger.ok("billing", "seller", "show")).seller, shown.seller, "who sells is no secret");
      const { hint } = await owner.refused(4, /^INVOICE_MONTH_OPEN$/, ...write());
      assert.match(hint, /nexus statement show/);
      assert.deepEqual((await owner.ok("invoice", "list", ...of)).invoices, []);
      await operator.ok("ledger", "replay", "--check");
    });

    await platform.stop();
    const ahead = Date.parse(`${MONTH}-01T00:00:00Z`) + 33 * 86_400_000 - Date.now();
    platform = await start({ now: () => Date.now() + ahead });
    for (const until = Date.now() + 120_000; !said.some((line) => line.includes("is issued")); await sleep(100)) assert.ok(Date.now() < until, said.slice(-5).join("\n"));
    await platform.stop();
    platform = await start();

    await t.test("PDF, XML and JSON of it, proved against the log first", async () => {
      const [file, xml, json] = ["pdf", "xml", "json"].map((kind) => join(root, `invoice.${kind}`)) as [string, string, string];
      const made: Printed = await owner.ok(...write("--out", file));
      assert.match(made.number, /^NX-\d{4}-000001$/);
      assert.deepEqual([made.kind, made.vat, made.due, made.net, made.others], ["invoice", "0.00", "0.00", made.paid, []]);
      assert.equal((await readFile(file)).subarray(0, 5).toString(), "%PDF-");
      assert.ok((await runOk(["pdftotext", file, "-"])).includes("Galerie Łódź & <Söhne>"));
      await books.ok(...write("--out", xml));
      assert.deepEqual(brokenRules(await readFile(xml, "utf8")), []);
      await owner.ok(...write("--out", json));
      const { invoice, proof } = JSON.parse(await readFile(json, "utf8")) as Printed;
      const statement: Printed = await owner.ok("statement", "show", ...of, "--month", MONTH);
      assert.deepEqual([invoice.statement, invoice.share, invoice.gross, proof.leaf], [statement.index, statement.platform, statement.gross, (await owner.ok("ledger", "proof", String(proof.index))).leaf]);
      const [listed] = (await books.ok("invoice", "list", ...of)).invoices;
      assert.deepEqual([listed.number, listed.paid], [made.number, made.paid]);
      assert.equal((await owner.call(...write("--out", file))).code, 2, "never over another file");
      assert.equal((await owner.call(...write("--out", join(root, "x.txt")))).code, 2);
      await owner.refused(4, /^NO_SUCH_INVOICE$/, ...write("--number", "NX-2026-999999"));
      assert.equal((await stranger.call(...write("--out", join(root, "theirs.pdf")))).code, 4);
    });

    await t.test("the platform makes it again, and the unit could leave with it", async () => {
      const revenue: Printed = await operator.ok("verify", "revenue");
      assert.deepEqual([revenue.ok, revenue.invoices], [true, 1]);
      await operator.ok("ledger", "replay", "--check");
      // An exit would draw this month's statement once more, because the clock went back: the bundle is made and verified without leaving.
      const { gates }: Printed = (await owner.call("verify", "gates", ...of, "--rehearse")).printed;
      const portability = gates.find(({ gate }: Printed) => gate === 13);
      assert.equal(portability.verdict, "holds", portability.evidence);
    });
  } finally {
    await running?.().catch(() => {});
    await down(homeFolder, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
