import { isWithinZone } from "../../../kernel/index.ts";
import { askFabrics, broken, combine, holds, type Said } from "../ask.ts";
import { overlaps } from "../domain-names.ts";
import { defineGate } from "../gate.ts";
import type { Reality } from "../reality.ts";

export const domainOwnership = defineGate({
  number: 3,
  title: "domain ownership clarity",
  rule: "a domain is bound to exactly one IMVU",
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
    "platform.tariff.publish": false,
    "platform.payout.execute": false,
    "platform.payout.return": false,
    "platform.billing.set": false,
    "imvu.create": true,
    "imvu.scale": false,
    "imvu.exit": false,
    "imvu.import": true,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": false,
    "service.restart": false,
    "service.remove": false,
    "dns.set": false,
    "dns.remove": false,
    "mail.mailbox.create": false,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": false,
    "route.set": false,
    "route.remove": false,
    "consent.record": false,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": false,
    "imvu.snapshot.restore": false,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    DOMAIN_TAKEN: { says: "the domain, its parent or a name under it is bound to another IMVU", hint: "import it on a platform where the name is free, or ask its owner to release it" },
    ID_TAKEN: { says: "an IMVU of the bundle's id lives here already", hint: "import it on another platform; ids are kept, because proofs name them" },
    NO_PROOF_OF_CONTROL: { says: "the domain comes from outside this platform's suffix and nothing proves control of it", hint: "import a bundle whose zone lies under this platform's suffix: 'nexus status' names it" },
    ZONE_UNKNOWN: { says: "the zone to be bound is not known, or not the bundle's", hint: "try again; if it stays, 'nexus doctor'" },
  },
  decide(command, facts, answer) {
    const zone = facts.newZone;
    if (zone === null || (command.op === "imvu.import" && (zone !== command.params.zone || zone !== facts.bundle?.zone))) return answer.deny("ZONE_UNKNOWN", zone);
    // Whoever arrives under another's id would stand in his place.
    if (command.op === "imvu.import" && facts.zoneClaims.some((claim) => claim.imvu === command.params.sourceId)) return answer.deny("ID_TAKEN", command.params.sourceId);
    // Only the platform's own suffix is given away here; the suffix itself is nobody's.
    if (zone === facts.suffix || !isWithinZone(zone, facts.suffix)) return answer.deny("NO_PROOF_OF_CONTROL", zone, { under: facts.suffix });
    return facts.zoneClaims.some((claim) => overlaps(claim.zone, zone)) ? answer.deny("DOMAIN_TAKEN", zone) : answer.pass();
  },
  async probe(reality, imvu) {
    const said = await askFabrics(reality, 3, imvu, []);
    return combine([...said, await servedZonesHaveOwners(reality)]);
  },
});

/** The DNS server's own list against the log, both ways. */
async function servedZonesHaveOwners(reality: Reality): Promise<Said> {
  const [served, bound] = await Promise.all([reality.servedZones(), reality.boundZones()]);
  const ownerless = served.find((zone) => !bound.some((one) => one.zone === zone));
  if (ownerless !== undefined) return broken("dns server", `serves ${ownerless}, which no IMVU owns by the log`);
  const missing = bound.find((one) => !served.includes(one.zone));
  if (missing) return broken("dns server", `does not serve ${missing.zone} of ${missing.imvu}`);
  for (const [at, one] of bound.entries()) {
    const other = bound.slice(at + 1).find((later) => overlaps(later.zone, one.zone));
    if (other) return broken("log", `${one.zone} of ${one.imvu} and ${other.zone} of ${other.imvu} overlap`);
  }
  return holds("dns server", `serves ${served.length} zones, each with exactly one owner by the log`);
}
