import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fabric, Imvu, NewEntry, ReadingSet } from "../contract/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { type ImvuId, imvuIdOf, type Json, togetherOf } from "../kernel/index.ts";
import { Meters } from "./meters.ts";

type Within = (tx: unknown, appended: readonly { index: number }[]) => Promise<void>;

/** A ledger that keeps each set, after `hold` has let it. */
function book(hold: (stream: string) => Promise<void> = async () => {}) {
  const sets: ReadingSet[] = [];
  const ledger = {
    append: async (entries: readonly NewEntry[], within: Within) => {
      for (const { stream } of entries) await hold(stream);
      const appended = entries.map(({ data }) => ({ index: sets.push(data as unknown as ReadingSet) - 1 }));
      await within({ named: async () => {} }, appended);
      return appended;
    },
  } as unknown as Ledger;
  return { ledger, sets };
}

const unitsOf = (count: number) => Array.from({ length: count }, (_, at) => ({ id: imvuIdOf(at + 1), number: at + 1 }) as Imvu);
const fabric = (levelOf: (imvu: ImvuId) => Promise<string>) => ({ meter: async (imvu: ImvuId) => [{ resource: "compute.cpu", value: await levelOf(imvu), boot: "b", epoch: "e" }] }) as unknown as Fabric<unknown, Json>;

describe("a round over many units", () => {
  test("asks about all in one turn, so that an engine is asked once", async () => {
    const { ledger, sets } = book();
    const asked: (readonly string[])[] = [];
    const levelOf = togetherOf(async (ids: readonly string[]) => {
      asked.push(ids);
      return new Map(ids.map((id) => [id, "1"]));
    });
    const units = unitsOf(100);
    await new Meters([fabric(async (id) => (await levelOf(id)) as string)], ledger, { now: () => 0 }).round(units, assert.fail);
    assert.deepEqual(asked, [units.map(({ id }) => id)]);
    assert.deepEqual(sets.map(({ imvu }) => imvu), units.map(({ id }) => id));
  });

  test("does not write a set behind one that somebody had read and recorded meanwhile: the clock did not go back", async () => {
    let now = 0;
    const waiting: (() => void)[] = [];
    const units = unitsOf(17);
    const last = units.at(-1)?.id as ImvuId;
    // Sixteen are written at once; the last one's set is read and waits behind them.
    const { ledger, sets } = book(async (stream) => {
      if (stream !== last) await new Promise<void>((resolve) => waiting.push(resolve));
    });
    const meters = new Meters([fabric(async () => "1")], ledger, { now: () => now });
    const round = meters.round(units, assert.fail);
    while (waiting.length < 16) await new Promise(setImmediate);
    now = 60_000;
    await meters.record(last);
    for (const go of waiting) go();
    await round;
    assert.deepEqual(sets.filter(({ imvu }) => imvu === last).map(({ at }) => at), ["1970-01-01T00:01:00.000Z"]);
    assert.equal(sets.length, units.length);
  });
});

describe("a counter that falls in its epoch", () => {
  const id = imvuIdOf(1);
  const world = (log?: ReadingSet) => {
    const entries: NewEntry[] = [];
    const rows: unknown[][] = [];
    const told: string[] = [];
    let value = "7";
    const ledger = {
      append: async (news: readonly NewEntry[], within: Within) => {
        const placed = news.map((entry) => ({ index: entries.push(entry) - 1, time: "now" }));
        await within({ named: async () => {}, run: async (_sql: string, values: unknown[]) => void rows.push(values) }, placed);
        return placed;
      },
    } as unknown as Ledger;
    const meters = new Meters([fabric(async () => value)], ledger, { now: () => entries.length }, { newest: async () => log, onDrift: (imvu) => void told.push(imvu) });
    const read = async (says: string) => {
      value = says;
      return await meters.record(id);
    };
    return { read, entries, rows, told };
  };
  const kinds = (entries: readonly NewEntry[]) => entries.map(({ type }) => type);

  test("is a drift behind its reading, in the log, the table and the owner's mailbox; one that grows or stands is none", async () => {
    const { read, entries, rows, told } = world();
    for (const value of ["7", "9", "9", "10"]) await read(value);
    assert.deepEqual([kinds(entries), told], [["meter.reading", "meter.reading", "meter.reading", "meter.reading"], []]);
    const { index } = await read("9");
    assert.deepEqual([index, kinds(entries).slice(4)], [4, ["meter.reading", "drift.found"]]);
    const { data } = entries[5] as { data: Record<string, Json> };
    assert.deepEqual(data, { v: 1, imvu: id, what: "counter-fell", at: data.at, series: "compute.cpu boot b epoch e", was: "10", now: "9" });
    assert.deepEqual([rows.map(([at, imvu]) => [at, imvu]), told], [[[5, id]], [id]]);
    await read("9");
    assert.equal(entries.length, 7, "told once");
  });

  test("is one too where it fell while nobody read it, and another epoch is none", async () => {
    const set = (value: string, epoch = "e"): ReadingSet => ({ imvu: id, at: "1969-12-31T00:00:00.000Z", readings: [{ resource: "compute.cpu", value, boot: "b", epoch }] });
    for (const [log, found] of [[set("8"), 1], [set("7"), 0], [set("8", "another"), 0]] as const) {
      const { read, entries } = world(log);
      await read("7");
      assert.equal(kinds(entries).filter((type) => type === "drift.found").length, found);
    }
  });
});
