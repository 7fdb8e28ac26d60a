import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { packBundle } from "../../src/imvu/export/index.ts";
import { type Ran, run, runOk, sha256Hex } from "../../src/kernel/index.ts";
import { entryLine, type Manifest } from "../../src/verify/index.ts";
import { buildVerifier } from "../../tools/build-verifier.ts";
import { LogServer, MemoryLog } from "../harness/log-server.ts";
import { nodeOf } from "../harness/node-versions.ts";
import { IMVU, SyntheticWorld } from "../vectors/synthetic-world.ts";

/** verify.mjs under every Node a stranger may have: the file is for machines that have nothing of ours. */
const MAJORS = [20, 22, 24, 26];
/** zstd came to Node's zlib with 22.15. */
const ZSTD_FROM = 22;
const SIZE = 600;
const KEY = generateKeyPairSync("ed25519").privateKey;
const CACHE = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");

const log = new MemoryLog(SIZE, { key: KEY });
const served = await LogServer.start(log);
let scratch = "";
let bundle = "";
let archive = "";
let tar = "";
let folder = "";

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-nodes-"));
  const { path } = await buildVerifier(join(scratch, "verify.mjs"));
  bundle = join(scratch, IMVU);
  await new SyntheticWorld().writeBundle(bundle, await readFile(path, "utf8"));
  const manifest = JSON.parse(await readFile(join(bundle, "MANIFEST.json"), "utf8")) as Manifest;
  ({ archive } = await packBundle({ dir: bundle, manifest, manifestSha256: sha256Hex("") }));
  tar = join(scratch, "bundle.tar");
  await runOk(["zstd", "-q", "-d", archive, "-o", tar]);
  folder = join(scratch, "log");
  const platform = log.entries.flatMap(({ stream, body }, index) => (stream === "platform" ? [`${entryLine(index, body)}\n`] : []));
  const files: Record<string, string | Buffer> = { checkpoint: log.checkpoint(), "log-key": `${log.signer.vkey}\n`, "bodies/platform.jsonl": platform.join("") };
  for (const tile of ["entries/000", "entries/001", "entries/002.p/88", "0/000", "0/001", "0/002.p/88", "1/000.p/2"]) files[`tile/${tile}`] = log.tile(`tile/${tile}`) as Buffer;
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
});
after(async () => {
  await served[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

for (const major of MAJORS)
  describe(`Node ${major}`, () => {
    let node = "";
    const verify = (...words: string[]): Promise<Ran> => run([node, join(scratch, "verify.mjs"), ...words], { cwd: "/", env: {} });
    const good = ({ code, stdout, stderr }: Ran, text: RegExp): void => {
      assert.deepEqual([code, stderr], [0, ""], stdout.toString());
      assert.match(stdout.toString(), text);
    };
    const bad = ({ code, stdout, stderr }: Ran, text: RegExp): void => {
      assert.deepEqual([code, stderr], [1, ""], stdout.toString());
      assert.match(stdout.toString(), text);
    };

    before(async () => {
      const { path, version } = await nodeOf(major, CACHE);
      node = path;
      process.stdout.write(`${version}\n`);
    });

    test("verifies the bundle it lies in, and names what is wrong in a spoiled one", async () => {
      good(await run([node, join(bundle, "verify.mjs")], { cwd: "/", env: {} }), /^entries 38\/38 · commands 16\/16 · verdicts 272\/272 · statements 3\/3 .*\nverified: IMVU-042 /);
      const spoiled = join(scratch, `spoiled-${major}`);
      await cp(bundle, spoiled, { recursive: true });
      await writeFile(join(spoiled, "ledger/events.jsonl"), "\n", { flag: "a" });
      bad(await verify(spoiled), /WRONG: ledger\/events\.jsonl\n/);
    });

    test("reads an archive; where this Node has no zstd it says how to unpack it, and that works", async () => {
      good(await verify(tar), /verified: IMVU-042 /);
      const packed = await verify(archive);
      if (major >= ZSTD_FROM) return good(packed, /verified: IMVU-042 /);
      assert.equal(packed.code, 2);
      assert.match(packed.stderr, /^this Node cannot read zstd \(22\.15 or newer can\) – unpack it first: tar --zstd -xf BUNDLE\.tar\.zst\n$/);
      const unpacked = join(scratch, "unpacked");
      await mkdir(unpacked);
      await runOk(["tar", "--zstd", "-xf", archive, "-C", unpacked]);
      good(await verify(join(unpacked, IMVU)), /verified: IMVU-042 /);
    });

    test("verifies a log in a folder", async () => {
      good(await verify(folder, "--log-key", log.signer.vkey), /^entries 600\/600 .* files 10\/10\nverified: a log of 600 entries, 120 of them with their bodies/);
      const spoiled = join(scratch, `spoiled-log-${major}`);
      await cp(folder, spoiled, { recursive: true });
      await writeFile(join(spoiled, "tile/0/001"), Buffer.alloc(8192));
      bad(await verify(spoiled), /WRONG: tile\/0\/001\n/);
    });

    test("verifies a live log, remembers it, and names one that was forked, is spoiled or is not there", async () => {
      const keep = join(scratch, `keep-${major}.json`);
      served.log = log;
      served.lie = () => false;
      good(await verify(served.url, "--keep", keep), /^entries 600\/600 .* files 7\/7\nverified: a log of 600 entries, 120 of them[\s\S]*\nkey: taken on trust from the log itself/);
      served.log = new MemoryLog(SIZE + 100, { key: KEY });
      good(await verify(served.url, "--keep", keep, "--log-key", log.signer.vkey), new RegExp(`history: begins with the 600 entries of ${keep}\n`));
      served.log = new MemoryLog(SIZE + 200, { key: KEY, flavour: "other", from: 300 });
      bad(await verify(served.url, "--keep", keep), /the log has been forked\n[\s\S]*EVIDENCE: /);
      served.lie = (path, response) => {
        if (path === "log/tile/0/001") response.end(Buffer.alloc(8192));
        return path === "log/tile/0/001";
      };
      bad(await verify(served.url), /WRONG: tile\/0\/001\n/);
      const gone = await LogServer.start(log);
      const { url } = gone;
      await gone[Symbol.asyncDispose]();
      const nowhere = await verify(url);
      assert.equal(nowhere.code, 2);
      assert.match(nowhere.stderr, /ECONNREFUSED.*\(asked 3 times\)/);
    });
  });
