import type { DomainsDesired, Step } from "../contract/index.ts";
import type { Fqdn, ImvuId } from "../kernel/index.ts";
import { linesOf } from "./records/presentation.ts";
import type { DomainsState, ZoneState } from "./state.ts";

/** What the steps do; the authority implements it on the DNS server. */
export interface ZoneHands {
  /** Adds a zone with its platform records, or finds it; served and signed when it resolves. */
  addZone(zone: Fqdn): Promise<void>;
  removeZone(zone: string): Promise<void>;
  /** Replaces the differing record sets in one transaction. */
  setLines(zone: string, from: readonly string[], to: readonly string[]): Promise<void>;
  /** Puts the zone's DS into the parent, and takes them out. */
  delegate(zone: string): Promise<void>;
  undelegate(zone: string): Promise<void>;
}

/** Pure: zone, records, delegation – in this order, so that nothing is announced before it answers. */
export function planZones(hands: ZoneHands, _imvu: ImvuId, desired: DomainsDesired | undefined, observed: DomainsState): readonly Step[] {
  const steps: Step[] = [];
  for (const old of observed.zones) if (old.zone !== desired?.zone) steps.push(removal(hands, old));
  if (!desired) return steps;
  const { zone } = desired;
  const known = observed.zones.find((one) => one.zone === zone);
  const before = known?.lines ?? [];
  const after = linesOf(desired.records);
  if (!known) steps.push({ key: `domains/zone/${zone}`, sentence: `serve and sign the zone ${zone}`, do: () => hands.addZone(zone), undo: () => hands.removeZone(zone) });
  if (!equal(before, after)) {
    const changed = after.filter((line) => !before.includes(line)).length + before.filter((line) => !after.includes(line)).length;
    steps.push({
      key: `domains/records/${zone}`,
      sentence: known ? `change ${changed} ${changed === 1 ? "record" : "records"} of ${zone}` : `set ${after.length} records of ${zone}`,
      do: () => hands.setLines(zone, before, after),
      undo: () => (known ? hands.setLines(zone, after, before) : Promise.resolve()),
    });
  }
  if (!known?.delegated) steps.push({ key: `domains/delegation/${zone}`, sentence: `put the DS of ${zone} into its parent`, do: () => hands.delegate(zone), undo: () => (known ? Promise.resolve() : hands.undelegate(zone)) });
  return steps;
}

function removal(hands: ZoneHands, { zone, lines }: ZoneState): Step {
  return {
    key: `domains/remove/${zone}`,
    sentence: `stop serving ${zone}`,
    do: async () => {
      await hands.undelegate(zone);
      await hands.removeZone(zone);
    },
    undo: async () => {
      await hands.addZone(zone as Fqdn);
      await hands.setLines(zone, [], lines);
      await hands.delegate(zone);
    },
  };
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at]);
}
