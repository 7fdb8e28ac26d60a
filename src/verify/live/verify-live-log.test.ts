import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cosign, cosigner, signNote, withSignatureLines } from "../../core/ledger/pure.ts";
import { type Verification, verificationText, verifyExport } from "../index.ts";
import { type Lie, LogServer, MemoryLog } from "../../../tests/harness/log-server.ts";

/** The verifier against a server on a real socket: one that is honest, and one that lies in each way a log can. */
const KEY = generateKeyPairSync("ed25519").privateKey;
const SIZE = 600;
const FETCH_LIMITS = { timeout_ms: 20_000, attempts_max: 2, pause_ms: 5 };
const honest = new MemoryLog(SIZE, { key: KEY });
const grown = new MemoryLog(SIZE + 150, { key: KEY });
const served = await LogServer.start(honest);
const scratch = await mkdtemp(join(tmpdir(), "nexus-live-"));
after(async () => {
  await served[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(() => {
  served.log = honest;
  served.lie = () => false;
  served.asked.length = 0;
  served.openMost = 0;
});

type Options = NonNullable<Parameters<typeof verifyExport>[1]>;
async function verified(live: Options["live"] = {}, logKey: string | undefined = honest.signer.vkey): Promise<Verification> {
  return await verifyExport(served.url, { live: { fetchLimits: FETCH_LIMITS, ...live }, ...(logKey === "" ? {} : { logKey }) });
}

function named(verification: Verification, what: RegExp, found = /./): void {
  assert.equal(verification.ok, false, "nothing was found");
  assert.match(verification.failures[0]?.what ?? "", what);
  assert.match(verification.failures[0]?.found ?? "", found);
}

/** Another answer to one path. */
const instead =
  (path: string, bytes: (honest: Buffer) => Buffer, headers: Record<string, string> = {}): Lie =>
  (asked, response) => {
    if (asked !== path) return false;
    response.writeHead(200, headers).end(bytes(served.content(asked) ?? Buffer.alloc(0)));
    return true;
  };
const status =
  (path: string, code: number, headers: Record<string, string> = {}): Lie =>
  (asked, response) => {
    if (asked !== path) return false;
    response.writeHead(code, headers).end();
    return true;
  };
const flipped = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte)));

describe("an honest log", () => {
  test("of every size at which the tree changes its form is read whole, every file once", async () => {
    for (const [size, files] of [[0, 0], [1, 2], [2, 2], [255, 2], [256, 3], [257, 5], [511, 5], [512, 5], [513, 7], [600, 7]] as const) {
      served.log = new MemoryLog(size, { key: KEY });
      served.asked.length = 0;
      const verification = await verified();
      assert.deepEqual(verification.failures, [], `size ${size}`);
      assert.equal(verification.ok, true);
      assert.deepEqual([verification.counts.entries, verification.of.entries, verification.counts.files, verification.of.files], [size, size, files, files], `size ${size}`);
      assert.equal(verification.bodies, Math.ceil(size / 5), "the platform's own words");
      const tiles = served.asked.filter((path) => path.includes("tile/"));
      assert.equal(new Set(tiles).size, tiles.length);
      assert.equal(tiles.length, files);
      assert.equal(verification.live?.requests, served.asked.length);
    }
  });

  test("of 66,000 entries, with a third level of tiles, is read with few requests at a time", async () => {
    served.log = new MemoryLog(66_000, { key: KEY });
    const seen: number[] = [];
    // Answers are held back until nobody asks for more: then all that is asked for at a time has been seen.
    let held: (() => void)[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const release = () => {
      for (const answer of held) answer();
      held = [];
    };
    served.lie = (path, response) => {
      const bytes = path.includes("tile/") ? served.content(path) : undefined;
      if (!bytes) return false;
      held.push(() => response.end(bytes));
      clearTimeout(quiet);
      quiet = setTimeout(release, 15);
      return true;
    };
    const verification = await verified({ progress: (entries) => seen.push(entries) });
    assert.deepEqual(verification.failures, []);
    assert.deepEqual([verification.counts.entries, verification.counts.files, verification.bodies], [66_000, 519, 13_200]);
    assert.deepEqual([seen.length, seen.at(-1)], [258, 66_000]);
    assert.ok(served.openMost >= 4 && served.openMost <= 7, `${served.openMost} requests at a time`);
  });

  test("is said to be believed on its own word where no key was given, and not where one was", async () => {
    const trusting = await verified({}, "");
    assert.deepEqual([trusting.ok, trusting.live?.keyFrom, trusting.logKey], [true, "served", honest.signer.vkey]);
    assert.match(verificationText(trusting), /\nkey: taken on trust from the log itself/);
    assert.ok(!verificationText(await verified()).includes("on trust"));
    assert.deepEqual(served.asked.filter((path) => path === "log/").length, 1, "a key that is known is not asked for");
  });

  test("as files on a plain web server: the key in a file, no bodies, only full tiles where there are full ones", async () => {
    served.lie = (path, response) => {
      if (path === "log/log-key") response.end(`${honest.signer.vkey}\n`);
      else if (path === "log/" || path.startsWith("v1/")) response.writeHead(403).end();
      else return false;
      return true;
    };
    const verification = await verified({}, "");
    assert.deepEqual([verification.ok, verification.bodies, verification.live?.bodiesShown], [true, 0, false]);
    assert.match(verificationText(verification), /none are shown to everybody/);
  });

  test("that grew since its checkpoint may have dropped the partial tiles: the full one's beginning will do", async () => {
    served.log = new MemoryLog(800, { key: KEY });
    served.lie = (path, response) => {
      if (path === "log/checkpoint") response.end(honest.checkpoint());
      else if (/\.p\//.test(path) && !path.includes("tile/1/")) response.writeHead(404).end();
      else return false;
      return true;
    };
    const verification = await verified();
    assert.deepEqual([verification.failures, verification.counts.entries], [[], SIZE]);
    assert.ok(served.asked.includes("log/tile/entries/002") && served.asked.includes("log/tile/0/002"));
  });

  test("compressed answers are read; asked again where the server says that it is a matter of time", async () => {
    let busy = 3;
    served.lie = (path, response) => {
      if (busy > 0 && path.includes("tile/entries")) {
        busy -= 1;
        response.writeHead(busy % 2 ? 503 : 429).end();
        return true;
      }
      const bytes = served.content(path);
      if (bytes) response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(bytes));
      return bytes !== undefined;
    };
    const verification = await verified({ fetchLimits: { ...FETCH_LIMITS, attempts_max: 4 } });
    assert.deepEqual(verification.failures, []);
    assert.equal(verification.live?.requests, served.asked.length);
  });
});

describe("a log that lies", () => {
  test("about a commitment: the tile above it is named first", async () => {
    served.lie = instead("log/tile/entries/001", flipped);
    const verification = await verified();
    named(verification, /^tile\/0\/001$/);
    assert.deepEqual([verification.counts.entries, verification.bodies], [0, 0], "nothing is said of bodies under a tree that nobody signed");
    served.lie = instead("log/tile/entries/002.p/88", flipped);
    named(await verified(), /^tile\/0\/002\.p\/88$/);
  });

  test("about a tile, of each level and form, and about both a commitment and its tile", async () => {
    for (const path of ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]) {
      served.lie = instead(`log/${path}`, flipped);
      named(await verified(), new RegExp(`^${path.replace(".", "\\.")}$`));
    }
    const other = new MemoryLog(SIZE, { key: KEY, flavour: "other", from: 599 });
    served.lie = (path, response) => {
      const bytes = path.includes("tile/") ? other.tile(path.slice(4)) : undefined;
      if (bytes) response.end(bytes);
      return bytes !== undefined;
    };
    named(await verified(), /^checkpoint$/, /a tree with the root/);
  });

  test("by leaving out: a short bundle, an empty one, a long one, one cut off, a 404 in the middle", async () => {
    const path = "log/tile/entries/001";
    for (const [bytes, found] of [[(all: Buffer) => all.subarray(0, -34), /other bytes/], [() => Buffer.alloc(0), /other bytes/], [(all: Buffer) => Buffer.concat([all, all]), /more than 8704 bytes/]] as const) {
      served.lie = instead(path, bytes);
      named(await verified(), /^tile\/entries\/001$/, found);
    }
    served.lie = status(path, 404);
    named(await verified(), /^tile\/entries\/001$/, /404/);
    served.lie = status("log/tile/0/002.p/88", 404);
    named(await verified(), /^tile\/0\/002\.p\/88$/, /404/);
    served.lie = instead(path, (all) => all.subarray(0, 100), { "content-length": "8704" });
    await assert.rejects(verified({ fetchLimits: { ...FETCH_LIMITS, timeout_ms: 200 } }), { code: "LOG_UNREACHABLE" });
  });

  test("without an end, or with a small answer that unpacks to a large one: it is left at the size the thing may have", async () => {
    let written = 0;
    const endless =
      (path: string): Lie =>
      (asked, response) => {
        if (asked !== path) return false;
        const chunk = Buffer.alloc(16_384, "a");
        const more = () => {
          while (!response.destroyed && written < 1e9) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once("drain", more);
          }
        };
        more();
        return true;
      };
    for (const [path, what] of [["log/tile/entries/001", /^tile\/entries\/001$/], ["log/tile/0/001", /^tile\/0\/001$/]] as const) {
      served.lie = endless(path);
      named(await verified(), what, /more than 8\d+ bytes/);
    }
    served.lie = endless("log/checkpoint");
    await assert.rejects(verified(), { code: "NO_CHECKPOINT", message: /more than 65536 bytes/ });
    served.lie = endless("v1/ledger/platform?from=0");
    named(await verified(), /^bodies from entry 0$/, /more than 8388608 bytes/);
    assert.ok(written < 64e6, `${written} bytes were taken`);
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    served.lie = instead("log/tile/entries/001", () => bomb, { "content-encoding": "gzip" });
    const bombed = await verified();
    named(bombed, /^tile\/entries\/001$/, /more than 8704 bytes/);
    assert.ok((bombed.live?.bytes ?? 0) < 1e6, `${bombed.live?.bytes} bytes were unpacked`);
  });

  test("slowly: an answer that does not come, or comes byte by byte, is given up and says nothing about the log", async () => {
    for (const silent of [true, false]) {
      served.lie = (path, response) => {
        if (path !== "log/tile/0/001") return false;
        const drip = setInterval(() => silent || response.write("."), 20);
        response.once("close", () => clearInterval(drip));
        return true;
      };
      const began = performance.now();
      await assert.rejects(verified({ fetchLimits: { ...FETCH_LIMITS, timeout_ms: 400 } }), { code: "LOG_UNREACHABLE", message: /tile\/0\/001: no whole answer within 400 ms \(asked 2 times\)/ });
      assert.ok(performance.now() - began < 5_000);
    }
    assert.equal(served.asked.filter((path) => path === "log/tile/0/001").length, 4);
  });

  test("by pointing elsewhere: not followed, wherever it points", async () => {
    let elsewhere = 0;
    await using other = await LogServer.start(honest);
    other.lie = () => {
      elsewhere += 1;
      return false;
    };
    for (const location of [`${other.url}tile/0/001`, "/log/tile/0/000", "file:///etc/passwd"]) {
      served.lie = status("log/tile/0/001", 302, { location });
      await assert.rejects(verified(), { code: "LOG_REDIRECTS", message: /redirects are not followed/ });
    }
    served.lie = status("log/checkpoint", 301, { location: `${other.url}checkpoint` });
    await assert.rejects(verified(), { code: "LOG_REDIRECTS" });
    assert.equal(elsewhere, 0);
  });

  test("about who it is: another key, another origin with the same key, a signature that does not hold, no note at all", async () => {
    served.log = new MemoryLog(SIZE);
    named(await verified(), /^checkpoint$/, /is not signed by log\.example\/live/);
    served.log = new MemoryLog(SIZE, { key: KEY, origin: "other.example/log" });
    named(await verified(), /^checkpoint$/, /is not signed by/);
    assert.ok(!served.asked.some((path) => path.includes("tile/")), "nothing more is fetched from it");
    served.log = honest;
    for (const bytes of [(all: Buffer) => Buffer.from(all.toString().replace("600", "599")), () => Buffer.from("600\n")]) {
      served.lie = instead("log/checkpoint", bytes);
      named(await verified(), /^checkpoint$/);
    }
    const moving = signNote(`\u009b2Jother\n0\n${honest.checkpoint(0).split("\n")[2]}\n`, [honest.signer]);
    served.lie = instead("log/checkpoint", () => Buffer.from(moving));
    assert.match(verificationText(await verified()), /found: .*is of the log \\u009b2Jother, not of/, "and it cannot move the reader's cursor");
    served.lie = instead("log/", () => Buffer.from(JSON.stringify({ key: "none" })));
    await assert.rejects(verified({}, ""), { code: "NO_LOG_KEY" });
  });

  test("in what it says of itself: a body altered, left out, moved, of another stream, and pages that lead back", async () => {
    const first = "v1/ledger/platform?from=0";
    type Page = { entries: { index: number; body: string }[]; next: number | null };
    const page = (change: (page: Page) => unknown) => instead(first, (bytes) => Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString()) as Page))));
    for (const change of [
      ({ entries, ...rest }: Page) => ({ ...rest, entries: entries.map((entry, at) => (at === 3 ? { ...entry, body: entry.body.replace('"n":', '"n":9') } : entry)) }),
      ({ entries, ...rest }: Page) => ({ ...rest, entries: entries.toReversed() }),
      ({ entries, ...rest }: Page) => ({ ...rest, entries: entries.map((entry, at) => (at === 3 ? { index: 16, body: honest.entries[16]?.body } : entry)) }),
    ]) {
      served.lie = page(change);
      const verification = await verified();
      named(verification, /^platform entry \d+$/);
      assert.equal(verification.counts.entries, SIZE, "the tree is what was signed");
    }
    for (const change of [({ entries }: Page) => ({ entries, next: 0 }), () => "no page", ({ entries }: Page) => ({ entries: entries.map(({ body }) => ({ index: -1, body })), next: null })]) {
      served.lie = page(change);
      named(await verified(), /^bodies from entry 0$/);
    }
    served.lie = status("v1/ledger/platform?from=96", 404);
    named(await verified(), /^bodies from entry 96$/, /404/);
  });
});

describe("what was kept", () => {
  let at = 0;
  const fresh = () => join(scratch, `kept-${++at}.json`);
  const keptAt = async (log: MemoryLog): Promise<string> => {
    const keep = fresh();
    served.log = log;
    assert.equal((await verified({ keep }, "")).ok, true);
    return keep;
  };
  const evidenceOf = async (verification: Verification) => {
    assert.equal(verification.live?.evidence.length, 1);
    return JSON.parse(await readFile(verification.live?.evidence[0] as string, "utf8")) as { kept: { checkpoint: string }; shown: { checkpoint: string; key: string }; rootOfKeptSizeNow: string | null };
  };

  test("is made at the first time, extended at the next, and trusted before what the log says of itself", async () => {
    for (const size of [0, 1, 255, 256, 257, 512, 600]) {
      const keep = await keptAt(new MemoryLog(size, { key: KEY }));
      served.log = grown;
      const verification = await verified({ keep }, "");
      assert.deepEqual([verification.failures, verification.live?.keyFrom, verification.live?.kept], [[], "kept", [{ file: keep, size, consistent: true }]]);
      assert.match(JSON.parse(await readFile(keep, "utf8")).checkpoint, /^log\.example\/live\n750\n/);
      assert.equal((await verified({ keep }, "")).ok, true, "the same again");
    }
    const note = join(scratch, "note");
    await writeFile(note, honest.checkpoint(300));
    assert.deepEqual((await verified({ since: note })).live?.kept, [{ file: note, size: 300, consistent: true }], "a note alone will do");
    assert.equal(await readFile(note, "utf8"), honest.checkpoint(300), "and is only read");
  });

  test("a log that got smaller is named, with both notes as evidence, and the memory stays", async () => {
    const keep = await keptAt(grown);
    const before = await readFile(keep, "utf8");
    served.log = honest;
    const verification = await verified({ keep });
    named(verification, /kept-/, /a checkpoint of 600/);
    const evidence = await evidenceOf(verification);
    assert.deepEqual([evidence.kept.checkpoint, evidence.shown.checkpoint], [grown.checkpoint(), honest.checkpoint()]);
    assert.match(verificationText(verification), /EVIDENCE: .*keep it/);
    assert.equal(await readFile(keep, "utf8"), before);
  });

  test("a fork is named, where it begins before what was kept, at the same size and at a larger one; not where it begins after", async () => {
    for (const [size, from, forked] of [[600, 0, true], [600, 599, true], [750, 599, true], [750, 10, true], [750, 600, false]] as const) {
      const keep = await keptAt(honest);
      const other = new MemoryLog(size, { key: KEY, flavour: "other", from });
      served.log = other;
      const verification = await verified({ keep });
      assert.equal(verification.ok, !forked, `${size} ${from}`);
      if (!forked) continue;
      named(verification, /kept-/, /the log has been forked/);
      const { shown, rootOfKeptSizeNow } = await evidenceOf(verification);
      assert.equal(shown.checkpoint, other.checkpoint());
      assert.equal(rootOfKeptSizeNow, other.checkpoint(600).split("\n")[2]);
    }
  });

  test("a history signed anew by another key is named, whether the new key is given or not", async () => {
    const keep = await keptAt(honest);
    const anew = new MemoryLog(750);
    served.log = anew;
    for (const logKey of ["", anew.signer.vkey]) {
      const verification = await verified({ keep }, logKey);
      assert.equal(verification.ok, false);
      assert.ok(verification.failures.some(({ what }) => what === keep));
      assert.equal((await evidenceOf(verification)).shown.checkpoint, anew.checkpoint());
    }
    const note = join(scratch, "own-note");
    await writeFile(note, honest.checkpoint());
    named(await verified({ since: note }, anew.signer.vkey), /own-note/, /is not signed by/);
  });

  test("a tree that is not what was signed is no evidence of a fork, and nothing is kept of it", async () => {
    const keep = await keptAt(honest);
    const [before, there] = [await readFile(keep, "utf8"), (await readdir(scratch)).length];
    served.log = grown;
    served.lie = instead("log/tile/entries/000", flipped);
    const verification = await verified({ keep });
    named(verification, /^tile\/0\/000$/);
    assert.deepEqual(verification.live?.evidence, []);
    assert.deepEqual([await readFile(keep, "utf8"), (await readdir(scratch)).length], [before, there]);
    // But two notes that sign two trees of one size need no tile to say so.
    served.log = new MemoryLog(SIZE, { key: KEY, flavour: "other" });
    assert.deepEqual([(await evidenceOf(await verified({ keep }))).rootOfKeptSizeNow, (await readdir(scratch)).length], [null, there + 1]);
  });

  test("files that are no memory, and flags that do not fit, are said before anything is fetched", async () => {
    const bad = join(scratch, "bad");
    for (const text of ["", "{", "{}", "hello\n", `{"checkpoint":"a","key":"b"}`]) {
      await writeFile(bad, text);
      await assert.rejects(verified({ keep: bad }), { code: "BAD_KEPT" });
    }
    await assert.rejects(verified({ since: join(scratch, "nowhere") }), { code: "BAD_KEPT", message: /no such file/ });
    for (const live of [{ since: bad }, { keep: fresh() }, { witnesses: ["key"] }, { require: 1 }]) await assert.rejects(verifyExport(scratch, { live }), { code: "LIVE_ONLY" });
    for (const url of ["http://", "https://user:word@host/log/", "https://user@host/log/", "https://host/log/?a", "https://host/log/#a"]) await assert.rejects(verifyExport(url), { code: "BAD_LOG_ADDRESS" });
    assert.equal(served.asked.length, 0);
    await assert.rejects(verified({ keep: join(scratch, "no-folder", "kept") }), { code: "BAD_KEPT", message: /could not be kept/ });
    await assert.rejects(verified({}, "nonsense"), { code: "BAD_VERIFIER_KEY" });
  });
});

describe("witnesses", () => {
  const all = ["one", "two", "three"].map((name) => cosigner(`${name}.example/w`, generateKeyPairSync("ed25519").privateKey));
  const [one, two, three] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]];
  const text = honest.checkpoint().split("\n\n")[0]?.concat("\n") as string;
  const cosigned = (lines: readonly string[]) => instead("log/checkpoint", () => Buffer.from(withSignatureLines(honest.checkpoint(), lines)));
  const keys = (...of: { vkey: string }[]) => of.map(({ vkey }) => vkey);

  test("so many of those that are given must have cosigned this checkpoint", async () => {
    served.lie = cosigned([cosign(text, one, 1_790_000_000), cosign(text, two, 1_790_000_001)]);
    const verification = await verified({ witnesses: keys(one, two, three), require: 2 });
    assert.deepEqual([verification.ok, verification.live?.witnessed?.present.map(({ name }) => name)], [true, ["one.example/w", "two.example/w"]]);
    assert.match(verificationText(verification), /witnesses: 2 of 3 have cosigned, 2 required; one\.example\/w at 2026-/);
    assert.equal((await verified({ witnesses: keys(one, two) })).ok, true);
    named(await verified({ witnesses: keys(one, two, three) }), /^checkpoint$/, /^2: one/);
    named(await verified({ witnesses: keys(three) }), /^checkpoint$/, /^none$/);
  });

  test("a cosignature twice, of another checkpoint, or by the log under its own key counts for nothing", async () => {
    served.lie = cosigned([cosign(text, one, 1), cosign(text, one, 2), cosign(text.replace("600", "601"), two, 3)]);
    named(await verified({ witnesses: keys(one, two), require: 2 }), /^checkpoint$/, /^1: one/);
    await assert.rejects(verified({ witnesses: keys(honest.signer) }), { code: "BAD_WITNESSES" });
    await assert.rejects(verified({ witnesses: keys(one, one) }), { code: "BAD_WITNESSES" });
    await assert.rejects(verified({ witnesses: keys(one, cosigner("again.example/w", one.privateKey)) }), { code: "BAD_WITNESSES" });
    for (const required of [0, 2, 1.5]) await assert.rejects(verified({ witnesses: keys(one), require: required }), { code: "BAD_WITNESSES" });
    await assert.rejects(verified({ require: 1 }), { code: "BAD_WITNESSES" });
  });
});
