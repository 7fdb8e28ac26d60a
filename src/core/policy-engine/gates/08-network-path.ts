import { askFabrics, combine } from "../ask.ts";
import { defineGate, judgeParts } from "../gate.ts";
import { type RouteFlaw, routeFlaw } from "../parts.ts";
import { subjectOf } from "../standing.ts";

const FLAWS: readonly RouteFlaw[] = ["FOREIGN_HOST", "NOT_A_HOST", "SERVICE_UNKNOWN", "ROLE_MISSING", "ROLE_UNUSED"];

export const networkPath = defineGate({
  number: 8,
  title: "network path governance",
  rule: "traffic follows the IMVU's own policy",
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
    "dns.set": false,
    "dns.remove": false,
    "mail.mailbox.create": false,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": false,
    "route.set": true,
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
    FOREIGN_HOST: { says: "the route's host is outside the IMVU's zone", hint: "route a host inside your own zone: 'nexus imvu show ID' names it" },
    NOT_A_HOST: { says: "the route's host is no host name: a wildcard or an underscore cannot be served", hint: "route each host by its name" },
    SERVICE_UNKNOWN: { says: "the IMVU has no such service", hint: "deploy it first, or name one that 'nexus service list --imvu-id ID' shows" },
    ROLE_MISSING: { says: "a restricted route needs the least role that may pass", hint: "add '--role owner', maintainer, billing or viewer" },
    ROLE_UNUSED: { says: "only a restricted route has a role", hint: "leave '--role' out, or say '--class restricted'" },
  },
  decide(command, facts, answer) {
    if (command.op === "imvu.import") return judgeParts(8, facts, answer, FLAWS, "FOREIGN_HOST");
    if (command.op !== "route.set") return answer.pass();
    const imvu = subjectOf(command, facts);
    const { host, service, role } = command.params;
    if (imvu === null) return answer.deny("FOREIGN_HOST", host, null);
    const flaw = routeFlaw(command.params, imvu.zone, imvu.named.service);
    switch (flaw) {
      case undefined:
        return answer.pass();
      case "FOREIGN_HOST":
        return answer.deny(flaw, host, { within: imvu.zone });
      case "NOT_A_HOST":
        return answer.deny(flaw, host);
      case "SERVICE_UNKNOWN":
        return answer.deny(flaw, service);
      default:
        return answer.deny(flaw, role);
    }
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 8, imvu, ["network"]));
  },
});
