import { askFabrics, combine } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { subjectOf } from "../standing.ts";

export const jurisdictionTagging = defineGate({
  number: 9,
  title: "jurisdiction tagging",
  rule: "data stays where the IMVU declared",
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
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": true,
    "imvu.snapshot.restore": true,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    WRONG_JURISDICTION: { says: "the node does not stand in the IMVU's jurisdiction", hint: "choose one that 'nexus status' lists for the node" },
    JURISDICTION_UNKNOWN: { says: "the IMVU's or the node's jurisdiction is not known", hint: "'nexus doctor' shows how the node is tagged" },
  },
  decide(command, facts, answer) {
    const declared = command.op === "imvu.create" || command.op === "imvu.import" ? command.params.jurisdiction : subjectOf(command, facts)?.jurisdiction;
    if (declared === undefined || facts.node === null) return answer.deny("JURISDICTION_UNKNOWN");
    return facts.node.jurisdictions.includes(declared) ? answer.pass() : answer.deny("WRONG_JURISDICTION", declared, facts.node.jurisdictions);
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 9, imvu, ["compute"]));
  },
});
