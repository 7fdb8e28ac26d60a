import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Caller } from "../../src/cli/demo/driver.ts";
import { readMailbox } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { TestHouse } from "../harness/test-house.ts";

test("an owner shares a unit: roles, approvals of others' commands, and what was refused", async (t) => {
  await using house = await TestHouse.start();
  const owner = await house.creator("creator-8891");
  const maintainer = await house.creator("creator-7702");
  const stranger = await house.creator("creator-6666");
  const unit = await house.unit(owner, "ArtGallery");
  const id = unit.imvu.id;
  const of = ["--imvu-id", id] as const;
  const refused = async (who: typeof owner, code: number, name: string, ...args: string[]) => {
    const called = await who.call.call(...args);
    assert.equal(called.code, code, `${args.join(" ")}: ${JSON.stringify(called.printed)}`);
    assert.equal(called.printed.error.code, name, JSON.stringify(called.printed));
    return called.printed.error;
  };
  const down = ["imvu", "scale", ...of, "--cpu", "0.25"];
  let digest = "";

  await t.test("an identity sealed with a passphrase signs only for whoever has it", async () => {
    const home = join(house.root, "sealed");
    await mkdir(home, { mode: 0o711 });
    const call = new Caller(home, house.api);
    const file = join(house.root, "passphrase");
    await writeFile(file, "correct horse battery\n", { mode: 0o600 });
    try {
      await call.refused(2, /^NO_PASSPHRASE$/, "identity", "create", "creator-5555", "--passphrase");
      process.env.NEXUS_PASSPHRASE_FILE = file;
      await call.ok("identity", "create", "creator-5555", "--passphrase");
      assert.deepEqual((await call.ok("identity", "list")).identities.map((one: { protected: boolean }) => one.protected), [true]);
      await call.ok("identity", "register");
      delete process.env.NEXUS_PASSPHRASE_FILE;
      await call.refused(2, /^IDENTITY_LOCKED$/, "imvu", "list");
      process.env.NEXUS_PASSPHRASE_FILE = file;
      assert.deepEqual((await call.ok("imvu", "list")).imvus, []);
      await call.ok("identity", "passphrase", "--remove");
      delete process.env.NEXUS_PASSPHRASE_FILE;
      await call.ok("imvu", "list");
    } finally {
      delete process.env.NEXUS_PASSPHRASE_FILE;
    }
  });

  await t.test("only who is registered becomes a member, and only by the owner's signature", async () => {
    await refused(owner, 4, "NO_SUCH_IDENTITY", "imvu", "member", "add", "creator-7702", ...of, "--role", "maintainer");
    await maintainer.call.ok("identity", "register");
    await stranger.call.ok("identity", "register", "creator-6666");
    await refused(maintainer, 4, "NO_SUCH_IMVU", "imvu", "member", "list", ...of);
    await refused(stranger, 3, "GATE_16_FORBIDDEN", "imvu", "member", "add", "creator-6666", ...of, "--role", "maintainer");
    await refused(owner, 2, "OWNER_STAYS", "imvu", "member", "add", "creator-8891", ...of, "--role", "viewer");
    await refused(owner, 2, "USAGE", "imvu", "member", "add", "creator-7702", ...of, "--role", "owner");
    await owner.call.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "maintainer");
    const { members } = await maintainer.call.ok("imvu", "member", "list", ...of);
    assert.deepEqual(members, [{ identity: "creator-8891", role: "owner" }, { identity: "creator-7702", role: "maintainer" }]);
  });

  await t.test("a maintainer does a maintainer's work, and no more", async () => {
    await maintainer.call.ok("dns", "set", ...of, "--name", "lab", "--type", "TXT", "--value", "by a maintainer");
    await refused(maintainer, 3, "GATE_01_ROLE", "imvu", "member", "remove", "creator-7702", ...of);
    const error = await refused(maintainer, 3, "GATE_15_OWNER_APPROVAL_MISSING", ...down, "--valid-for", "1h");
    digest = error.digest;
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.equal(error.hint, `ask creator-8891 to run: nexus imvu approve ${digest}`);
  });

  await t.test("the owner finds in her mailbox who was refused", async () => {
    const password = (await readFile(unit.mail.passwordFile, "utf8")).trim();
    const login = { address: unit.mail.address, password, ca: house.ca, servername: unit.mail.servername };
    const notice = await eventually("the notice", 10_000, async () => (await readMailbox(house.status.listen.imap, login)).find(({ subject }) => subject.startsWith(id)));
    assert.match(notice.source, /^Auto-Submitted: auto-generated\r$/m);
    assert.match(notice.source, /imvu\.member\.set by creator-6666/);
    assert.doesNotMatch(notice.source, /creator-8891/);
  });

  await t.test("the owner's approval of the very command lets it pass; nobody else's does", async () => {
    await refused(stranger, 4, "NO_SUCH_COMMAND", "imvu", "approve", digest);
    await refused(maintainer, 2, "SIGNED_ALREADY", "imvu", "approve", digest);
    await refused(owner, 2, "USAGE", "imvu", "approve", "abc");
    await refused(owner, 4, "NO_SUCH_COMMAND", "imvu", "approve", "0".repeat(64));
    const { refusals } = await owner.call.ok("imvu", "refusals", id);
    assert.deepEqual(refusals.map(({ actor, op, code, approvable }: Record<string, unknown>) => [actor, op, code, approvable]), [
      ["creator-7702", "imvu.scale", "GATE_15_OWNER_APPROVAL_MISSING", true],
      ["creator-7702", "imvu.member.remove", "GATE_01_ROLE", true],
      ["creator-6666", "imvu.member.set", "GATE_16_FORBIDDEN", false],
    ]);
    assert.equal(refusals[0].digest, digest);
    const rehearsed = await owner.call.ok("imvu", "approve", digest, "--dry-run");
    assert.equal(rehearsed.allowed, true);
    assert.equal((await maintainer.call.call(...down, "--dry-run")).code, 3);
    assert.equal((await owner.call.ok("imvu", "show", id)).envelope.cpuCores, 0.5);
    const approved = await owner.call.ok("imvu", "approve", digest);
    assert.deepEqual([approved.op, approved.digest], ["imvu.scale", digest]);
    assert.equal((await owner.call.ok("imvu", "show", id)).envelope.cpuCores, 0.25);
    await refused(owner, 2, "SIGNED_ALREADY", "imvu", "approve", digest);
    const { entries } = await owner.call.ok("ledger", "entries", ...of, "--limit", "500");
    const accepted = entries.find((entry: { type: string; data: { digest: string } }) => entry.type === "command.accepted" && entry.data.digest === digest);
    assert.deepEqual([accepted.actor, accepted.data.jws.signatures.length], ["creator-7702", 2]);
  });

  await t.test("a command's time is bounded", async () => {
    await refused(maintainer, 2, "USAGE", "dns", "list", ...of, "--valid-for", "8d");
    await refused(maintainer, 2, "USAGE", "dns", "list", ...of, "--valid-for", "soon");
  });

  await t.test("a role that was taken away ends at once; the unit leaves and verifies with everything its members did", async () => {
    await owner.call.ok("imvu", "member", "remove", "creator-7702", ...of);
    await refused(owner, 4, "NO_SUCH_MEMBER", "imvu", "member", "remove", "creator-7702", ...of);
    await refused(maintainer, 4, "NO_SUCH_IMVU", "imvu", "refusals", id);
    await refused(maintainer, 3, "GATE_14_NOT_THE_OWNERS_WILL", "dns", "set", ...of, "--name", "lab", "--type", "TXT", "--value", "no more");
    await house.operator.ok("ledger", "replay", "--check");
    await owner.call.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "viewer");
    const exit = await owner.call.ok("imvu", "exit", ...of, "--export-path", join(house.root, "exit"));
    assert.equal(exit.rehearsal.equal, exit.rehearsal.compared);
    assert.equal((await owner.call.ok("verify-export", exit.path)).ok, true);
  });
});
