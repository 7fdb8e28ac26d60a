import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { CraftedLog } from "../../tests/harness/crafted-log.ts";
import { openCosignatures, parseNote, parseWitnessKey, withSignatureLines } from "../core/ledger/pure.ts";
import { BODY_BYTES_MAX } from "./add-checkpoint.ts";
import { WitnessMemory } from "./memory.ts";
import { type RunningWitness, serveWitness, type WitnessOptions } from "./serve.ts";

let root = "";
let dir = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-w-"));
});
beforeEach(async () => {
  dir = await mkdtemp(join(root, "w-"));
});
after(() => rm(root, { recursive: true, force: true }));

const NOW_MS = Date.UTC(2026, 10, 3, 9);
const options = (more: Partial<WitnessOptions> = {}): WitnessOptions => ({ dir, host: "127.0.0.1", port: 0, name: "witness.example/w1", clock: { now: () => NOW_MS }, say: () => {}, ...more });
const watching = async (log: CraftedLog) => assert.ok((await (await WitnessMemory.open(dir)).addLog(log.verifierKey)).ok);
async function post(witness: RunningWitness, body: string | Uint8Array) {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: "POST", body });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}
async function running(fn: (witness: RunningWitness) => Promise<void>, more: Partial<WitnessOptions> = {}): Promise<void> {
  const witness = await serveWitness(options(more));
  try {
    await fn(witness);
  } finally {
    await witness.close();
  }
}

describe("a witness over HTTP", () => {
  test("cosigns what extends what it saw, and remembers it over a restart", async () => {
    const log = new CraftedLog(5);
    await watching(log);
    await running(async (witness) => {
      const answer = await post(witness, log.request(0));
      assert.equal(answer.status, 200, answer.text);
      const key = parseWitnessKey(witness.vkey);
      const note = parseNote(withSignatureLines(log.checkpoint(), [answer.text]));
      assert.ok(key.ok && note.ok);
      assert.deepEqual(openCosignatures(note.value, [key.value]).map(({ time_s }) => time_s), [NOW_MS / 1_000]);
      assert.equal(await (await fetch(`${witness.url}/`)).text(), `${witness.vkey}\n`);
      assert.equal((await post(witness, log.request(5))).status, 200, "the same again, to renew its time");
    });
    let key = "";
    await running(async (witness) => {
      key = witness.vkey;
      assert.deepEqual(await post(witness, log.grow(4).request(0)), { status: 409, type: "text/x.tlog.size", text: "5\n" });
      assert.equal((await post(witness, log.request(5))).status, 200);
    });
    await running(async (witness) => {
      assert.equal(witness.vkey, key);
      assert.equal((await post(witness, log.request(5))).text, "9\n");
    });
  });

  test("a log that was rolled back to an older state is refused for good, however it goes on", async () => {
    const log = new CraftedLog(12);
    await watching(log);
    await running(async (witness) => {
      assert.equal((await post(witness, log.request(0))).status, 200);
      log.rollBack(8);
      assert.deepEqual(await post(witness, log.request(0)), { status: 409, type: "text/x.tlog.size", text: "12\n" });
      assert.deepEqual((await post(witness, log.request(8))).text, "12\n");
      assert.equal((await post(witness, `old 12\n\n${log.checkpoint()}`)).status, 400, "old above the checkpoint's size");
      log.grow(4, "another history");
      assert.deepEqual(await post(witness, log.request(12)), { status: 409, type: "text/x.tlog.size", text: "12\n" });
      log.grow(9, "another history");
      assert.equal((await post(witness, log.request(12))).status, 422);
      log.rollBack(8).grow(20);
      assert.equal((await post(witness, log.request(12))).status, 200, "the old history goes on");
    });
  });

  test("of many that ask at once one wins, and the tree never shrinks", async () => {
    const log = new CraftedLog(40);
    await watching(log);
    await running(async (witness) => {
      const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => post(witness, log.request(0, n + 1))));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      const sizes = new Set(answers.filter(({ status }) => status === 409).map(({ text }) => text));
      assert.equal(sizes.size, 1);
      const size = Number([...sizes][0]);
      assert.equal(answers[size - 1]?.status, 200);
    });
  });

  test("nothing is cosigned that could not be stored", async () => {
    const log = new CraftedLog(3);
    await watching(log);
    const said: string[] = [];
    await running(
      async (witness) => {
        const seen = (await readdir(join(dir, "seen")))[0] as string;
        await rm(join(dir, "seen", seen));
        const answer = await post(witness, log.request(0));
        assert.equal(answer.status, 500);
        assert.doesNotMatch(answer.text, /—/);
        assert.match(said.join("\n"), /what was seen of .* is gone/);
      },
      { say: (line) => said.push(line) },
    );
    await assert.rejects(serveWitness(options()), { code: "WITNESS_MEMORY_LOST" }, "and it does not begin again at 0");
    await (await serveWitness(options({ dir: `${dir}-other` }))).close();
  });

  test("what is malformed, unknown, unsigned, too long or elsewhere", async () => {
    const log = new CraftedLog(5);
    await watching(log);
    await running(async (witness) => {
      const status = async (body: string | Uint8Array) => (await post(witness, body)).status;
      assert.equal(await status("hello"), 400);
      assert.equal(await status(Buffer.concat([Buffer.from(log.request(0)), Buffer.from([0xff])])), 400, "no UTF-8");
      assert.equal(await status(new CraftedLog(5, "other.example/log").request(0)), 404);
      assert.equal(await status(log.request(0).replace("\n5\n", "\n6\n")), 403);
      assert.equal(await status(log.request(7, 5)), 400);
      assert.equal(await status("x".repeat(BODY_BYTES_MAX)), 400);
      assert.equal(await status("x".repeat(BODY_BYTES_MAX + 1)), 413);
      assert.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405);
      assert.equal((await fetch(`${witness.url}/elsewhere`, { method: "POST", body: "x" })).status, 404);
      assert.equal(await status(log.request(0)), 200, "after all that");
    });
  });

  test("a request that does not end is ended", async () => {
    await running(async (witness) => {
      const { port } = new URL(witness.url);
      const socket = connect(Number(port), "127.0.0.1");
      const began = Date.now();
      socket.write("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold");
      const seen: Buffer[] = [];
      for await (const chunk of socket) seen.push(chunk as Buffer);
      assert.match(Buffer.concat(seen).toString(), /^HTTP\/1.1 408 /);
      assert.ok(Date.now() - began < 5_000);
    }, { requestTimeout_ms: 500 });
  });
});

describe("a witness's folder", () => {
  test("its key is closed to others, and refused when it is not", async () => {
    await (await serveWitness(options())).close();
    const path = join(dir, "witness.pem");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await chmod(path, 0o640);
    await assert.rejects(serveWitness(options()), { code: "LOG_KEY_EXPOSED" });
  });

  test("has one witness at a time", async () => {
    await running(async () => {
      await assert.rejects(serveWitness(options()), { code: "WITNESS_IN_USE" });
    });
    await running(async () => {});
  });

  test("a log can be added while it runs; a second key is trusted beside the first; what was seen stays", async () => {
    const log = new CraftedLog(5);
    await running(async (witness) => {
      assert.equal((await post(witness, log.request(0))).status, 404);
      await watching(log);
      assert.equal((await post(witness, log.request(0))).status, 200);
      const memory = await WitnessMemory.open(dir);
      const again = await memory.addLog(log.verifierKey);
      assert.deepEqual(again.ok && again.value, { origin: log.signer.name, keys: [log.verifierKey], size: 5 });
      const second = new CraftedLog(5, log.signer.name, "leaf", generateKeyPairSync("ed25519").privateKey);
      assert.equal((await post(witness, second.request(5))).status, 403);
      const both = await memory.addLog(second.verifierKey);
      assert.deepEqual(both.ok && both.value.keys, [log.verifierKey, second.verifierKey]);
      assert.deepEqual([(await post(witness, second.request(5))).status, (await post(witness, log.request(5))).status], [200, 200]);
      const refused = await memory.addLog("nonsense");
      assert.equal(refused.ok ? "" : refused.code, "BAD_VERIFIER_KEY");
      assert.deepEqual((await memory.logs()).map(({ size }) => size), [5]);
    });
  });

  test("a spoiled file is an error, never a beginning", async () => {
    const log = new CraftedLog(5);
    await watching(log);
    const path = join(dir, "seen", (await readdir(join(dir, "seen")))[0] as string);
    const text = await readFile(path, "utf8");
    for (const bad of ["", "{}", text.replace('"size":0', '"size":-1'), text.replace('"v":1', '"v":2'), text.slice(0, -9)]) {
      await writeFile(path, bad);
      await assert.rejects(serveWitness(options()), { code: "WITNESS_MEMORY" }, bad);
    }
    await writeFile(path, text.replace(log.signer.name, "log.example/other"));
    await assert.rejects(serveWitness(options()), { code: "WITNESS_MEMORY_LOST" });
  });
});
