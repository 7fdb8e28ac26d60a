import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ReadingSet } from "../contract/index.ts";
import { type Period, parsePeriod, Rating } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { imvuIdOf, parseTimeZone, type TimeZone, UTC } from "../kernel/index.ts";
import { type Opening, Openings } from "./openings.ts";

const id = imvuIdOf(7);
const HEAD = { index: 40, streamSeq: 12, sha256: "ab".repeat(32) };
let home: string;
let openings: Openings;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "nexus-openings-"));
  openings = new Openings(home);
});
after(() => rm(home, { recursive: true, force: true }));

function month(name: string): Period {
  const parsed = parsePeriod(name);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** The log has one entry of the stream that matters here: the head. */
function ledgerWith({ index, streamSeq, sha256 }: typeof HEAD): Pick<Ledger, "entries"> {
  return {
    async *entries({ from = 0, to = 0 } = {}) {
      if (from <= index && index < to) yield { index, streamSeq, leaf: Buffer.from(sha256, "hex"), type: "meter.reading" } as never;
    },
  };
}

function at(when: string, value: string): ReadingSet {
  return { imvu: id, at: when, readings: [{ resource: "dns.answers", value, boot: "b", epoch: "e" }] };
}

function openingOf(change: Partial<Opening> = {}): Opening {
  const rating = new Rating(month("2026-11"), UTC);
  rating.add(30, at("2026-11-05T00:00:00.000Z", "100"));
  rating.add(40, at("2026-12-01T00:00:01.000Z", "140"));
  return { imvu: id, timeZone: UTC, head: HEAD, rating: rating.stateFrom(month("2026-12")), ...change };
}

const begin = async (name = "2026-12", { zone = UTC, head = HEAD }: { zone?: TimeZone; head?: typeof HEAD } = {}) => await openings.begin(ledgerWith(head), id, month(name), { timeZone: zone });
const pathOf = () => join(home, "openings", `${id}.json`);

test("a month goes on from where the one before it ended, and comes to the same as from the first reading", async () => {
  await openings.write(openingOf());
  const begun = await begin();
  assert.deepEqual([begun.next, begun.head], [41, { streamSeq: HEAD.streamSeq, sha256: HEAD.sha256 }]);
  const whole = new Rating(month("2026-12"));
  whole.add(30, at("2026-11-05T00:00:00.000Z", "100"));
  whole.add(40, at("2026-12-01T00:00:01.000Z", "140"));
  for (const rating of [whole, begun.rating]) rating.add(50, at("2026-12-02T00:00:00.000Z", "170"));
  assert.deepEqual(begun.rating.rated(month("2026-12")), whole.rated(month("2026-12")));
  assert.equal(begun.rating.rated(month("2026-12")).quantities["dns.answers"], 70n);
  assert.equal((await begin("2027-03")).next, 41, "also where months between are not closed yet");
  assert.deepEqual([(await stat(pathOf())).mode & 0o777, (await stat(join(home, "openings"))).mode & 0o777], [0o600, 0o700]);
});

test("what is missing, damaged, of another unit, zone, version or log, or of a later month is passed over", async () => {
  const zone = parseTimeZone("Asia/Kolkata");
  assert.ok(zone.ok);
  const anew = async (what: string, ...args: Parameters<typeof begin>) => {
    const begun = await begin(...args);
    assert.deepEqual([begun.next, begun.head], [0, null], what);
    begun.rating.add(0, at("2026-12-05T00:00:00.000Z", "9"));
    assert.equal(begun.rating.rated(month("2026-12")).quantities["dns.answers"], 9n, what);
  };
  await openings.write(openingOf());
  assert.equal((await begin()).next, 41);
  await anew("an earlier month", "2026-11");
  await anew("another clock", "2026-12", { zone: zone.value });
  for (const [what, change] of Object.entries({ streamSeq: { streamSeq: 13 }, leaf: { sha256: "ac".repeat(32) }, place: { index: 41 } })) await anew(`another log: ${what}`, "2026-12", { head: { ...HEAD, ...change } });
  const good = await readFile(pathOf(), "utf8");
  const [, text] = good.split("\n") as [string, string];
  const signed = (other: string) => `${createHash("sha256").update(other).digest("hex")}\n${other}\n`;
  assert.equal(signed(text), good);
  for (const [what, file] of Object.entries({
    empty: "", half: good.slice(0, good.length / 2), "without its end": good.slice(0, -1), "one digit": good.replace('"140"', '"141"'), "something behind": `${good}\n`, "no JSON": "x\ny\n",
    "another version": signed(text.replace('"v":1', '"v":2')), "another unit": signed(text.replace('"IMVU-007"', '"IMVU-008"')),
  })) {
    assert.notEqual(file, good, what);
    await writeFile(pathOf(), file);
    await anew(what);
  }
  await rm(pathOf());
  await anew("none");
});
