import assert from "node:assert/strict";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { RECOVERY_WAIT_MS } from "../../src/contract/index.ts";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { readMailbox } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";

const NAME = "creator-8891";

/** One identity's life over three machines, and the operators of the platform it lives on. */
test("keys: devices, rotation, revocation, recovery; operators", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "nk-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const platformHome = join(root, "p");
  const clock = { ahead_ms: 0, now: () => Date.now() + clock.ahead_ms };
  try {
    const home = await openHome(platformHome, { cacheDir, create: true, checkPorts: true });
    const platform = await startPlatform(home, () => {}, { clock });
    const at = async (name: string) => {
      await mkdir(join(root, name), { mode: 0o711 });
      return new Caller(join(root, name), platform.apiOrigin);
    };
    try {
      const [desk, laptop, found, other] = [await at("desk"), await at("laptop"), await at("found"), await at("other")];
      const operator = new Caller(platformHome);
      const fileOf = (caller: Caller, name = `${NAME}.json`) => join(caller.home, "identities", name);
      const created: Printed = await desk.ok("identity", "create", NAME, "--device", "desk");
      const paper = join(root, "paper");
      await writeFile(paper, `${created.recoveryKey.toLowerCase().replace(/(.{5})/g, "$1 ")}\n`, { mode: 0o600 });
      const withPaper = async <T>(work: () => Promise<T>): Promise<T> => {
        process.env.NEXUS_RECOVERY_KEY_FILE = paper;
        try {
          return await work();
        } finally {
          delete process.env.NEXUS_RECOVERY_KEY_FILE;
        }
      };
      const unit: Printed = await desk.ok("imvu", "create", "--name", "ArtGallery", "--owner", NAME, "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25");
      const of = ["--imvu-id", unit.imvu.id] as const;
      const write = (value: string) => ["dns", "set", ...of, "--name", "lab", "--type", "TXT", "--value", value];
      // A verb that asks nothing before it signs.
      const restart = ["service", "restart", "web", ...of];
      let first = "";

      await t.test("a recovery key is printed once and kept nowhere", async () => {
        assert.match(created.recoveryKey, /^NEXUS-RECOVERY-KEY-1[A-Z0-9]{58}$/);
        assert.doesNotMatch(await readFile(fileOf(desk), "utf8"), new RegExp(created.recoveryKey, "i"));
        const shown = await desk.ok("identity", "show");
        assert.ok(!JSON.stringify(shown).toUpperCase().includes(created.recoveryKey));
        assert.deepEqual(shown.platform.keys.map(({ device, ended }: Printed) => [device, ended]), [["desk", null]]);
        first = created.kid;
      });

      await t.test("a second machine signs after a first one has taken up its key", async () => {
        const request = join(root, "request.json");
        await laptop.ok("identity", "device", "request", NAME, "--device", "laptop", "--out", request);
        await laptop.refused(3, /^SIGNATURE_WRONG$/, "imvu", "show", unit.imvu.id);
        await laptop.refused(3, /^GATE_01_KEY_UNKNOWN$/, ...restart);
        await desk.refused(2, /^USAGE$|^BAD/, "identity", "device", "add", join(root, "paper"));
        const stolen = JSON.parse(await readFile(request, "utf8"));
        await writeFile(join(root, "forged.json"), JSON.stringify({ ...stolen, signatures: [{ ...stolen.signatures[0], signature: `${stolen.signatures[0].signature.slice(0, -6)}AAAAAA`.slice(0, 86) }] }));
        assert.match((await desk.call("identity", "device", "add", join(root, "forged.json"))).printed.error.code, /^GATE_01_SIGNATURE_INVALID$|^BAD_COMMAND$/);
        await desk.ok("identity", "device", "add", request);
        await laptop.ok(...write("from the laptop"));
        await desk.ok(...write("from the desk"));
      });

      await t.test("a rotated key is refused by its own name, and a rotation that was interrupted goes on", async () => {
        const before = await readFile(fileOf(desk), "utf8");
        const rotated = await desk.ok("identity", "rotate");
        assert.notEqual(rotated.kid, first);
        await desk.ok(...write("by the new key"));
        // As a crash after the platform's answer leaves it: the old file stands, the new key lies beside.
        await cp(fileOf(desk), fileOf(desk, `${NAME}.next.json`));
        await writeFile(fileOf(desk), before, { mode: 0o600 });
        await desk.refused(3, /^GATE_01_KEY_ROTATED$/, ...restart);
        assert.equal((await desk.ok("identity", "rotate")).kid, rotated.kid);
        await desk.ok(...write("by the new key again"));
      });

      await t.test("a revoked key ends at once, and what it sends is nobody's", async () => {
        await desk.refused(2, /^USAGE$/, "identity", "revoke", "--device", "phone");
        await desk.ok("identity", "revoke", "--device", "laptop");
        const error = await laptop.refused(3, /^GATE_01_KEY_REVOKED$/, ...restart);
        const { entries } = await desk.ok("ledger", "entries", ...of, "--limit", "500");
        assert.ok(entries.every(({ index }: Printed) => index !== error.ledgerIndex), "it stands in the owner's stream");
        const gate1 = (await operator.call("verify", "gates", ...of)).printed.gates[0];
        assert.equal(gate1.verdict, "holds", gate1.evidence);
      });

      await t.test("a recovery is announced; a live key's objection ends it", async () => {
        await found.refused(2, /^NO_RECOVERY_KEY$/, "identity", "recover", NAME);
        await withPaper(() => found.ok("identity", "recover", NAME, "--device", "found"));
        await withPaper(() => found.refused(2, /^RECOVERY_WAITS$/, "identity", "recover", NAME));
        const login = { address: unit.mail.address, password: (await readFile(unit.mail.passwordFile, "utf8")).trim(), ca: await readFile((await operator.ok("status")).platform.caFile, "utf8"), servername: unit.mail.servername };
        const notice = await eventually("the notice", 10_000, async () => (await readMailbox(unit.mail.imap, login)).find(({ subject }) => subject === `${NAME}: somebody recovers your identity`));
        assert.match(notice.source, /nexus identity object creator-8891/);
        assert.ok((await desk.ok("identity", "show")).platform.pending);
        await found.refused(3, /^GATE_01_RECOVERY_EARLY$/, "identity", "recover", NAME, "--complete");
        await found.refused(2, /./, "imvu", "exit", ...of, "--export-path", join(root, "no"));
        await desk.ok("identity", "object");
        await desk.refused(3, /^GATE_01_NO_RECOVERY$/, "identity", "object");
        await found.refused(3, /^GATE_01_KEY_REVOKED$/, "identity", "recover", NAME, "--complete");
      });

      await t.test("nobody replaces the recovery key without it", async () => {
        await desk.refused(2, /^NO_RECOVERY_KEY$/, "identity", "recovery-key");
        const replaced = await withPaper(() => desk.ok("identity", "recovery-key"));
        assert.notEqual(replaced.recoveryKey, created.recoveryKey);
        await withPaper(() => found.refused(3, /^GATE_01_KEY_REVOKED$/, "identity", "recover", NAME));
        await writeFile(paper, replaced.recoveryKey, { mode: 0o600 });
      });

      await t.test("after three days without an objection the new key is the only one", async () => {
        const begun = await withPaper(() => found.ok("identity", "recover", NAME));
        const complete = ["identity", "recover", NAME, "--complete", "--valid-for", "7d"];
        clock.ahead_ms = RECOVERY_WAIT_MS - 60_000;
        await found.refused(3, /^GATE_01_RECOVERY_EARLY$/, ...complete);
        clock.ahead_ms = RECOVERY_WAIT_MS + 60_000;
        assert.equal((await found.ok(...complete)).kid, begun.kid);
        clock.ahead_ms = 0;
        await desk.refused(3, /^GATE_01_KEY_REVOKED$/, ...restart);
        await found.ok(...write("back again"));
      });

      await t.test("the only key, without a recovery key, cannot be revoked", async () => {
        const { kid } = await other.ok("identity", "create", "creator-7702", "--no-recovery");
        await other.ok("identity", "register");
        await other.refused(3, /^GATE_01_LAST_KEY$/, "identity", "revoke", "--kid", kid);
      });

      await t.test("operators are identities with a role; two of them sign where there are two", async () => {
        const { operators } = await operator.ok("operator", "list");
        assert.deepEqual(operators, [`operator-${home.site.homeId}`]);
        await other.refused(3, /^GATE_01_NOT_AN_OPERATOR$/, "operator", "add", "creator-7702");
        await operator.refused(3, /^GATE_01_LAST_OPERATOR$/, "operator", "remove", String(operators[0]));
        await operator.refused(3, /^GATE_01_NO_SUCH_IDENTITY$/, "operator", "add", "creator-0000");
        await operator.ok("operator", "add", "creator-7702");
        await operator.refused(3, /^GATE_01_OPERATOR_ALREADY$/, "operator", "add", "creator-7702");
        const error = await operator.refused(3, /^GATE_01_SECOND_OPERATOR_MISSING$/, "operator", "remove", String(operators[0]));
        await found.refused(4, /^NO_SUCH_COMMAND$/, "imvu", "approve", error.digest);
        await other.ok("imvu", "approve", error.digest);
        assert.deepEqual((await operator.ok("operator", "list")).operators, ["creator-7702"]);
        // An operator's key opens no IMVU.
        await other.refused(4, /^NO_SUCH_IMVU$/, "imvu", "show", unit.imvu.id);
      });

      await t.test("the platform's metrics count, and name nobody", async () => {
        const text = await (await fetch(`${platform.apiOrigin}/metrics`)).text();
        assert.match(text, /^nexus_commands_total\{outcome="accepted"\} [1-9]/m);
        assert.match(text, /^nexus_gate_denials_total\{gate="1"\} [1-9]/m);
        assert.match(text, /^nexus_engine_up\{engine="postgres"\} 1$/m);
        assert.doesNotMatch(text, /IMVU-|imvu001|creator-|operator-|ArtGallery/);
      });

      await t.test("the tables are what the log tells, and the exit verifies by every key that ever signed", async () => {
        assert.equal((await operator.ok("ledger", "replay", "--check")).ok, true);
        assert.equal((await operator.ok("ledger", "fsck")).ok, true);
        const exit = await found.ok("imvu", "exit", ...of, "--export-path", join(root, "exit"));
        assert.equal((await found.ok("verify-export", exit.path)).ok, true);
        const { keys } = JSON.parse(await readFile(join(exit.path, "identity/owner.json"), "utf8"));
        assert.deepEqual(keys.map(({ status }: Printed) => status), ["rotated", "revoked", "revoked", "live"]);
      });
    } finally {
      await platform.stop();
    }
  } finally {
    await down(platformHome, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
