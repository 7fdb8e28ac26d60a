import { isWithinZone } from "../../../kernel/index.ts";
import { askFabrics, combine } from "../ask.ts";
import { isSomeoneElses } from "../domain-names.ts";
import { defineGate, judgeParts } from "../gate.ts";
import { isApexProtected } from "../parts.ts";
import { subjectOf } from "../standing.ts";

/** Names and types only; the form of a value is judged by the domains room. */
export const dnsAuthority = defineGate({
  number: 4,
  title: "DNS authority scoping",
  rule: "an IMVU changes only the records it owns",
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
    "imvu.create": false,
    "imvu.scale": false,
    "imvu.exit": false,
    "imvu.import": true,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": false,
    "service.restart": false,
    "service.remove": false,
    "dns.set": true,
    "dns.remove": true,
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
    FOREIGN_NAME: { says: "the record's name is outside the IMVU's zone", hint: "use a name inside your own zone: 'nexus imvu show ID' names it" },
    APEX_PROTECTED: { says: "this type at the zone's apex is the platform's to serve", hint: "set it at a name under the apex; A, AAAA, MX, TXT and CAA may stand at the apex" },
  },
  decide(command, facts, answer) {
    if (command.op === "imvu.import") return judgeParts(4, facts, answer, ["FOREIGN_NAME", "APEX_PROTECTED"], "FOREIGN_NAME");
    if (command.op !== "dns.set" && command.op !== "dns.remove") return answer.pass();
    const { name, type } = command.params;
    const zone = subjectOf(command, facts)?.zone;
    if (zone === undefined || !isWithinZone(name, zone) || isSomeoneElses(name, command.imvu, facts)) {
      return answer.deny("FOREIGN_NAME", name, zone === undefined ? null : { within: zone });
    }
    return isApexProtected({ name, type }, zone) ? answer.deny("APEX_PROTECTED", { name, type }) : answer.pass();
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 4, imvu, ["domains"]));
  },
});
