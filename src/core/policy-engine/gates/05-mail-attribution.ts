import { askFabrics, combine } from "../ask.ts";
import { defineGate, judgeParts } from "../gate.ts";
import { domainOf } from "../parts.ts";
import { subjectOf } from "../standing.ts";

export const mailAttribution = defineGate({
  number: 5,
  title: "mail attribution",
  rule: "every message is traceable to identity and IMVU",
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
    "mail.mailbox.create": true,
    "mail.mailbox.password": true,
    "mail.mailbox.remove": true,
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
    FOREIGN_DOMAIN: { says: "the mailbox is not in the IMVU's own mail domain", hint: "use an address at your own zone: 'nexus imvu show ID' names it" },
    ADDRESS_BOUND: { says: "the address is bound to a mailbox already", hint: "choose another address, or change its password: 'nexus mail mailbox password --imvu-id ID'" },
    ZONE_UNKNOWN: { says: "the domain of the first mailbox is not known", hint: "try again; if it stays, 'nexus doctor'" },
  },
  decide(command, facts, answer) {
    switch (command.op) {
      case "imvu.import":
        return judgeParts(5, facts, answer, ["FOREIGN_DOMAIN", "ADDRESS_BOUND", "ZONE_UNKNOWN"], "ZONE_UNKNOWN");
      case "imvu.create":
        // The first mailbox is made at the new zone by the platform itself.
        return facts.newZone === null ? answer.deny("ZONE_UNKNOWN") : answer.pass();
      case "mail.mailbox.create":
      case "mail.mailbox.password":
      case "mail.mailbox.remove": {
        const imvu = subjectOf(command, facts);
        const { address } = command.params;
        if (imvu === null || domainOf(address) !== imvu.zone) return answer.deny("FOREIGN_DOMAIN", address, imvu && { domain: imvu.zone });
        // Two mailboxes of one address: nobody could say who sent.
        return command.op === "mail.mailbox.create" && imvu.named.mailbox ? answer.deny("ADDRESS_BOUND", address) : answer.pass();
      }
      default:
        return answer.pass();
    }
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 5, imvu, ["mail"]));
  },
});
