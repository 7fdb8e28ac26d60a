import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { imvuUidBase, IMVUS_PER_HOME_MAX, UIDS_PER_HOME } from "../contract/site.ts";
import { cosigner, noteSigner } from "../core/ledger/pure.ts";
import { allocatePorts, isPortFree } from "./free-ports.ts";
import { firstClosedAncestor, homeExists, openHome } from "./home.ts";
import { lockHome } from "./lock.ts";
import { announceSupervisor, readySupervisor, withdrawSupervisor } from "./supervisor-file.ts";

let root = "";
let home = "";
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-h-"));
  await chmod(root, 0o711);
});
beforeEach(() => {
  count += 1;
  home = join(root, `h${count}`);
});
after(() => rm(root, { recursive: true, force: true }));

const WITNESS_KEY = generateKeyPairSync("ed25519").privateKey;
const WITNESS = cosigner("w1.example", WITNESS_KEY).vkey;
const options = { cacheDir: "/var/cache/nowhere", create: true, checkPorts: false };
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const configured = async (text: string) => {
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "nexus.yaml"), text);
  return await openHome(home, options);
};

describe("a home", () => {
  test("is made on first use, closed where secrets lie and open where engines pass", async () => {
    assert.equal(await homeExists(home), false);
    const made = await openHome(home, options);
    assert.equal(await homeExists(home), true);
    assert.match(made.site.homeId, /^[0-9a-f]{6}$/);
    assert.equal(made.site.dir, join(home, "platform"));
    assert.equal(made.site.cacheDir, options.cacheDir);
    for (const folder of ["", "platform", "platform/run", "platform/log"]) assert.equal(await modeOf(join(home, folder)), 0o711, folder);
    for (const folder of ["platform/blobs", "platform/keys", "platform/exits"]) assert.equal(await modeOf(join(home, folder)), 0o700, folder);
  });

  test("is the same home when it is opened again", async () => {
    const first = await openHome(home, options);
    const written = await stat(join(home, "platform/home.json"));
    assert.deepEqual(await openHome(home, options), first);
    assert.equal((await stat(join(home, "platform/home.json"))).ino, written.ino, "nothing was written");
  });

  test("is not made by a command that only looks, which leaves no trace", async () => {
    await assert.rejects(openHome(home, { ...options, create: false }), { code: "NO_HOME", hint: /nexus up/ });
    await assert.rejects(stat(home), { code: "ENOENT" });
  });

  test("gives each unit its own user ids below the kernel's limit, whichever range it drew", async () => {
    const { site } = await openHome(home, options);
    const ids = imvuUidBase(site, 2) - imvuUidBase(site, 1);
    assert.equal(ids, 65_536);
    assert.ok(site.uidBase >= ids, "never the machine's own users");
    assert.ok(imvuUidBase(site, IMVUS_PER_HOME_MAX) + ids <= site.uidBase + UIDS_PER_HOME);
    assert.ok(site.uidBase + UIDS_PER_HOME < 2 ** 32 - 2);
    assert.throws(() => imvuUidBase(site, IMVUS_PER_HOME_MAX + 1), { code: "UIDS_USED_UP" });
  });

  test("takes the one port that somebody took meanwhile anew, and keeps the others", async () => {
    const { site } = await openHome(home, options);
    const thief = createServer();
    await new Promise<void>((resolve) => thief.listen(site.ports.imap, "127.0.0.1", resolve));
    try {
      assert.deepEqual((await openHome(home, options)).site.ports, site.ports);
      const again = await openHome(home, { ...options, checkPorts: true });
      assert.notEqual(again.site.ports.imap, site.ports.imap);
      assert.deepEqual({ ...again.site.ports, imap: 0 }, { ...site.ports, imap: 0 });
      assert.deepEqual((await openHome(home, options)).site.ports, again.site.ports);
    } finally {
      await new Promise((resolve) => thief.close(resolve));
    }
  });

  test("whose path is too long for a socket is refused before anything is made", async () => {
    await assert.rejects(openHome(join(root, "x".repeat(64)), options), { code: "HOME_PATH_LONG", hint: /--home/ });
    assert.ok(!(await readdir(root)).some((name) => name.startsWith("xxx")));
  });

  test("below a folder that lets nobody through is refused, however the home itself is closed", async () => {
    const closed = join(root, `closed${count}`);
    await mkdir(closed, { mode: 0o700 });
    await assert.rejects(openHome(join(closed, "home"), options), { code: "HOME_CLOSED", message: new RegExp(closed) });
    await mkdir(join(closed, "home"), { mode: 0o700 });
    await assert.rejects(openHome(join(closed, "home"), options), { code: "HOME_CLOSED", message: new RegExp(closed) });
    assert.equal(await firstClosedAncestor(join(closed, "a", "b")), closed);
    assert.equal(await firstClosedAncestor(join(root, "a", "b")), undefined);
  });

  test("that is closed itself is opened: its owner's first folder was private", async () => {
    await mkdir(home, { mode: 0o700 });
    await openHome(home, options);
    assert.equal(await modeOf(home), 0o711);
  });
});

describe("nexus.yaml", () => {
  test("may be missing or empty: every key has a default", async () => {
    const { name, site, meterInterval_ms, capacity } = await configured("");
    assert.deepEqual([name, site.suffix, site.publicAddress, site.nodeJurisdictions, meterInterval_ms], ["nexus", "world", "127.0.0.1", ["EU-GDPR", "US-CCPA"], 60_000]);
    for (const figure of Object.values(capacity)) assert.ok(Number.isSafeInteger(figure) && figure > 0);
    assert.deepEqual((await configured("# only a remark\n")).name, "nexus");
  });

  test("says what its operator may say", async () => {
    const { name, site, meterInterval_ms, capacity } = await configured("name: museum\nsuffix: art.example\npublicAddress: 2001:db8::1\njurisdictions: [CH-FADP]\nmeterIntervalSeconds: 1\ncapacity: {cpuMillis: 50, memoryBytes: 1, storageBytes: 2}\n");
    assert.deepEqual([name, site.suffix, site.publicAddress, site.nodeJurisdictions, meterInterval_ms, capacity], ["museum", "art.example", "2001:db8::1", ["CH-FADP"], 1_000, { cpuMillis: 50, memoryBytes: 1, storageBytes: 2 }]);
  });

  const witnesses = (required: number, ...vkeys: string[]) => `witnesses: {required: ${required}, list: [${vkeys.map((vkey, at) => `{vkey: ${vkey}, url: "http://127.0.0.1:${at + 1}/w/"}`).join(", ")}]}`;

  test("names witnesses, and how many of them must cosign", async () => {
    assert.deepEqual((await configured("")).witnesses, { required: 0, witnesses: [] });
    const home = await configured(witnesses(1, WITNESS, cosigner("w2.example", generateKeyPairSync("ed25519").privateKey).vkey));
    assert.equal(home.witnesses.required, 1);
    assert.deepEqual(home.witnesses.witnesses.map(({ key, url }) => [key.name, url]), [["w1.example", "http://127.0.0.1:1/w"], ["w2.example", "http://127.0.0.1:2/w"]]);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    [witnesses(0, WITNESS), /witnesses.required: /],
    [witnesses(2, WITNESS), /witnesses.required: more are required than are listed/],
    [witnesses(1), /witnesses.list: /],
    [witnesses(1, WITNESS, WITNESS), /witnesses.list: one key is listed twice/],
    [witnesses(1, WITNESS, cosigner("w2.example", WITNESS_KEY).vkey), /witnesses.list: one key is listed twice/],
    [witnesses(1, WITNESS.replace("w1", "w2")), /witnesses.list.0.vkey: .*its id should be/],
    [witnesses(1, noteSigner("w1.example", WITNESS_KEY).vkey), /witnesses.list.0.vkey: .*not an Ed25519 key of type 4/],
    [witnesses(1, WITNESS).replace("http:", "ftp:"), /witnesses.list.0.url: /],
    [witnesses(1, WITNESS).replace("/w/", "/w?x"), /witnesses.list.0.url: /],
    ["colour: blue", /colour/],
    ["creatorSharePercent: 50", /creatorSharePercent/],
    ["fee: 0.01", /fee/],
    ["name: Museum!", /name: /],
    ["name: ../x", /name: /],
    ["suffix: 'a b'", /suffix: /],
    ["suffix: world.", /suffix: /],
    ["publicAddress: example.org", /publicAddress: /],
    ["publicAddress: 192.0.2.1; id", /publicAddress: /],
    ["jurisdictions: []", /jurisdictions: /],
    ["jurisdictions: [mars]", /jurisdictions.0: /],
    ["meterIntervalSeconds: 0", /meterIntervalSeconds: /],
    ["meterIntervalSeconds: '60'", /meterIntervalSeconds: /],
    ["capacity: {cpuMillis: 1000}", /capacity.memoryBytes: /],
    ["capacity: {cpuMillis: 0, memoryBytes: 1, storageBytes: 1}", /capacity.cpuMillis: /],
    ["just words", /top level/],
    ["- a list", /top level/],
    ["a: [unclosed", /nexus.yaml/],
    ["name: a1\nname: b2", /nexus.yaml/],
  ];
  for (const [text, field] of wrong)
    test(`${JSON.stringify(text)} is refused with the file and the key to change`, async () => {
      await assert.rejects(configured(text), { code: "BAD_CONFIGURATION", message: field, hint: `edit ${join(home, "nexus.yaml")}` });
    });
});

describe("the lock", () => {
  test("lets one platform have a home, by whatever path it is named, and the next one after it", async () => {
    await mkdir(home);
    const alias = `${home}-alias`;
    await symlink(home, alias);
    const lock = await lockHome(home);
    await assert.rejects(lockHome(home), { code: "HOME_IN_USE", message: new RegExp(home) });
    await assert.rejects(lockHome(alias), { code: "HOME_IN_USE" });
    const other = await lockHome(root);
    await lock.release();
    await (await lockHome(alias)).release();
    await other.release();
  });
});

describe("the supervisor's file", () => {
  test("is believed while its process lives, and never when it is missing, half or a stranger's", async () => {
    const { site } = await openHome(home, options);
    assert.equal(await readySupervisor(site.dir), undefined);
    await announceSupervisor(site.dir);
    assert.equal((await readySupervisor(site.dir))?.pid, process.pid);
    const path = join(site.dir, "run", "supervisor.json");
    const text = await readFile(path, "utf8");
    for (const forged of ["", text.slice(0, text.length / 2), "null", "[]", '"x"', text.replace(String(process.pid), "1"), text.replace(String(process.pid), "-1"), text.replace(String(process.pid), '"1"')]) {
      await writeFile(path, forged);
      assert.equal(await readySupervisor(site.dir), undefined, forged);
    }
    await withdrawSupervisor(site.dir);
    await withdrawSupervisor(site.dir);
    assert.equal(await readySupervisor(site.dir), undefined);
  });
});

describe("ports", () => {
  test("are distinct and below the range from which the kernel gives ports to clients", async () => {
    const ports = Object.values(await allocatePorts("127.0.0.1", Math.random));
    assert.equal(new Set(ports).size, 10);
    for (const port of ports) assert.ok(port >= 20_000 && port < 32_000, String(port));
  });

  test("drawn twice are drawn again", async () => {
    let draw = 0;
    // Each figure comes twice in a row.
    const ports = await allocatePorts("127.0.0.1", () => Math.floor(draw++ / 2) / 40 + 0.3);
    assert.equal(new Set(Object.values(ports)).size, 10);
  });

  test("that cannot be had end the search with a fault that says which", async () => {
    await assert.rejects(allocatePorts("127.0.0.1", () => 0.77), { code: "NO_FREE_PORT", message: /gatewayHttp on 127.0.0.1/ });
  });

  test("are free only when TCP and UDP both are", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const { port } = socket.address();
    assert.equal(await isPortFree("127.0.0.1", port), false);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    assert.equal(await isPortFree("127.0.0.1", port), true);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    assert.equal(await isPortFree("127.0.0.1", port), false);
    await new Promise((resolve) => server.close(resolve));
  });
});
