import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command, Fabric, Imvu, Reading, ReadingSummary, Site } from "../contract/index.ts";
import { DEFAULT_PRICES_V1, parseReadingSet, TARIFF_V1 } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Fqdn, ImvuId, Json } from "../kernel/index.ts";
import { Meters, readMeters } from "./meters.ts";
import { Openings } from "./openings.ts";
import type { Rooms } from "./rooms.ts";
import { statementFor } from "./statements.ts";
import { ToldUnits } from "./told.ts";
import { usedOf } from "./used.ts";
import { viewOf } from "./view.ts";

const id = "IMVU-007" as ImvuId;
const envelope = { cpuMillis: 1_000, memoryBytes: 2 ** 29, storageBytes: 2 ** 30, iops: 1_000, bandwidthBps: 10 ** 8, processes: 256, burst: null };
const imvu = {
  id, number: 7, name: "Art", slug: "art", owner: "anna", jurisdiction: "EU-GDPR", status: "active", zone: "imvu007.world", createdAt: "2026-12-01T00:00:00.000Z", envelope,
  services: [{ name: "web", source: { kind: "image", ref: "nginx" }, port: 80, env: { SECRET: "hush" } }],
  records: [], dkim: [], members: [],
  mailboxes: [{ address: "hello@imvu007.world", passwordHash: "a".repeat(64), quotaBytes: 1 }],
  routes: [{ class: "public", host: "www.imvu007.world", path: "/a", service: "web", port: 80, role: null, ratePerMinute: null }],
} as unknown as Imvu;
const site = { listenAddress: "127.0.0.1", suffix: "world", ports: { gatewayHttp: 20_001, imap: 20_002, submission: 20_003 } } as unknown as Site;
const reading = (resource: string, value: string): Reading => ({ resource, value, boot: "b", epoch: "e" }) as Reading;

describe("what the ledger says of all units", () => {
  test("is renewed as a whole: a unit that is gone is desired no more", () => {
    const told = new ToldUnits();
    assert.equal(told.desiredOf(id), undefined);
    told.take([imvu]);
    assert.equal(told.desiredOf(id)?.domains.zone, imvu.zone);
    assert.deepEqual([...told.zones()], [["imvu007.world" as Fqdn, id]]);
    told.take([]);
    assert.equal(told.desiredOf(id), undefined);
    assert.equal(told.zones().size, 0);
  });

  test("a unit that is still being made holds its zone, but nothing is desired of it yet", () => {
    const told = new ToldUnits();
    told.take([{ ...imvu, status: "creating" }]);
    assert.equal(told.desiredOf(id), undefined);
    assert.equal(told.zones().get("imvu007.world" as Fqdn), id);
  });
});

describe("what a unit uses", () => {
  const rooms = (readings: readonly Reading[], processes = 3) => ({ compute: { fabric: { meter: async () => readings }, processes: async () => processes }, mail: { messagesIn: async () => 5 } }) as unknown as Rooms;
  const levels = [reading("compute.memory", "100"), reading("compute.storage", "200"), reading("compute.cpu", "9")];
  const restart = { op: "service.restart" } as Command;
  const remove = { op: "mail.mailbox.remove", params: { address: "hello@imvu007.world" } } as unknown as Command;

  test("is what its engines say; messages are counted only for who would lose them", async () => {
    assert.deepEqual(await usedOf(rooms(levels), imvu, restart), { memoryBytes: 100, storageBytes: 200, processes: 3, mailboxMessages: null });
    assert.equal((await usedOf(rooms(levels), imvu, remove)).mailboxMessages, 5);
  });

  test("an engine that says nothing, or nonsense, is a fault and never counts as zero", async () => {
    for (const broken of [rooms([]), rooms(levels.slice(1)), rooms([reading("compute.memory", "?"), ...levels.slice(1)]), rooms(levels, Number.NaN)]) await assert.rejects(usedOf(broken, imvu, restart), /do not say/);
  });
});

describe("a unit for people", () => {
  const rooms = (compute: object, network: object = { rates: { inwards: 10 ** 8 } }) =>
    ({ compute: { fabric: { observe: async () => compute } }, domains: { fabric: { observe: async () => ({ zones: [{ ds: ["1 2 3"] }] }) } }, network: { fabric: { observe: async () => network } } }) as unknown as Rooms;
  const alive = { envelope: { cpuMillis: 1_500, memoryBytes: 1, readIops: 2, processes: 3 }, volume: { sizeBytes: 4 }, services: [{ name: "web", state: "running", startedAt: "t" }] };
  type View = Record<string, Record<string, unknown>>;

  test("shows the kernel's figures, not the promised ones, with the promise beside them", async () => {
    const view = (await viewOf(rooms(alive), site, imvu)) as unknown as View;
    assert.deepEqual(view["envelope"], { cpuCores: 1.5, memoryBytes: 1, storageBytes: 4, iops: 2, bandwidthBps: 10 ** 8, processes: 3, burst: null });
    assert.deepEqual(view["agreed"], envelope);
    assert.deepEqual(view["compute"], { service: "web", engine: "podman", state: "running" });
    assert.deepEqual(view["dns"], { nameserver: "ns.world", ds: ["1 2 3"] });
  });

  test("engines that show nothing make zeros and absence, not promises", async () => {
    const view = (await viewOf(rooms({ envelope: null, volume: null, services: [] }, { rates: {} }), site, imvu)) as unknown as View;
    assert.deepEqual(view["envelope"], { cpuCores: 0, memoryBytes: 0, storageBytes: 0, iops: 0, bandwidthBps: 0, processes: 0, burst: null });
    assert.equal(view["compute"]?.["state"], "absent");
  });

  test("a unit without services and mailboxes can be shown too", async () => {
    const view = (await viewOf(rooms(alive), site, { ...imvu, services: [], mailboxes: [], routes: [] })) as unknown as View;
    assert.equal(view["mail"]?.["address"], "");
    assert.deepEqual(view["routes"], []);
  });

  test("tells where it is reached, and no secret of it", async () => {
    const view = await viewOf(rooms(alive), site, imvu);
    assert.equal((view as unknown as { routes: { url: string }[] }).routes[0]?.url, "http://www.imvu007.world:20001/a");
    const usual = await viewOf(rooms(alive), { ...site, ports: { ...site.ports, gatewayHttp: 80 } }, imvu);
    assert.equal((usual as unknown as { routes: { url: string }[] }).routes[0]?.url, "http://www.imvu007.world/a");
    assert.ok(!JSON.stringify(view).includes("hush"));
    assert.ok(!JSON.stringify(view).includes("a".repeat(64)));
  });
});

describe("meters", () => {
  const fabric = (...readings: Reading[]) => ({ meter: async () => readings }) as unknown as Fabric<unknown, Json>;
  const silent = { meter: async () => Promise.reject(new Error("no answer")) } as unknown as Fabric<unknown, Json>;
  const clock = { now: () => 0 };

  /** A ledger of one page, with the transaction's values kept; it can be made to refuse. */
  function book() {
    const entries: { type: string; data: Json; stream: string }[] = [];
    const rows: (readonly unknown[])[] = [];
    const state = { refuses: false };
    const ledger = {
      append: async (wanted: typeof entries, within: (tx: unknown, appended: { index: number }[]) => Promise<void>) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (state.refuses) throw new Error("the ledger is full");
        const appended = wanted.map((entry) => ({ index: entries.push(entry) - 1 }));
        await within({ named: async (_: unknown, values: readonly unknown[]) => rows.push(values) }, appended);
        return appended;
      },
    } as unknown as Ledger;
    return { ledger, entries, rows, state };
  }

  test("all fabrics' series stand in one reading, which rating can read", async () => {
    const { ledger, entries, rows } = book();
    const { index, set } = await new Meters([fabric(reading("compute.cpu", "1")), fabric(), fabric(reading("network.in", "2"))], ledger, clock).record(id);
    assert.deepEqual(set, { imvu: id, at: "1970-01-01T00:00:00.000Z", readings: [reading("compute.cpu", "1"), reading("network.in", "2")] });
    const entry = { v: 2, imvu: id, from: set.at, at: set.at, levels: [], counters: [], lives: [{ boot: "b", epoch: "e", values: { "compute.cpu": "1", "network.in": "2" } }] };
    assert.deepEqual(entries.map(({ type, stream, data }) => [type, stream, data]), [["meter.reading", id, entry]]);
    assert.ok(parseReadingSet(entries[index]?.data).ok);
    assert.deepEqual(rows, [[id, index, set.at, ["compute.cpu", "network.in"], index, set.at, ["compute.cpu", "network.in"]]]);
  });

  test("when one fabric does not answer nothing is written: half a reading would be a guess", async () => {
    const { ledger, entries } = book();
    await assert.rejects(readMeters([fabric(reading("compute.cpu", "1")), silent], id), /no answer/);
    await assert.rejects(new Meters([fabric(), silent], ledger, clock).record(id), /no answer/);
    assert.deepEqual(entries, []);
  });

  test("a unit that cannot be read leaves a gap that is said aloud, and the others are read", async () => {
    const { ledger, entries } = book();
    const other = "IMVU-008" as ImvuId;
    const choosy = { meter: async (of: ImvuId) => (of === id ? Promise.reject(new Error("no answer")) : [reading("compute.cpu", "1")]) } as unknown as Fabric<unknown, Json>;
    const said: string[] = [];
    await new Meters([choosy], ledger, clock).round([imvu, { ...imvu, id: other }], (line) => said.push(line));
    assert.deepEqual(said, ["no reading of IMVU-007: no answer"]);
    assert.deepEqual(entries.map(({ stream }) => stream), [other]);
  });

  test("what no engine may say is no reading: a series twice, a fraction, a name with a space, more series than an entry has", async () => {
    const { ledger, entries } = book();
    const one = reading("compute.cpu", "1");
    const many = Array.from({ length: 65 }, (_, at) => ({ ...one, epoch: `e${at}` }));
    for (const readings of [[one, one], [{ ...one, value: "1.5" }], [{ ...one, epoch: "e 1" }], [{ ...one, resource: "toString" } as unknown as Reading], many]) {
      await assert.rejects(new Meters([fabric(...readings)], ledger, clock).record(id), { code: "METER_MALFORMED" }, JSON.stringify(readings[0]));
    }
    assert.deepEqual(entries, []);
  });

  /** A counter that the test turns, read at the minutes it names. */
  function counting() {
    const world = { now: 0, value: "1", epoch: "e1" };
    const { ledger, entries, rows, state } = book();
    const counter = { meter: async () => [{ ...reading("compute.cpu", world.value), epoch: world.epoch }] } as unknown as Fabric<unknown, Json>;
    const meters = new Meters([counter], ledger, { now: () => world.now });
    const said: string[] = [];
    const round = async (at_min: number, always = false) => {
      world.now = at_min * 60_000;
      await meters.round([imvu], (line) => said.push(line), always);
      return entries.length;
    };
    const told = () => entries.map(({ data }) => data as unknown as ReadingSummary).map(({ from, at, lives }) => [Date.parse(from) / 60_000, Date.parse(at) / 60_000, lives[0]?.values["compute.cpu"]]);
    return { world, meters, entries, rows, state, said, round, told };
  }

  test("rounds come to an entry each half hour; whoever asks for a reading gets one, and so does the end", async () => {
    const { world, meters, entries, rows, round, told } = counting();
    assert.deepEqual([await round(0), await round(1), await round(29), await round(30), await round(31)], [1, 1, 1, 2, 2]);
    world.value = "2";
    assert.deepEqual([await round(32), await round(45)], [2, 2]);
    world.now = 46 * 60_000;
    const { index, set } = await meters.record(id);
    assert.deepEqual([index, set.readings[0]?.value, set.at, told()[2]], [2, "2", "1970-01-01T00:46:00.000Z", [31, 46, "2 2"]]);
    assert.deepEqual([await round(47), await round(48, true)], [3, 4]);
    await round(50);
    world.epoch = "another";
    assert.equal(await round(51), 6, "the last set of a series that ended, and the one that no longer has it");
    assert.deepEqual(told().slice(-2), [[50, 50, "2"], [51, 51, "2"]]);
    assert.equal(rows.length, entries.length - 1, "those two in one transaction");
    await meters.round([], assert.fail);
    assert.equal(await round(52), 7, "a unit that was gone is new");
  });

  test("what the ledger does not take is not lost, and what is asked for while it writes stands behind it", async () => {
    const { world, meters, entries, state, said, round, told } = counting();
    await round(0);
    world.value = "5";
    await round(10);
    state.refuses = true;
    await assert.rejects(meters.record(id), /full/);
    world.value = "7";
    await round(30);
    assert.deepEqual(said, ["no reading of IMVU-007: the ledger is full"]);
    state.refuses = false;
    world.now = 31 * 60_000;
    const both = await Promise.all([meters.record(id), meters.record(id)]);
    assert.deepEqual([both.map(({ index }) => index), entries.length], [[1, 2], 3]);
    assert.deepEqual(told().slice(1), [[10, 31, "5 7"], [31, 31, "7"]]);
  });
});

describe("a statement", () => {
  const tariff = { stream: "platform", type: "platform.tariff", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } };
  const read = (at: string, value: string) => ({ stream: id, type: "meter.reading", data: { imvu: id, at, readings: [reading("network.out", value)] } });
  type Line = { stream: string; type: string; data: unknown };

  const ledgerOf = (...lines: readonly Line[]) =>
    ({
      async *entries({ stream }: { stream: string }) {
        let streamSeq = 0;
        for (const [index, line] of lines.entries()) if (line.stream === stream) yield { ...line, index, streamSeq: streamSeq++, body: JSON.stringify(line), leaf: Buffer.alloc(32) };
      },
    }) as unknown as Ledger;

  const from = (...lines: readonly Line[]) => ({ ledger: ledgerOf(...lines), openings: new Openings("/nowhere") });

  test("is made of the unit's own stream and the published tariff, and cites both", async () => {
    const made = await statementFor(from(tariff, read("2026-11-01T00:00:00.001Z", "0"), { stream: id, type: "command.accepted", data: {} }, { ...read("2026-11-02T00:00:00.000Z", "99000000000"), stream: "IMVU-008" }, read("2026-11-03T00:00:00.000Z", "1000000000")), imvu, "2026-11");
    assert.ok(made.ok);
    assert.equal(made.value.gross, "0.010000000000000000000");
    assert.equal(made.value.tariffIndex, 0);
    assert.deepEqual(made.value.readings, { first: 1, last: 4, count: 2 });
    assert.equal(made.value.streamHead?.streamSeq, 2);
  });

  test("of a month without readings is nothing to pay, not a failure", async () => {
    const made = await statementFor(from(tariff), imvu, "2026-11");
    assert.ok(made.ok && made.value.gross === "0.000000000000000000000" && made.value.streamHead === null);
  });

  test("without a tariff there is no price, and without a month no statement", async () => {
    const untold = await statementFor(from(), imvu, "2026-11");
    assert.ok(!untold.ok && untold.code === "NO_TARIFF");
    for (const month of ["", "2026", "2026-13", "2026-1", "2026-11-01", "../2026-11", "٢٠٢٦-11"]) assert.ok(!(await statementFor(from(tariff), imvu, month)).ok, month);
  });

  test("a reading that cannot be read is a fault that names its entry: it is not left out of the bill", async () => {
    await assert.rejects(statementFor(from(tariff, { stream: id, type: "meter.reading", data: { imvu: id } }), imvu, "2026-11"), { code: "READING_MALFORMED", message: /entry 1/ });
    await assert.rejects(statementFor(from({ ...tariff, data: {} }), imvu, "2026-11"), { code: "TARIFF_MALFORMED", message: /entry 0/ });
  });
});
