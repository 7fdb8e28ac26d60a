import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryType, ReadingSet } from "../contract/index.ts";
import { DEFAULT_PRICES_V1, parsePeriod, parseTariff, type Period, type Statement, statement, TARIFF_V1 } from "../core/handshake/index.ts";
import { imvuIdOf, type Json, sha256 } from "../kernel/index.ts";
import { Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";
import { StatementCheck } from "./statements.ts";

const imvu = imvuIdOf(7);
const TARIFF = { v: TARIFF_V1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } as unknown as Json;

function month(name: string): Period {
  const parsed = parsePeriod(name);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** A unit's stream that is written as it goes: what a statement says is made anew from all readings before it. */
class Stream {
  readonly entries: Entry[] = [];
  private readonly readings: { index: number; set: ReadingSet }[] = [];

  read(at: string, answers: number, level: number): void {
    const readings = [{ resource: "dns.answers", value: String(answers), boot: "b", epoch: "e" }, { resource: "compute.memory", value: String(level), boot: "b", epoch: "e" }] as const;
    const set: ReadingSet = { imvu, at, readings };
    this.readings.push({ index: this.add("meter.reading", set as unknown as Json, at), set });
  }

  /** @param known how many of the last entries it does not know */
  draw(name: string, at: string, { unknown = 0, change = {} }: { unknown?: number; change?: Partial<Statement> } = {}): void {
    const head = this.entries.at(-1 - unknown) as Entry;
    const period = month(name);
    const tariff = parseTariff(TARIFF);
    assert.ok(tariff.ok);
    const made = statement({ imvu, period, tariff: { index: 1, tariff: tariff.value }, streamHead: { streamSeq: head.body.streamSeq, sha256: head.leaf.toString("hex") }, closed: Date.parse(at) >= period.end_ms, readings: this.readings.filter(({ index }) => index <= head.index) });
    this.add("statement.closed", { ...made, ...change } as unknown as Json, at);
  }

  checked(): { readonly failures: readonly { readonly expected: string }[]; readonly good: number } {
    const failures = new Failures();
    const check = new StatementCheck(imvu, failures);
    check.learnTariff({ index: 1, body: { data: TARIFF, time: "2025-11-01T00:00:00.000Z", type: "platform.tariff" } } as unknown as Entry);
    const drawn = (entry: Entry) => entry.body.type === "statement.closed";
    for (const entry of this.entries) if (drawn(entry)) check.expect(entry);
    for (const entry of this.entries) {
      check.follow(entry);
      if (drawn(entry)) check.check(entry);
    }
    return { failures: failures.list, good: check.statements.good };
  }

  private add(type: EntryType, data: Json, time: string): number {
    const index = 10 + 3 * this.entries.length;
    this.entries.push({ index, text: "", leaf: sha256(String(index)), body: { v: 1, stream: imvu, streamSeq: this.entries.length, prev: "", time, type, actor: "platform", data, salt: "" } });
    return index;
  }
}

/** Each statement at an entry of its own: right behind a reading, with others between, later months before earlier ones. */
function year(): Stream {
  const stream = new Stream();
  let answers = 0;
  const read = (at: string) => {
    answers += 7;
    stream.read(at, answers, answers % 5);
  };
  read("2026-09-10T00:00:00.000Z");
  read("2026-10-03T00:00:00.000Z");
  stream.draw("2026-10", "2026-10-04T00:00:00.000Z");
  read("2026-10-20T00:00:00.000Z");
  stream.draw("2026-09", "2026-10-21T00:00:00.000Z", { unknown: 1 });
  read("2026-11-02T00:00:00.000Z");
  read("2026-11-05T00:00:00.000Z");
  stream.draw("2026-10", "2026-11-06T00:00:00.000Z");
  read("2026-12-24T00:00:00.000Z");
  read("2027-01-02T00:00:00.000Z");
  stream.draw("2026-11", "2027-01-03T00:00:00.000Z");
  stream.draw("2026-12", "2027-01-03T00:00:00.000Z");
  read("2027-01-04T00:00:00.000Z");
  return stream;
}

test("statements of many months are made again from one walk over the readings, each from those up to the entry that it knew last", () => {
  assert.deepEqual(year().checked(), { failures: [], good: 5 });
});

test("a statement that leaves out a reading, or that knows one more, is named", () => {
  for (const change of [{ readings: { first: 10, last: 13, count: 1 } }, { gross: "0.000000000000000000001" }] as const) {
    const stream = year();
    stream.read("2027-02-02T00:00:00.000Z", 10_000, 1);
    stream.draw("2027-01", "2027-02-03T00:00:00.000Z", { change });
    const { failures, good } = stream.checked();
    assert.deepEqual([failures.length, good], [1, 5], JSON.stringify(change));
  }
  const late = year();
  late.read("2027-02-02T00:00:00.000Z", 10_000, 1);
  late.draw("2027-01", "2027-02-03T00:00:00.000Z", { unknown: 1 });
  assert.deepEqual(late.checked().failures.map(({ expected }) => expected), ["every reading up to the period's end and the first after it"]);
});
