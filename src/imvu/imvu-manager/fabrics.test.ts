import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command, Imvu, Step } from "../../contract/index.ts";
import { Saga } from "../../core/command/index.ts";
import { accept, type Fqdn, type IdentityName, type Json, refuse, type ServiceName } from "../../kernel/index.ts";
import { type EffectsDeps, imvuEffects } from "./effects.ts";
import { converge, FABRIC_ORDER, type Fabrics, stepsTo } from "./fabrics.ts";
import { allocation, command, createParams, newImvu } from "./imvu.fixture.ts";
import { withDkim } from "./next.ts";

const imvu = newImvu();
const dkim = [{ selector: "a", algorithm: "ed25519-sha256", txt: "v=DKIM1; p=a" }] as const;

/** Four engines in memory: each can be told to fail, which the real ones do only now and then. */
function engines(failing?: string) {
  const log: string[] = [];
  const planned: Record<string, unknown> = {};
  const fabric = (name: string) => ({
    name,
    observe: async () => ({ seen: name }),
    plan: (id: string, desired: unknown, observed: Json): readonly Step[] => {
      planned[name] = { id, desired, observed };
      const act = async (half: string) => {
        log.push(`${half} ${name}`);
        if (half === "do" && name === failing) throw new Error(`${name} is gone`);
      };
      return [{ key: name, sentence: name, do: () => act("do"), undo: () => act("undo") }];
    },
  });
  const fabrics = {
    ...Object.fromEntries(FABRIC_ORDER.map((name) => [name, fabric(name)])),
    createDkimKeys: async () => {
      log.push("make keys");
      return dkim;
    },
    removeDkimKeys: async () => {
      log.push("remove keys");
    },
    resolverAddressOf: (number: number) => `10.0.${number}.53`,
    validateRecord: (_: Fqdn, set: { values: readonly string[] }) => (set.values.includes("bad") ? refuse("usage", "BAD_RECORD", "values: bad", "say it better") : accept(set)),
    restartService: async (_: string, name: string) => {
      log.push(`restart ${name}`);
    },
    view: async (of: Imvu) => ({ seen: of.id, dkim: of.dkim.length }),
  } as unknown as Fabrics;
  const deps = {
    fabrics,
    journeys: {},
    suffix: allocation.suffix,
    publicAddress: allocation.publicAddress,
    isRegistered: async (name: string) => name === "creator-7702",
    contentOf: async () => allocation.content,
    attachMeters: async () => {
      log.push("meters");
    },
  } as unknown as EffectsDeps;
  return { log, planned, fabrics, effects: imvuEffects(deps) };
}

const create = { ...command("imvu.create", createParams), imvu: null } as ReturnType<typeof command>;
const work = (one: ReturnType<typeof command>, after: Imvu, saga = new Saga(() => {})) => ({ command: one, digest: "d", actor: "creator-8891", before: imvu, after, allocation: null, saga });

describe("the orders to the fabrics", () => {
  test("a plan is made from what is desired and what the engine itself shows", async () => {
    const { fabrics, planned } = engines();
    await stepsTo(fabrics, "compute", imvu.id, imvu);
    assert.deepEqual((planned["compute"] as { observed: Json }).observed, { seen: "compute" });
    assert.equal((planned["compute"] as { desired: { resolverAddress: string } }).desired.resolverAddress, "10.0.7.53");
  });

  test("networks come up before what lives in them and go down after it, keys last", async () => {
    const up = engines();
    assert.equal(await converge(up.fabrics, imvu.id, imvu), 4);
    assert.deepEqual(up.log, ["do network", "do compute", "do domains", "do mail"]);
    const down = engines();
    assert.equal(await converge(down.fabrics, imvu.id, undefined), 4);
    assert.deepEqual(down.log, ["do mail", "do domains", "do compute", "do network", "remove keys"]);
    for (const name of FABRIC_ORDER) assert.equal((down.planned[name] as { desired: unknown }).desired, undefined);
  });
});

describe("a command's effects", () => {
  test("a create makes keys, then the fabrics in order, then the first reading, and learns the keys", async () => {
    const { log, effects, planned } = engines();
    const worked = await effects.run(work(create, imvu));
    assert.deepEqual(log, ["make keys", "do network", "do compute", "do domains", "do mail", "meters"]);
    assert.deepEqual(worked, { learned: { dkim }, observed: { seen: imvu.id, dkim: 1 } });
    assert.deepEqual((planned["domains"] as { desired: { records: unknown } }).desired.records, withDkim(imvu, dkim).records);
  });

  for (const [at, failing] of FABRIC_ORDER.entries())
    test(`a create that fails in ${failing} takes back all it did, keys too, newest first`, async () => {
      const { log, effects } = engines(failing);
      const saga = new Saga(() => {});
      await assert.rejects(effects.run(work(create, imvu, saga)), new RegExp(`${failing} is gone`));
      assert.deepEqual(await saga.undo(), []);
      const begun = FABRIC_ORDER.slice(0, at + 1);
      assert.deepEqual(log, ["make keys", ...begun.map((name) => `do ${name}`), ...begun.toReversed().map((name) => `undo ${name}`), "remove keys"]);
    });

  test("a change touches only the engines it concerns", async () => {
    const touched = async (one: ReturnType<typeof command>) => {
      const { log, effects } = engines();
      await effects.run(work(one, imvu));
      return log;
    };
    assert.deepEqual(await touched(command("imvu.scale", { envelope: imvu.envelope })), ["do network", "do compute"]);
    assert.deepEqual(await touched(command("dns.remove", { name: imvu.zone, type: "A" })), ["do domains"]);
    assert.deepEqual(await touched(command("route.remove", { host: imvu.zone, path: "/" })), ["do network"]);
    assert.deepEqual(await touched(command("service.restart", { name: "web" as ServiceName })), ["restart web"]);
    assert.deepEqual(await touched(command("identity.register", { name: "creator-1" as IdentityName, publicKey: "" })), []);
  });

  test("what the platform decides at acceptance is enough to make the same document again", async () => {
    const { effects } = engines();
    const decided = await effects.allocate(create, "creator-8891", allocation.createdAt, allocation.number);
    assert.deepEqual(effects.after(create, undefined, JSON.parse(JSON.stringify(decided))), imvu);
    assert.equal(await effects.allocate(command("dns.remove", { name: imvu.zone, type: "A" }), "creator-8891", allocation.createdAt, 9), null);
    assert.deepEqual(effects.withLearned(imvu, { dkim: JSON.parse(JSON.stringify(dkim)) as Json }), withDkim(imvu, dkim));
    assert.equal(effects.withLearned(imvu, null), imvu);
    assert.equal(effects.after(command("imvu.exit", { encryptTo: null }), undefined, null), undefined);
  });

  test("what is not there cannot be removed or restarted; the answer says what is and how to see it", async () => {
    const { effects } = engines();
    const other = "other" as ServiceName;
    const cases = [
      [command("dns.remove", { name: imvu.zone, type: "CAA" }), "NO_SUCH_RECORD"],
      [command("route.remove", { host: imvu.zone, path: "/none" }), "NO_SUCH_ROUTE"],
      [command("service.remove", { name: other }), "NO_SUCH_SERVICE"],
      [command("service.restart", { name: other }), "NO_SUCH_SERVICE"],
    ] as const;
    for (const [one, code] of cases) {
      const objection = await effects.objection(one, imvu);
      assert.equal(objection?.code, code);
      assert.match(objection?.hint ?? "", /^nexus .* list --imvu-id IMVU-007$/);
    }
    for (const one of [command("dns.remove", { name: imvu.zone, type: "A" }), command("route.remove", { host: imvu.zone, path: "/" }), command("service.restart", { name: "web" as ServiceName })]) assert.equal(await effects.objection(one, imvu), undefined);
  });

  test("members are registered identities, and the owner is not one of them to give or take", async () => {
    const { effects } = engines();
    const said = async (one: Command) => (await effects.objection(one, imvu))?.code;
    const named = (name: string) => ({ identity: name as IdentityName });
    assert.equal(await said(command("imvu.member.set", { ...named("creator-7702"), role: "viewer" })), undefined);
    assert.equal(await said(command("imvu.member.set", { ...named("creator-9999"), role: "viewer" })), "NO_SUCH_IDENTITY");
    assert.equal(await said(command("imvu.member.set", { ...named(imvu.owner), role: "viewer" })), "OWNER_STAYS");
    assert.equal(await said(command("imvu.member.remove", named(imvu.owner))), "OWNER_STAYS");
    assert.equal(await said(command("imvu.member.remove", named("creator-7702"))), "NO_SUCH_MEMBER");
  });

  test("beside a CNAME nothing stands, whichever comes first; a set may replace itself", async () => {
    const { effects } = engines();
    const www = "www.imvu007.world" as Fqdn;
    const set = (type: "A" | "CNAME" | "TXT", value = "x.world.") => command("dns.set", { name: www, type, ttl: 60, values: [value] });
    assert.equal((await effects.objection(set("CNAME"), imvu))?.code, "CNAME_ALONE");
    const aliased: Imvu = { ...imvu, records: [{ name: www, type: "CNAME", ttl: 60, values: ["x.world."] }] };
    assert.equal((await effects.objection(set("TXT"), aliased))?.code, "CNAME_ALONE");
    assert.equal(await effects.objection(set("CNAME"), aliased), undefined);
    assert.equal(await effects.objection(set("TXT"), imvu), undefined);
    assert.equal((await effects.objection(set("TXT", "bad"), imvu))?.code, "BAD_RECORD");
  });
});
