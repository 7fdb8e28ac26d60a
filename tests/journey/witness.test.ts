import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { eventually } from "../../src/cli/demo/world.ts";
import { openCosignatures, parseNote, parseTlogProof, parseWitnessKey } from "../../src/core/ledger/pure.ts";
import { type ChildProcess, start } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

test("two creators witness a platform: it shows what they cosigned, says plainly when they did not, and whoever demands them is not fooled", async (t) => {
  await using house = await TestHouse.start();
  const children: ChildProcess[] = [];
  t.after(() => {
    for (const child of children) child.kill("SIGKILL");
  });
  const serve = async (name: string, listen = "127.0.0.1:0") => {
    const dir = join(house.root, name);
    const child = start([process.execPath, MAIN, "--json", "--home", house.root, "witness", "serve", "--dir", dir, "--listen", listen, "--name", name], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) return { child, dir, ...(JSON.parse(line) as { vkey: string; url: string }) };
    throw new Error("the witness did not start");
  };
  const ended = async (child: ChildProcess) => {
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await exit;
  };
  const [one, two] = [await serve("w1.example"), await serve("w2.example")];
  const keys = [one, two].map(({ vkey }) => {
    const key = parseWitnessKey(vkey);
    assert.ok(key.ok);
    return key.value;
  });
  const cosigners = (text: string) => {
    const note = parseNote(text);
    assert.ok(note.ok);
    return openCosignatures(note.value, keys).map(({ by }) => by.name);
  };
  const owner = await house.creator("creator-8891");
  await owner.call.ok("identity", "register");

  await t.test("a platform whose witnesses do not know it yet is unwitnessed, and says so", async () => {
    assert.deepEqual(house.status.ledger.witnesses, { required: 0, present: 0, alarms: [], list: [] });
    await house.operator.ok("down");
    await writeFile(join(house.home, "nexus.yaml"), `witnesses:\n  required: 2\n  list:\n    - { vkey: ${one.vkey}, url: "${one.url}" }\n    - { vkey: ${two.vkey}, url: "${two.url}/" }\n`);
    await house.up();
    const list = await eventually("their answers", 20_000, async () => {
      const seen = await house.operator.ok("witness", "list");
      return seen.list.every((peer: { answered: string | null }) => peer.answered !== null) ? seen : undefined;
    });
    assert.deepEqual([list.required, list.present, list.list.map(({ lastError }: { lastError: string }) => lastError.slice(0, 3))], [2, 0, ["404", "404"]]);
    assert.deepEqual(cosigners((await house.operator.ok("ledger", "checkpoint")).checkpoint), []);
    const doctor = await house.operator.call("doctor");
    assert.equal(doctor.code, 1);
    assert.ok(doctor.printed.findings.some((finding: { what: string; ok: boolean; detail: string }) => finding.what === "witnesses" && !finding.ok && /^0 of 2 required/.test(finding.detail)));
  });

  await t.test("once they watch it, what it shows carries their cosignatures, and so does a proof", async () => {
    for (const { dir } of [one, two]) await house.operator.ok("witness", "add-log", "--dir", dir, "--vkey", house.status.platform.logKey);
    await eventually("both", 60_000, async () => ((await house.operator.ok("status")).ledger.witnesses.present === 2 ? true : undefined));
    assert.deepEqual(cosigners((await house.operator.ok("ledger", "checkpoint")).checkpoint), ["w1.example", "w2.example"]);
    const proof = parseTlogProof((await house.operator.ok("ledger", "proof", "0")).proof);
    assert.ok(proof.ok);
    assert.deepEqual(cosigners(proof.value.checkpoint), ["w1.example", "w2.example"]);
    const { logs } = await house.operator.ok("witness", "list", "--dir", one.dir);
    assert.deepEqual(logs.map(({ origin }: { origin: string }) => origin), [house.status.platform.origin]);
    assert.ok((await house.operator.ok("doctor")).ok);
  });

  await t.test("a home that demands both commands as before", async () => {
    const file = join(house.root, "witnesses.txt");
    await writeFile(file, `# whom I know\n${one.vkey}\n${two.vkey}\n`);
    await owner.call.refused(2, /^USAGE$/, "witness", "require", "3", "--keys", file);
    assert.deepEqual(await owner.call.ok("witness", "require", "2", "--keys", file), { origin: house.status.platform.origin, required: 2, witnesses: ["w1.example", "w2.example"] });
    await house.unit(owner, "ArtGallery");
    await owner.call.ok("ledger", "checkpoint");
  });

  await t.test("one witness away: commands go on, the platform says unwitnessed, and that home refuses to believe it", async () => {
    await ended(two.child);
    const other = await house.creator("creator-7702");
    await other.call.ok("identity", "register");
    const error = await owner.call.refused(1, /^LOG_UNWITNESSED$/, "ledger", "checkpoint");
    assert.match(error.message, /2 of the 2 cosignatures/);
    const status = await house.operator.ok("status");
    assert.equal(status.ledger.witnesses.present, 1);
    assert.deepEqual(cosigners(status.ledger.checkpoint), []);
    assert.match(status.ledger.witnesses.list[1].lastError, /ECONNREFUSED/);
    assert.ok(status.ledger.witnesses.list[1].behind > 0);
    await other.call.ok("ledger", "checkpoint");
    await serve("w2.example", new URL(two.url).host);
    await eventually("both again", 60_000, async () => ((await house.operator.ok("status")).ledger.witnesses.present === 2 ? true : undefined));
    await owner.call.ok("ledger", "checkpoint");
    assert.match(await readFile(join(house.home, "platform", "witnesses.json"), "utf8"), /w2\.example/);
  });
});
