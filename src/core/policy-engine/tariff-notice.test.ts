import assert from "node:assert/strict";
import { test } from "node:test";
import type { Params } from "../../contract/index.ts";
import { factsFor, GOOD, opened } from "./gate.fixture.ts";
import { mayPublish } from "./tariff-notice.ts";

const answer = { pass: () => ({ gate: 6, verdict: "pass" }) as const, deny: (code: string) => ({ gate: 6, verdict: "deny", code }) as const };
const said = (validFrom: string, now_ms: number, tariffs: { published: boolean } | null | undefined) => {
  const facts = { ...factsFor(opened("platform.tariff.publish")), now_ms, tariffs };
  const { code = "pass" } = mayPublish({ ...(GOOD["platform.tariff.publish"] as Params<"platform.tariff.publish">), validFrom }, facts, answer) as { code?: string };
  return code;
};
const DECEMBER = "2026-12-01T00:00:00.000Z";
const DAYS_30 = 30 * 24 * 3_600_000;

test("thirty days before the month begins on the clock that is furthest ahead, to the millisecond", () => {
  const last = Date.parse(DECEMBER) - 14 * 3_600_000 - DAYS_30;
  assert.deepEqual([said(DECEMBER, last, { published: true }), said(DECEMBER, last + 1, { published: true })], ["pass", "TARIFF_TOO_SOON"]);
});

test("commands from before units had clocks of their own stay good by UTC", () => {
  const last = Date.parse(DECEMBER) - DAYS_30;
  assert.deepEqual([said(DECEMBER, last, undefined), said(DECEMBER, last + 1, undefined)], ["pass", "TARIFF_TOO_SOON"]);
});

test("the first of a currency holds from the present month on, and never for the past; what is not known is not published", () => {
  const last = Date.parse("2027-01-01T00:00:00.000Z") - 1;
  assert.deepEqual([said(DECEMBER, last, { published: false }), said(DECEMBER, last + 1, { published: false }), said(DECEMBER, 0, null)], ["pass", "TARIFF_TOO_SOON", "TARIFFS_UNKNOWN"]);
});
