import { FIRST_RESOURCES, type Op, type Reading, RESOURCES, type Resource } from "../../../contract/index.ts";
import type { ImvuId } from "../../../kernel/index.ts";
import { askFabrics, broken, combine, holds, type Said, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { isPayoutOrder, maySettle, PAYOUT_DENIALS, type PayoutCode } from "../payouts.ts";
import type { Reality } from "../reality.ts";
import { isRevenue, mayBook, REVENUE_DENIALS, type RevenueCode } from "../revenue.ts";
import { mayPublish, TARIFF_DENIALS, type TariffCode } from "../tariff-notice.ts";
import { isFounding, mayBudget, mayFound, TERMS_DENIALS, type TermsCode } from "../terms.ts";

const EVERY = Object.keys(RESOURCES) as Resource[];
const COMPUTE = FIRST_RESOURCES.filter((resource) => resource.startsWith("compute."));
const MAIL = FIRST_RESOURCES.filter((resource) => resource.startsWith("mail."));
const NETWORK = FIRST_RESOURCES.filter((resource) => resource.startsWith("network."));

/** Which meters must be attached before the op starts something billable. What was told apart later is counted with the one it was told apart from: commands from before are judged alike. */
const NEEDED: Partial<Record<Op, readonly Resource[]>> = {
  "imvu.create": FIRST_RESOURCES,
  "imvu.import": FIRST_RESOURCES,
  "imvu.scale": COMPUTE,
  "service.deploy": [...COMPUTE, ...NETWORK],
  "service.restart": [...COMPUTE, ...NETWORK],
  "imvu.snapshot.create": COMPUTE,
  "imvu.snapshot.restore": [...COMPUTE, ...NETWORK],
  "mail.mailbox.create": MAIL,
  "route.set": NETWORK,
};

/** No command of an IMVU has a field for usage, a price or a reading (a test holds the schemas to it): its people say what they sold, never what they used. */
export const revenueMetering = defineGate<"METER_MISSING" | TariffCode | TermsCode | RevenueCode | PayoutCode>({
  number: 6,
  title: "revenue metering",
  rule: "everything billable is metered by the infrastructure",
  appliesTo: {
    "identity.register": false,
    "identity.key.add": false,
    "identity.key.rotate": false,
    "identity.key.revoke": false,
    "identity.recovery.set": false,
    "identity.recovery.begin": false,
    "identity.recovery.object": false,
    "identity.recovery.complete": false,
    "platform.operator.add": false,
    "platform.operator.remove": false,
    "platform.erase": false,
    "platform.tariff.publish": true,
    "platform.payout.execute": true,
    "platform.payout.return": true,
    "platform.billing.set": false,
    "imvu.create": true,
    "imvu.scale": true,
    "imvu.exit": false,
    "imvu.import": true,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": true,
    "service.restart": true,
    "service.remove": false,
    "dns.set": false,
    "dns.remove": false,
    "mail.mailbox.create": true,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": false,
    "route.set": true,
    "route.remove": false,
    "consent.record": false,
    "revenue.record": true,
    "revenue.reverse": true,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": true,
    "imvu.snapshot.restore": true,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": true,
    "imvu.erase": false,
  },
  denials: {
    METER_MISSING: { says: "a resource would run without a meter", hint: "'nexus doctor' names the engine that does not answer; try again when it does" },
    ...TARIFF_DENIALS,
    ...TERMS_DENIALS,
    ...REVENUE_DENIALS,
    ...PAYOUT_DENIALS,
  },
  decide(command, facts, answer) {
    if (command.op === "platform.tariff.publish") return mayPublish(command.params, facts, answer);
    if (command.op === "imvu.budget.set") return mayBudget(command.params, facts, answer);
    if (isRevenue(command)) return mayBook(command, facts, answer);
    if (isPayoutOrder(command)) return maySettle(command, facts, answer);
    const attached = facts.meters;
    const missing = (NEEDED[command.op] ?? []).filter((resource) => attached === null || !attached.includes(resource));
    if (missing.length > 0) return answer.deny("METER_MISSING", missing, attached);
    return isFounding(command) ? mayFound(command, facts, answer) : answer.pass();
  },
  async probe(reality, imvu) {
    const said = [...(await askFabrics(reality, 6, imvu, []))];
    const imvus = imvu === undefined ? await reality.imvus() : [imvu];
    if (imvus.length === 0) said.push(unproven("meters", "no IMVU runs, so nothing is metered"));
    for (const one of imvus) said.push(await engineAgreesWithLog(reality, one));
    return combine(said);
  },
});

/** Engine, log, engine again: each recorded counter must lie between, and one that stood still must be equal to the unit. */
async function engineAgreesWithLog(reality: Reality, imvu: ImvuId): Promise<Said> {
  const before = await reality.readMeters(imvu);
  const recorded = await reality.recordMeters?.(imvu);
  const after = await reality.readMeters(imvu);
  const missing = EVERY.filter((resource) => !before.some((reading) => reading.resource === resource));
  if (missing.length > 0) return broken(imvu, `no meter for ${missing.join(", ")}`);
  if (recorded === undefined) return unproven(imvu, `${before.length} series answer, but no reading could be recorded to compare`);
  let compared = 0;
  for (const low of before.filter((reading) => RESOURCES[reading.resource].kind === "counter")) {
    const entry = recorded.readings.find((reading) => sameSeries(reading, low));
    const high = after.find((reading) => sameSeries(reading, low));
    // A series that ended meanwhile (a container restarted) has no second end to compare with.
    if (high === undefined) continue;
    if (entry === undefined) return broken(imvu, `${low.resource} is counted by the engine and absent from the log`);
    if (BigInt(entry.value) < BigInt(low.value) || BigInt(entry.value) > BigInt(high.value)) {
      return broken(imvu, `${low.resource}: the log says ${entry.value}, the engine ${low.value} before and ${high.value} after`);
    }
    compared += 1;
  }
  const cpu = after.filter((reading) => reading.resource === "compute.cpu");
  if (!cpu.some((reading) => BigInt(reading.value) > 0n)) return unproven(imvu, "the CPU counter has not moved yet");
  return compared > 0 ? holds(imvu, `${compared} counters in the log lie between two readings of their engines`) : unproven(imvu, "every counter restarted while it was compared");
}

function sameSeries(a: Reading, b: Reading): boolean {
  return a.resource === b.resource && a.boot === b.boot && a.epoch === b.epoch;
}
