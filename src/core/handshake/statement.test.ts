import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIRST_RESOURCES, type Reading, RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, imvuIdOf, MONEY_DECIMALS, PRICE_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { DEFAULT_PRICES_V1, FLAGS_MAX, parsePeriod, parseTariff, statement, type Tariff, tariffInForce } from "./index.ts";
import { amountOf, usageLines } from "./usage-lines.ts";

const imvu = imvuIdOf(7);
const tariff: Tariff = { v: 1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 };
const parsed = parsePeriod("2026-11");
assert.ok(parsed.ok);
const period = parsed.value;

function readingsOf(values: Partial<Record<Resource, bigint>>, at: string, index: number) {
  const readings = Object.entries(values).map(([resource, value]): Reading => ({ resource: resource as Resource, value: String(value), boot: "b", epoch: "e" }));
  return { index, set: { imvu, at, readings } };
}

test("a statement to the last unit", () => {
  const made = statement({
    imvu, period, tariff: { index: 4, tariff }, streamHead: null, closed: false,
    readings: [
      readingsOf({ "compute.cpu": 0n, "compute.memory": 3n, "network.out": 0n }, "2026-11-01T00:00:00.001Z", 10),
      readingsOf({ "compute.cpu": 3_600_000_000_001n, "compute.memory": 0n, "network.out": 1_500_000_000n }, "2026-11-01T01:00:00.002Z", 12),
    ],
  });
  const line = (resource: Resource) => made.lines.find((one) => one.resource === resource);
  assert.deepEqual(line("compute.cpu"), { resource: "compute.cpu", quantity: "3600.000000001", unit: "CPU-second", unitPrice: "0.000002000", amount: "0.007200000000002000000" });
  assert.deepEqual(line("compute.memory"), { resource: "compute.memory", quantity: "0.000010800003", unit: "GB-second", unitPrice: "0.000001000", amount: "0.000000000010800003000" });
  assert.equal(line("network.out")?.amount, "0.015000000000000000000");
  // What was told apart later has a line where it was used.
  assert.deepEqual(made.lines.map(({ resource }) => resource), FIRST_RESOURCES);
  assert.equal(made.gross, "0.022200000010802003000");
  assert.equal(made.platform, "0.009990000004860901350");
  assert.equal(made.creator, "0.012210000005941101650");
  assert.deepEqual(made.readings, { first: 10, last: 12, count: 2 });
  assert.equal(made.currency, "EUR");
  assert.equal(made.tariffIndex, 4);
});

test("property: amount = quantity × unit price and gross = creator + platform, exactly, in the decimal texts", () => {
  const values = fc.dictionary(fc.constantFrom(...(Object.keys(RESOURCES) as Resource[])), fc.bigInt({ min: 0n, max: 10n ** 24n }));
  const at = (text: string) => parseDecimal(text, MONEY_DECIMALS) as bigint;
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 2_000_000_000 }), (first, gap_ms) => {
      const begin = period.start_ms + 1;
      const made = statement({
        imvu, period, tariff: { index: 0, tariff }, streamHead: null, closed: true,
        readings: [begin, begin + gap_ms].map((at_ms, index) => readingsOf(first, new Date(at_ms).toISOString(), index)),
      });
      let gross = 0n;
      for (const { quantity, unitPrice, amount, resource } of made.lines) {
        const { decimals } = RESOURCES[resource];
        const product = (parseDecimal(quantity, decimals) as bigint) * (parseDecimal(unitPrice, PRICE_DECIMALS) as bigint);
        assert.equal(at(amount), product * 10n ** BigInt(MONEY_DECIMALS - PRICE_DECIMALS - decimals));
        assert.match(amount, /^\d+\.\d{21}$/);
        gross += at(amount);
      }
      assert.equal(at(made.gross), gross);
      assert.equal(at(made.creator) + at(made.platform), gross);
    }),
    { numRuns: 3_000 },
  );
});

test("amounts scale exactly for every number of decimals", () => {
  for (const decimals of [0, 9, 12]) {
    assert.equal(decimalText(amountOf(10n ** BigInt(decimals), decimals, "1.000000001"), MONEY_DECIMALS), "1.000000001000000000000");
  }
});

test("a reading of another IMVU never enters a statement", () => {
  const foreign = { index: 5, set: { imvu: imvuIdOf(8), at: "2026-11-02T00:00:00.000Z", readings: [] } };
  assert.throws(() => statement({ imvu, period, tariff: { index: 0, tariff }, streamHead: null, closed: false, readings: [foreign] }), /IMVU-008/);
});

const nothingUsed = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, 0n])) as Record<Resource, bigint>;

test("steps: what is used above one costs its price, and what is below keeps its own", () => {
  const steps = (used: bigint) =>
    usageLines({ ...nothingUsed, "dns.answers": used }, { prices: { ...DEFAULT_PRICES_V1, "dns.answers": "0.000000000" }, tiers: { "dns.answers": [{ above: "1000", price: "0.000000200" }, { above: "5000", price: "0.000000100" }] } });
  const of = (used: bigint) => steps(used).lines.filter(({ resource }) => resource === "dns.answers").map(({ above, quantity, unitPrice }) => [above, quantity, unitPrice]);
  assert.deepEqual(of(0n), [[undefined, "0", "0.000000000"]]);
  assert.deepEqual(of(1_000n), [[undefined, "1000", "0.000000000"]], "included to its last one");
  assert.deepEqual(of(1_001n), [[undefined, "1000", "0.000000000"], ["1000", "1", "0.000000200"]]);
  assert.deepEqual(of(7_000n), [[undefined, "1000", "0.000000000"], ["1000", "4000", "0.000000200"], ["5000", "2000", "0.000000100"]]);
  assert.equal(decimalText(steps(7_000n).usage, MONEY_DECIMALS), "0.001000000000000000000");
});

test("property: with any steps a month costs what its units cost one by one", () => {
  const price = fc.bigInt({ min: 0n, max: 10n ** 15n }).map((units) => decimalText(units, PRICE_DECIMALS));
  const tiers = fc.uniqueArray(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 4 }).chain((at) => fc.tuple(...at.sort((a, b) => a - b).map((above) => price.map((costs) => ({ above: String(above), price: costs })))));
  fc.assert(
    fc.property(price, tiers, fc.integer({ min: 0, max: 200 }), (first, steps, used) => {
      const priced = { prices: { ...DEFAULT_PRICES_V1, "mail.sent": first }, tiers: { "mail.sent": steps } };
      assert.ok(parseTariff({ ...tariff, v: 2, ...priced }).ok);
      const made = usageLines({ ...nothingUsed, "mail.sent": BigInt(used) }, priced);
      let naive = 0n;
      for (let unit = 1; unit <= used; unit += 1) naive += parseDecimal(steps.filter(({ above }) => unit > Number(above)).at(-1)?.price ?? first, MONEY_DECIMALS) as bigint;
      assert.equal(made.usage, naive);
      const mine = made.lines.filter(({ resource }) => resource === "mail.sent");
      assert.equal(mine.reduce((sum, { quantity }) => sum + Number(quantity), 0), used);
    }),
    { numRuns: 3_000 },
  );
});

test("however often a clock was set back, a statement names the first flags and counts them all", () => {
  const readings = Array.from({ length: 100 }, (_, at) => readingsOf({ "compute.cpu": BigInt(at) }, new Date(period.start_ms + 1_000_000 - at).toISOString(), at));
  const made = (form: 1 | 2 | 3) => statement({ imvu, period, tariff: { index: 0, tariff }, streamHead: null, closed: true, readings, form });
  assert.deepEqual([made(3).flags.map(({ index }) => index), made(3).flagged, made(3).v], [Array.from({ length: 16 }, (_, at) => at + 1), 99, 3]);
  assert.deepEqual([made(2).flags.length, made(2).flagged, made(2).v, made(1).v, made(1).usage], [99, undefined, 2, undefined, undefined]);
});

test("the longest statement fits an entry: every step of every price reached, huge figures, a fallen counter in every epoch", () => {
  const resources = Object.keys(RESOURCES) as Resource[];
  const tiers = Object.fromEntries(resources.map((resource) => [resource, [1n, 2n, 3n, 4n].map((at) => ({ above: decimalText(at * 10n ** 17n, RESOURCES[resource].decimals), price: "999999999.999999999" }))]));
  const priced = parseTariff({ v: 2, currency: "EUR", validFrom: tariff.validFrom, prices: DEFAULT_PRICES_V1, tiers });
  assert.ok(priced.ok);
  const readings = Array.from({ length: 120 }, (_, at) => ({
    index: 10 ** 9 + at,
    set: { imvu, at: new Date(period.start_ms + 1 + (at % 3) * 3_600_000).toISOString(), readings: resources.map((resource): Reading => ({ resource, value: String(10n ** 30n - BigInt(at % 3)), boot: "b".repeat(36), epoch: `${"e".repeat(40)}${Math.floor(at / 3)}` })) },
  }));
  const made = statement({ imvu, period, tariff: { index: 10 ** 9, tariff: priced.value }, streamHead: { streamSeq: 10 ** 9, sha256: "0".repeat(64) }, closed: true, readings });
  assert.equal(made.lines.length, resources.length * 5);
  assert.equal(made.flags.length, FLAGS_MAX);
  assert.ok(JSON.stringify(made).length < 30_000, `${JSON.stringify(made).length} of an entry's 32 KiB`);
});

test("bytes of a route class cost what the tariff says of them, and one that does not name them: what other bytes cost, step by step, counted on their own", () => {
  const { "network.private.in": _, "network.private.out": __, "network.restricted.in": ___, "network.restricted.out": ____, ...first } = DEFAULT_PRICES_V1;
  const steps = { "network.out": [{ above: "100.000000000", price: "0.005000000" }] };
  const gb = (many: number) => BigInt(many) * 10n ** 9n;
  const linesOf = (parsed: ReturnType<typeof parseTariff>) => {
    assert.ok(parsed.ok);
    const { lines } = usageLines({ ...nothingUsed, "network.out": gb(60), "network.restricted.out": gb(150) }, parsed.value);
    return lines.filter(({ quantity }) => !/^[0.]+$/.test(quantity)).map(({ resource, above, amount }) => [resource, above, amount.slice(0, -18)]);
  };
  const like = { v: 2, currency: "EUR", validFrom: tariff.validFrom, prices: first, tiers: steps };
  assert.deepEqual(linesOf(parseTariff(like)), [["network.out", undefined, "0.600"], ["network.restricted.out", undefined, "1.000"], ["network.restricted.out", "100.000000000", "0.250"]]);
  const own = { ...like, prices: { ...first, "network.restricted.out": "0.100000000" } };
  assert.deepEqual(linesOf(parseTariff(own)), [["network.out", undefined, "0.600"], ["network.restricted.out", undefined, "15.000"]]);
  assert.ok(!parseTariff({ ...like, tiers: { "network.restricted.out": steps["network.out"] } }).ok, "steps without a first price");
  const { "network.out": _____, ...lacking } = first;
  assert.ok(!parseTariff({ ...tariff, prices: lacking }).ok);
});

test("older forms name no gap", () => {
  const readings = [1, 3 * 3_600_000].map((at, index) => readingsOf({ "compute.cpu": 0n }, new Date(period.start_ms + at).toISOString(), index));
  const flags = (form: 1 | 2 | 3) => statement({ imvu, period, tariff: { index: 0, tariff }, streamHead: null, closed: true, readings, form }).flags.map(({ what }) => what);
  assert.deepEqual([flags(1), flags(2), flags(3)], [[], [], ["gap"]]);
});

test("tariff: steps are exact, rise, and are said by version 2 alone", () => {
  const step = { above: "1000", price: "0.000000100" };
  const withSteps = (tiers: unknown, v = 2) => parseTariff({ ...tariff, v, tiers }).ok;
  assert.ok(withSteps({ "dns.answers": [step, { ...step, above: "1001" }], "network.out": [{ ...step, above: "100.000000000" }] }));
  assert.equal(withSteps({ "dns.answers": [step] }, 1), false);
  assert.equal(parseTariff({ ...tariff, v: 2 }).ok, false);
  const four = Array.from({ length: 4 }, (_, at) => ({ ...step, above: String(at + 1) }));
  assert.ok(withSteps({ "dns.answers": four }));
  const wrong: unknown[] = [null, [], {}, "x", { fee: [step] }, { "dns.answers": [] }, { "dns.answers": step }, { "dns.answers": [null] }, { "dns.answers": [step, step] }, { "dns.answers": [{ ...step, above: "1001" }, step] }, { "dns.answers": [...four, { ...step, above: "9" }] }];
  for (const above of ["0", "-1", "1.0", "01", "1e3", "", 1000, null]) wrong.push({ "dns.answers": [{ ...step, above }] });
  for (const above of ["1", "1.0", "0.000000000"]) wrong.push({ "network.out": [{ ...step, above }] });
  for (const price of ["0.1", "-0.000000100", "", 0.1, "0.0000001000"]) wrong.push({ "dns.answers": [{ ...step, price }] });
  wrong.push({ "dns.answers": [{ ...step, fee: "1" }] });
  for (const tiers of wrong) assert.equal(withSteps(tiers), false, JSON.stringify(tiers));
});

test("tariff: complete, exact, and fixed for the month", () => {
  assert.equal(parseTariff(tariff).ok, true);
  const { "dns.answers": _, ...missing } = DEFAULT_PRICES_V1;
  for (const prices of [missing, { ...DEFAULT_PRICES_V1, "dns.answers": "0.1" }, { ...DEFAULT_PRICES_V1, "dns.answers": "-0.000000001" }, { ...DEFAULT_PRICES_V1, "dns.answers": 0.1 }, { ...DEFAULT_PRICES_V1, fee: "1.000000000" }]) {
    assert.equal(parseTariff({ ...tariff, prices }).ok, false, JSON.stringify(prices));
  }
  for (const wrong of [null, 3, { ...tariff, v: 2 }, { ...tariff, currency: "DEM" }, { ...tariff, validFrom: "soon" }, { ...tariff, prices: null }]) assert.equal(parseTariff(wrong).ok, false);
  assert.equal(parseTariff({ ...tariff, currency: "JPY" }).ok, true);
  const from = (index: number, validFrom: string) => ({ index, tariff: { ...tariff, validFrom } });
  const published = [from(9, "2026-11-15T00:00:00.000Z"), from(2, "2026-03-01T00:00:00.000Z"), from(6, "2026-11-01T00:00:00.000Z")];
  assert.equal(tariffInForce(period, published)?.index, 6);
  assert.equal(tariffInForce(period, [from(9, "2026-11-15T00:00:00.000Z")])?.index, 9);
  assert.equal(tariffInForce(period, []), undefined);
});
