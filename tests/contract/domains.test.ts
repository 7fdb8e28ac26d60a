import assert from "node:assert/strict";
import { Readable } from "node:stream";
import test from "node:test";
import type { BundleReader, DnsRecordSet, DomainsDesired } from "../../src/contract/index.ts";
import { type DomainsRoom, openDomainsRoom } from "../../src/domains/index.ts";
import { type Fault, type Fqdn, type ImvuId, run, runOk } from "../../src/kernel/index.ts";
import { superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";
import { started } from "../harness/started.ts";

const ID = "IMVU-001" as ImvuId;
const ZONE = "imvu001.world" as Fqdn;

function record(name: string, type: DnsRecordSet["type"], ...values: string[]): DnsRecordSet {
  return { name: name as Fqdn, type, ttl: 300, values };
}

const DESIRED: DomainsDesired = {
  imvu: ID,
  zone: ZONE,
  records: [record(ZONE, "A", "127.0.0.1"), record(`www.${ZONE}`, "A", "127.0.0.1"), record(ZONE, "MX", `10 mail.${ZONE}.`), record(`t.${ZONE}`, "TXT", 'a "quoted" \\ text; ünïcode', "x".repeat(600))],
};

async function converge(room: DomainsRoom, desired: DomainsDesired | undefined): Promise<number> {
  const steps = room.fabric.plan(ID, desired, await room.fabric.observe(ID));
  for (const step of steps) await step.do();
  return steps.length;
}

async function open(): Promise<{ scratch: ScratchSite; room: DomainsRoom; engines: Awaited<ReturnType<typeof superviseEngines>>; close(): Promise<void> }> {
  const scratch = await ScratchSite.create();
  const room = openDomainsRoom({ site: scratch.site, desiredOf: () => DESIRED, zonesOf: () => new Map([[ZONE, ID]]) });
  const engines = await superviseEngines(scratch.site, room.engines, () => {});
  return {
    scratch,
    room,
    engines,
    close: async () => {
      await engines.stop();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

async function dig(port: number, ...args: string[]): Promise<string> {
  return (await run(["kdig", "@127.0.0.1", "-p", String(port), "+dnssec", "+timeout=2", "+retry=0", ...args])).stdout.toString("utf8");
}

function memorySink() {
  const files = new Map<string, Buffer>();
  return {
    files,
    async file(path: string, source: string | Uint8Array | Readable) {
      const chunks: Buffer[] = [];
      if (source instanceof Readable) for await (const chunk of source) chunks.push(chunk as Buffer);
      else chunks.push(Buffer.from(source as Uint8Array));
      files.set(path, Buffer.concat(chunks));
    },
    omit() {},
  };
}

test("zones: signed and validated at once, changed in place, exported with their keys, alive elsewhere", async (t) => {
  const here = await open();
  const { room, scratch } = here;
  const { dns, resolver } = scratch.site.ports;
  const sink = memorySink();
  try {
    await t.test("a name asked for before its zone exists validates as soon as the steps are done", async () => {
      assert.match(await dig(resolver, `www.${ZONE}`, "A"), /status: NXDOMAIN/);
      assert.equal(await converge(room, DESIRED), 3);
      const answer = await dig(resolver, `www.${ZONE}`, "A");
      assert.match(answer, /Flags:[^;]*\bad\b/);
      assert.match(answer, /127\.0\.0\.1/);
      assert.match(await dig(resolver, `nothing.${ZONE}`, "A"), /status: NXDOMAIN[\s\S]*Flags:[^;]*\bad\b/);
    });
    await t.test("what is served is what was ordered, so a second plan is empty", async () => {
      assert.equal(await converge(room, DESIRED), 0);
    });
    await t.test("text arrives as it was given", async () => {
      const text = await dig(dns, "+short", `t.${ZONE}`, "TXT");
      assert.match(text, /a \\"quoted\\" \\\\ text; \\195\\188n\\195\\175code/);
    });
    await t.test("a change is answered at once, by the resolver too", async () => {
      await dig(resolver, `www.${ZONE}`, "A");
      const changed = { ...DESIRED, records: DESIRED.records.map((set) => (set.name === `www.${ZONE}` ? { ...set, values: ["203.0.113.9"] } : set)) };
      const steps = room.fabric.plan(ID, changed, await room.fabric.observe(ID));
      assert.equal(steps.length, 1);
      await steps[0]?.do();
      assert.match(await dig(resolver, `www.${ZONE}`, "A"), /203\.0\.113\.9/);
      await steps[0]?.undo();
      assert.match(await dig(resolver, `www.${ZONE}`, "A"), /127\.0\.0\.1/);
    });
    await t.test("the meter counts answers exactly", async () => {
      const before = BigInt((await room.fabric.meter(ID))[0]?.value ?? "0");
      for (let n = 0; n < 25; n += 1) await dig(dns, `www.${ZONE}`, "A");
      assert.equal(BigInt((await room.fabric.meter(ID))[0]?.value ?? "0") - before, 25n);
    });
    await t.test("many units are one question; one whose zone is not served is a fault of its own, never a zero", async () => {
      const meter = (imvu: string) => room.fabric.meter(imvu as ImvuId).then((readings) => readings.length, (error: Fault) => error.code);
      assert.deepEqual(await started(() => Promise.all([ID, "IMVU-009", ID, "IMVU-010"].map(meter))), { answer: [1, "METER_GONE", 1, "METER_GONE"], processes: 0, connections: 1 });
    });
    await t.test("updates, transfers and recursion are refused by the server itself", async () => {
      for (const gate of [3, 4, 14] as const) assert.equal((await room.fabric.probe(gate, undefined)).verdict, "holds", `gate ${gate}: ${(await room.fabric.probe(gate, undefined)).detail}`);
    });
    await t.test("an answer changed at the server is seen", async () => {
      await runOk(["knotc", "-s", `${scratch.site.dir}/domains/knot/run/k.sock`, "zone-begin", ZONE]);
      await runOk(["knotc", "-s", `${scratch.site.dir}/domains/knot/run/k.sock`, "zone-set", ZONE, "www", "300", "A", "203.0.113.66"]);
      await runOk(["knotc", "-s", `${scratch.site.dir}/domains/knot/run/k.sock`, "zone-commit", ZONE]);
      assert.equal((await room.fabric.probe(14, undefined)).verdict, "broken");
      assert.equal(await converge(room, DESIRED), 1);
      assert.equal((await room.fabric.probe(14, undefined)).verdict, "holds");
    });
    await t.test("the engine's death loses nothing", async () => {
      const before = await room.fabric.observe(ID);
      const knot = here.engines.views().find((view) => view.name === "knot");
      process.kill(knot?.pid as number, "SIGKILL");
      for (let n = 0; n < 200; n += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const view = here.engines.views().find((one) => one.name === "knot");
        if (view?.state === "running" && view.pid !== knot?.pid) break;
      }
      assert.deepEqual((await room.fabric.observe(ID)).zones[0]?.ds, before.zones[0]?.ds);
      assert.equal(await converge(room, DESIRED), 0);
    });
    await t.test("the export is a zone that BIND's checkers accept", async () => {
      await room.fabric.export(ID, sink);
      const zoneFile = `${scratch.site.dir}/x.zone`;
      await (await import("node:fs/promises")).writeFile(zoneFile, sink.files.get(`domains/zones/${ZONE}.zone`) as Buffer);
      await runOk(["named-checkzone", "-i", "local", ZONE, zoneFile]);
      await runOk(["dnssec-verify", "-z", "-o", ZONE, zoneFile]);
      assert.equal([...sink.files.keys()].filter((path) => path.endsWith(".private")).length, 1);
    });
    await t.test("another server signs it with the same key, and validates", async () => {
      const there = await open();
      try {
        await converge(there.room, DESIRED);
        const bundle: BundleReader = { list: (prefix) => [...sink.files.keys()].filter((path) => path.startsWith(prefix)), read: async (path) => sink.files.get(path) as Buffer, stream: (path) => Readable.from([sink.files.get(path) as Buffer]) };
        await there.room.fabric.import(ID, DESIRED, bundle);
        assert.deepEqual((await there.room.fabric.observe(ID)).zones[0]?.ds, (await room.fabric.observe(ID)).zones[0]?.ds);
        assert.match(await dig(there.scratch.site.ports.resolver, `www.${ZONE}`, "A"), /Flags:[^;]*\bad\b/);
        assert.equal(await converge(there.room, DESIRED), 0);
        const again = memorySink();
        await there.room.fabric.export(ID, again);
        for (const path of sink.files.keys()) if (path.includes("dnssec/")) assert.deepEqual(again.files.get(path), sink.files.get(path), path);
      } finally {
        await there.close();
      }
    });
    await t.test("removed, nothing of it is served", async () => {
      await converge(room, undefined);
      assert.deepEqual(await room.servedZones(), []);
      assert.match(await dig(resolver, `www.${ZONE}`, "A"), /status: NXDOMAIN/);
      assert.equal(await converge(room, undefined), 0);
    });
  } finally {
    await here.close();
  }
});
