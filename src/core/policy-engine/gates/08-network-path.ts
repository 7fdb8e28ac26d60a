import { isWithinZone } from "../../../kernel/index.ts";
import { askFabrics, combine } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { subjectOf } from "../standing.ts";

export const networkPath = defineGate({
  number: 8,
  title: "network path governance",
  rule: "traffic follows the IMVU's own policy",
  appliesTo: {
    "identity.register": false,
    "imvu.create": false,
    "imvu.scale": false,
    "imvu.exit": false,
    "imvu.import": false,
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
  },
  denials: {
    FOREIGN_HOST: { says: "the route's host is outside the IMVU's zone", hint: "route a host inside your own zone: 'nexus imvu show ID' names it" },
    NOT_A_HOST: { says: "the route's host is no host name: a wildcard or an underscore cannot be served", hint: "route each host by its name" },
    SERVICE_UNKNOWN: { says: "the IMVU has no such service", hint: "deploy it first, or name one that 'nexus service list --imvu-id ID' shows" },
    ROLE_MISSING: { says: "a restricted route needs the least role that may pass", hint: "add '--role owner', maintainer, billing or viewer" },
    ROLE_UNUSED: { says: "only a restricted route has a role", hint: "leave '--role' out, or say '--class restricted'" },
  },
  decide(command, facts, answer) {
    if (command.op !== "route.set") return answer.pass();
    const imvu = subjectOf(command, facts);
    const { host, service, role } = command.params;
    if (imvu === null || !isWithinZone(host, imvu.zone)) return answer.deny("FOREIGN_HOST", host, imvu && { within: imvu.zone });
    if (host.includes("*") || host.includes("_")) return answer.deny("NOT_A_HOST", host);
    if (!imvu.named.service) return answer.deny("SERVICE_UNKNOWN", service);
    if (command.params.class === "restricted") return role === null ? answer.deny("ROLE_MISSING") : answer.pass();
    return role === null ? answer.pass() : answer.deny("ROLE_UNUSED", role);
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 8, imvu, ["network"]));
  },
});
