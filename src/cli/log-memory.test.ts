import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { CraftedLog } from "../../tests/harness/crafted-log.ts";
import { cosign, cosigner, withSignatureLines } from "../core/ledger/pure.ts";
import { LogMemory } from "./log-memory.ts";

let root = "";
let home = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-m-"));
});
beforeEach(() => {
  home = join(root, randomBytes(4).toString("hex"));
});
after(() => rm(root, { recursive: true, force: true }));

const WAIT_MS = 800;
const witnesses = ["w1", "w2", "w3"].map((name) => cosigner(name, generateKeyPairSync("ed25519").privateKey));
const keys = witnesses.map(({ vkey }) => vkey);
const textOf = (note: string) => note.slice(0, note.lastIndexOf("\n\n") + 1);
const cosigned = (note: string, ...by: number[]) => withSignatureLines(note, by.map((at) => cosign(textOf(note), witnesses[at] as (typeof witnesses)[0], 1_800_000_000)));

/** A platform's public log as a client sees it. */
class Shown {
  readonly log: CraftedLog;
  checkpoint = "";
  constructor(log: CraftedLog) {
    this.log = log;
    this.checkpoint = log.checkpoint();
  }
  memory(): LogMemory {
    const fetch = async (path: string) => {
      if (path === "/log/") return { origin: this.log.signer.name, key: this.log.verifierKey };
      const [from, to] = (/from=(\d+)&to=(\d+)$/.exec(path) ?? []).slice(1).map(Number) as [number, number];
      return { proof: this.log.proof(from, to).map((hash) => hash.toString("base64")) };
    };
    return new LogMemory(home, fetch, async () => this.checkpoint, WAIT_MS);
  }
}
const kept = async () => {
  const files = (await readdir(join(home, "logs-seen"))).filter((name) => !name.startsWith("evidence"));
  assert.equal(files.length, 1);
  return JSON.parse(await readFile(join(home, "logs-seen", files[0] as string), "utf8")) as { checkpoint: string; witnesses?: unknown };
};
const unwitnessed = (error: unknown) => (error as { document: { code: string }; exitCode: number }).document.code === "LOG_UNWITNESSED" && (error as { exitCode: number }).exitCode === 1;

test("checkpoints may carry cosignatures, or not, in any order", async () => {
  const shown = new Shown(new CraftedLog(5));
  const memory = shown.memory();
  for (const note of [shown.log.checkpoint(), cosigned(shown.log.checkpoint(), 0, 1), shown.log.checkpoint(), cosigned(shown.log.grow(3).checkpoint(), 2), shown.log.checkpoint(6)]) await memory.refresh(note);
  assert.equal((await kept()).checkpoint, cosigned(shown.log.checkpoint(), 2));
});

test("what the log did not sign is refused at first contact already", async () => {
  const shown = new Shown(new CraftedLog(5));
  const other = new CraftedLog(5, "other.example/log");
  await assert.rejects(shown.memory().refresh(other.checkpoint()), /DO NOT TRUST/);
  await assert.rejects(shown.memory().refresh(shown.log.checkpoint().replace("\n5\n", "\n6\n")), /DO NOT TRUST/);
});

test("a home that demands witnesses refuses a checkpoint with too few of them, by a code of its own", async () => {
  const shown = new Shown(new CraftedLog(5));
  const memory = shown.memory();
  await memory.refresh(shown.checkpoint);
  assert.equal(await memory.require(2, keys), shown.log.signer.name);
  const stranger = cosigner("w1", generateKeyPairSync("ed25519").privateKey);
  const note = shown.log.checkpoint();
  const few: Record<string, string> = {
    none: note,
    one: cosigned(note, 1),
    "one twice": cosigned(note, 1, 1),
    "a stranger under a known name": withSignatureLines(cosigned(note, 1), [cosign(textOf(note), stranger, 1)]),
    "of another checkpoint": withSignatureLines(cosigned(note, 1), [cosign(textOf(shown.log.checkpoint(4)), witnesses[0] as typeof stranger, 1)]),
  };
  for (const [what, bad] of Object.entries(few)) {
    shown.checkpoint = bad;
    await assert.rejects(memory.refresh(bad), unwitnessed, what);
  }
  shown.checkpoint = cosigned(note, 0, 2);
  await memory.refresh(shown.checkpoint);
  assert.equal((await kept()).checkpoint, shown.checkpoint);
  await memory.refresh(cosigned(note, 0)).then(() => assert.equal(shown.checkpoint, cosigned(note, 0, 2)), assert.fail);
  await memory.require(0, []);
  assert.equal((await kept()).witnesses, undefined);
  await memory.refresh(note);
});

test("cosignatures without the log's own signature are worth nothing", async () => {
  const shown = new Shown(new CraftedLog(5));
  const memory = shown.memory();
  await memory.require(1, keys);
  const forged = new CraftedLog(0).grow(6, "another history");
  shown.checkpoint = cosigned(`${textOf(forged.checkpoint())}\n— stranger ${Buffer.alloc(68, 1).toString("base64")}\n`, 0, 1, 2);
  await assert.rejects(memory.refresh(shown.checkpoint), /DO NOT TRUST/);
});

test("a witnessed fork is still a fork", async () => {
  const shown = new Shown(new CraftedLog(5));
  const memory = shown.memory();
  await memory.require(1, keys);
  shown.checkpoint = cosigned(shown.checkpoint, 0);
  await memory.refresh(shown.checkpoint);
  shown.log.rollBack(3).grow(6, "another history");
  shown.checkpoint = cosigned(shown.log.checkpoint(), 0, 1, 2);
  await assert.rejects(memory.refresh(shown.checkpoint), /DO NOT TRUST/);
});

test("an unwitnessed checkpoint is waited for: witnesses may be a second behind", async () => {
  const shown = new Shown(new CraftedLog(5));
  const memory = shown.memory();
  await memory.require(1, keys);
  const raw = shown.log.grow(2).checkpoint();
  shown.checkpoint = cosigned(shown.log.checkpoint(5), 0);
  setTimeout(() => {
    shown.checkpoint = cosigned(shown.log.grow(1).checkpoint(), 1);
  }, 250);
  await memory.refresh(raw);
  assert.equal((await kept()).checkpoint, shown.checkpoint);
  shown.checkpoint = cosigned(shown.log.checkpoint(5), 0);
  await assert.rejects(memory.refresh(shown.log.checkpoint(7)), unwitnessed, "an old witnessed one does not vouch for what came later");
});
