import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { run } from "../../src/kernel/index.ts";

/** The golden files, by a validator that is not ours and a schema written from the message's definition; the official schema was not to be had by package. */
const ROOT = join(import.meta.dirname, "../..");
const SCHEMA = join(ROOT, "tests/vectors/pain.001.001.09.xsd");
const golden = (name: string) => readFile(join(ROOT, "src/cli/payouts/golden", name), "utf8");

async function isValid(xml: string): Promise<{ readonly ok: boolean; readonly said: string }> {
  const dir = await mkdtemp(join(tmpdir(), "nx-pain-"));
  try {
    const file = join(dir, "file.xml");
    await writeFile(file, xml);
    const ran = await run(["/usr/bin/xmllint", "--noout", "--nonet", "--schema", SCHEMA, file], { timeout_ms: 30_000 });
    return { ok: ran.code === 0, said: ran.stderr };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

for (const name of ["sepa.xml", "currencies.xml"])
  test(`${name} is valid`, async () => {
    const { ok, said } = await isValid(await golden(name));
    assert.ok(ok, said);
  });

test("what a file must not be is refused: elements out of order, missing, twice, too long, of another form", async () => {
  const xml = await golden("sepa.xml");
  const wrong: readonly (readonly [string | RegExp, string])[] = [
    [/<MsgId>[^<]*</, "<MsgId>"], [/<MsgId>[^<]*<\/MsgId>\s*/, ""], [/<MsgId>[^<]*</, `<MsgId>${"a".repeat(36)}<`], [/<MsgId>[^<]*</, "<MsgId>a//b<"], ["<PmtMtd>TRF", "<PmtMtd>CHK"], ["2026-12-02", "2026-13-02"], ["2026-12-02", "02.12.2026"],
    ["<IBAN>DE89370400440532013000", "<IBAN>DE89 3704"], ['Ccy="EUR"', 'Ccy="EURO"'], ['<InstdAmt Ccy="EUR">', "<InstdAmt>"], [">55.01<", ">55,01<"], [">55.01<", ">-55.01<"], [">55.01<", ">55.123456<"], ["<BICFI>NWBKGB2LXXX", "<BICFI>NWBK"], ["SLEV", "OURS"], [/<Cdtr>[\s\S]*?<\/Cdtr>/, ""],
    [/(<Cdtr>[\s\S]*?<\/Cdtr>)(\s*<CdtrAcct>[\s\S]*?<\/CdtrAcct>)/, "$2$1"], ["pain.001.001.09", "pain.001.001.03"], [/<EndToEndId>[^<]*<\/EndToEndId>/, ""], ["</GrpHdr>", "<Fee>1</Fee></GrpHdr>"], [/<RmtInf>[\s\S]*?<\/RmtInf>/, `<RmtInf><Ustrd>${"a".repeat(141)}</Ustrd></RmtInf>`],
  ];
  for (const [from, to] of wrong) {
    const changed = xml.replace(from, to);
    assert.notEqual(changed, xml, String(from));
    assert.equal((await isValid(changed)).ok, false, `${from} → ${to}`);
  }
});

test("the guidelines of the EPC hold for each instruction in euro: SEPA, shared charges, at most two decimals, names of 70 characters", async () => {
  for (const name of ["sepa.xml", "currencies.xml"])
    for (const [instruction] of (await golden(name)).matchAll(/<PmtInf>[\s\S]*?<\/PmtInf>/g)) {
      if (!instruction.includes('Ccy="EUR"')) {
        assert.doesNotMatch(instruction, /SEPA|SLEV/);
        continue;
      }
      assert.match(instruction, /<SvcLvl>\s*<Cd>SEPA<\/Cd>/);
      assert.match(instruction, /<ChrgBr>SLEV</);
      for (const [, amount = ""] of instruction.matchAll(/Ccy="EUR">([^<]*)</g)) assert.match(amount, /^(0|[1-9]\d{0,8})\.\d{2}$/);
      for (const [, held = ""] of instruction.matchAll(/<Nm>([^<]*)</g)) assert.match(held, /^[A-Za-z0-9/?:().,'+ -]{1,70}$/);
    }
});
