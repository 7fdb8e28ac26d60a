import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { PayoutMade } from "../../src/core/handshake/index.ts";
import { type Json, run } from "../../src/kernel/index.ts";
import { verifyExport } from "../../src/verify/index.ts";
import { type Dishonesty, SyntheticWorld } from "./synthetic-world.ts";

let scratch = "";
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-payouts-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

/** What both verifiers say of a bundle whose unit was paid: ours, and the one that shares no code with it. */
async function said(payouts: NonNullable<Dishonesty["payouts"]>): Promise<{ readonly ours: readonly string[]; readonly stranger: string }> {
  const dir = join(await mkdtemp(join(scratch, "world-")), "bundle");
  await new SyntheticWorld({ payouts }).writeBundle(dir, "// nothing\n");
  const { failures } = await verifyExport(dir);
  const ran = await run(["python3", "-B", "-I", join(import.meta.dirname, "stranger.py"), "--bundle", dir]);
  assert.equal(ran.stderr, "", "a stranger's verifier does not stumble");
  return { ours: failures.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`), stranger: ran.stdout.toString("utf8").trim() };
}

test("a unit that was paid, got it back, and was paid again verifies by both", async () => {
  const { ours, stranger } = await said({});
  assert.deepEqual(ours, []);
  assert.match(stranger, /^entries \d+ · commands \d+/);
});

const change = (to: (made: PayoutMade) => object) => ({ made: (made: PayoutMade): Json => ({ ...made, ...to(made) }) as unknown as Json });
const LIES: Readonly<Record<string, readonly [NonNullable<Dishonesty["payouts"]>, RegExp, RegExp]>> = {
  "a cent more than is owed": [change(({ amount }) => ({ amount: amount.replace(/\d$/, (last) => String((Number(last) + 1) % 10)) })), /payout\.created\) IMVU-042-1 amount/, /payout\.created\): expected/],
  "less than is owed": [change(() => ({ amount: "0.01" })), /IMVU-042-1 amount/, /payout\.created\): expected/],
  "another account": [change(({ account }) => ({ account: { ...account, iban: "GB29NWBK60161331926819" } })), /account\.iban/, /payout\.created\): expected/],
  "another owner's word": [change(() => ({ command: "ab".repeat(32) })), /IMVU-042-1 command/, /payout\.created\): expected/],
  "another number": [change(() => ({ number: 7 })), /IMVU-042-1 number/, /payout\.created\): expected/],
  "a currency in which nothing is owed": [change(() => ({ currency: "USD" })), /nothing is owed/, /nothing is owed/],
  "a statement that it does not reckon": [change(({ covers }) => ({ covers: covers - 1 })), /IMVU-042-1 covers/, /payout\.created\): expected/],
  "a field for a fee": [change(() => ({ fee: "0.01" })), /IMVU-042-1 fee/, /payout\.created\): expected/],
  "an account that was withdrawn": [{ lie: "withdrawn" }, /no account/, /no account was named/],
  "an execution twice": [{ lie: "twice" }, /IMVU-042-1 is executed/, /does not follow/],
  "an operator whom nobody knows": [{ lie: "nobody" }, /signatures by keys that are known/, /nobody's key/],
  "another reference than was ordered": [{ settled: (data) => ({ ...data, ...(data.reference === undefined ? {} : { reference: "bank-18" }) }) as unknown as Json }, /payout\.executed\) reference/, /says something else/],
  "an order of another payout": [{ settled: (data) => ({ ...data, id: "IMVU-042-2" }) as unknown as Json }, /payout\.executed\) id/, /says something else/],
  "an order that was altered": [{ settled: (data) => ({ ...data, order: { ...data.order, payload: `${data.order.payload.slice(0, -4)}AAAA` } }) as unknown as Json }, /the operators' command that says so/, /payout\.executed\): /],
  "a signature that is none": [{ settled: (data) => ({ ...data, order: { ...data.order, signatures: data.order.signatures.map((one) => ({ ...one, signature: `${"A".repeat(80)}${one.signature.slice(80)}` })) } }) as unknown as Json }, /signatures by keys that are known/, /a false signature/],
};
for (const [what, [lie, ours, stranger]] of Object.entries(LIES))
  test(`both name it: ${what}`, async () => {
    const verdict = await said(lie);
    assert.match(verdict.ours[0] ?? "nothing", ours);
    assert.match(verdict.stranger, new RegExp(`^WRONG: .*${stranger.source}`));
  });
