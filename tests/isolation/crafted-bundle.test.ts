import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { get } from "../../src/cli/demo/outside.ts";
import { noteSigner, signNote } from "../../src/core/ledger/pure.ts";
import { BundleWriter } from "../../src/imvu/export/index.ts";
import type { ImvuId } from "../../src/kernel/index.ts";
import type { Manifest } from "../../src/verify/index.ts";
import { TestHouse } from "../harness/test-house.ts";

/** Whoever holds a bundle can write another one and sign it with a log of his own: what arrives in it is judged like what is commanded. */
test("a bundle by hostile hands is no way around the gates, and takes nobody's place", async (t) => {
  await using house = await TestHouse.start();
  const victim = await house.creator("creator-8891");
  const attacker = await house.creator("creator-6666");
  const first = await house.unit(victim, "ArtGallery");
  const second = await house.unit(attacker, "Workshop");
  const { path } = await attacker.call.ok("imvu", "exit", "--imvu-id", second.imvu.id, "--export-path", join(house.root, "exit"));
  const before = await victim.call.ok("imvu", "show", first.imvu.id);
  // biome-ignore lint/suspicious/noExplicitAny: a document that is about to be made wrong.
  type Wrong = any;

  /** The attacker's own unit under another number, with one thing changed. */
  const crafted = async (number: string, zone: string, change: (document: Wrong) => void): Promise<string> => {
    const moved = (text: string) => text.replaceAll("IMVU-002", `IMVU-${number}`).replaceAll("imvu-002", `imvu-${number}`).replaceAll(second.imvu.zone, zone);
    const manifest = JSON.parse(await readFile(join(path, "MANIFEST.json"), "utf8")) as Manifest;
    const signer = noteSigner("log.evil.example", generateKeyPairSync("ed25519").privateKey);
    const writer = await BundleWriter.create(join(house.root, `crafted-${number}-${Math.random().toString(36).slice(2)}`));
    for (const { path: name } of manifest.files) {
      const bytes = await readFile(join(path, name));
      if (name === "ledger/keys.txt") await writer.file(name, bytes.toString("utf8").replace(/^log .*$/m, `log ${signer.vkey}`));
      else if (name === "identity/imvu.json") {
        const document = JSON.parse(moved(bytes.toString("utf8")));
        change(document);
        await writer.file(name, JSON.stringify(document));
      } else await writer.file(moved(name), name.endsWith(".zst") || name.endsWith(".tar") || name.startsWith("compute/content/") ? bytes : moved(bytes.toString("utf8")));
    }
    const { ledger, createdAt, toolVersion } = manifest;
    return (await writer.finish({ imvu: `IMVU-${number}` as ImvuId, createdAt, toolVersion, ledger, exit: null, sign: (text) => signNote(text, [signer]) })).dir;
  };

  const attempts: readonly (readonly [what: string, number: string, zone: string, change: (document: Wrong) => void, exit: number, code: RegExp])[] = [
    ["another's id with a zone that is free", "001", "imvu500.world", () => {}, 3, /^GATE_03_ID_TAKEN$/],
    ["another's zone", "600", first.imvu.zone, () => {}, 3, /^GATE_03_DOMAIN_TAKEN$/],
    ["NS at the apex", "600", "imvu600.world", (document) => document.records.push({ name: "imvu600.world", type: "NS", ttl: 300, values: ["ns.evil.example"] }), 3, /^GATE_04_APEX_PROTECTED$/],
    ["a record value that is none", "600", "imvu600.world", (document) => document.records.push({ name: "x.imvu600.world", type: "A", ttl: 300, values: ["1.2.3.4\nevil 60 A 6.6.6.6"] }), 2, /./],
    ["an image of the machine's own store", "600", "imvu600.world", (document) => (document.services[0].source = { kind: "image", ref: "localhost/imvu-1-web:latest" }), 3, /^GATE_02_LOCAL_IMAGE$/],
    ["a mailbox larger than the storage", "600", "imvu600.world", (document) => (document.mailboxes[0].quotaBytes = 1024 ** 4), 3, /^GATE_07_QUOTA_EXCEEDED$/],
    ["a restricted route for nobody", "600", "imvu600.world", (document) => (document.routes[0] = { ...document.routes[0], class: "restricted", role: null }), 3, /^GATE_08_ROLE_MISSING$/],
    ["a number that would use up all before it", "5000", "imvu5000.world", () => {}, 2, /^UIDS_USED_UP$/],
  ];
  for (const [what, number, zone, change, exit, code] of attempts)
    await t.test(what, async () => {
      await attacker.call.refused(exit, code, "imvu", "import", await crafted(number, zone, change));
    });

  await t.test("the victim's unit is as it was, and the next number follows the last one made", async () => {
    assert.deepEqual((await victim.call.ok("imvu", "show", first.imvu.id)).imvu, before.imvu);
    assert.equal((await get(house.status.listen.gatewayHttp, first.imvu.zone, "/")).status, 200);
    assert.equal((await house.unit(victim, "Third")).imvu.id, "IMVU-003");
    await house.operator.ok("ledger", "replay", "--check");
  });
});
