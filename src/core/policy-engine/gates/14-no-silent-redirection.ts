import { askFabrics, combine } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { mayDo } from "../standing.ts";

export const noSilentRedirection = defineGate({
  number: 14,
  title: "no silent redirection",
  rule: "traffic is not redirected behind the owner's back",
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
    "imvu.import": false,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": false,
    "service.restart": false,
    "service.remove": true,
    "dns.set": true,
    "dns.remove": true,
    "mail.mailbox.create": true,
    "mail.mailbox.password": true,
    "mail.mailbox.remove": true,
    "route.set": true,
    "route.remove": true,
    "consent.record": false,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": true,
    "imvu.billing.set": false,
    "imvu.snapshot.create": false,
    "imvu.snapshot.restore": false,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    NOT_THE_OWNERS_WILL: { says: "names, routes, mail and where money goes change only by a member with that right, or with the owner's approval", hint: "ask the owner to sign this command" },
  },
  decide(command, facts, answer) {
    return mayDo(command, facts) ? answer.pass() : answer.deny("NOT_THE_OWNERS_WILL");
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 14, imvu, ["domains", "network"]));
  },
});
