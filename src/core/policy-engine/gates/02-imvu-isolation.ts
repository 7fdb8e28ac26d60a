import { askFabrics, combine } from "../ask.ts";
import { isSomeoneElses } from "../domain-names.ts";
import { defineGate, judgeParts } from "../gate.ts";
import { isFromRegistry } from "../parts.ts";

/**
 * A command has no field for a host path, a device, a capability or a host network: the schema is the first half of this gate.
 * What is left are names that could reach into a neighbour.
 */
export const imvuIsolation = defineGate({
  number: 2,
  title: "IMVU isolation",
  rule: "no IMVU reaches another's compute or network",
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
    "service.deploy": true,
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
    LOCAL_IMAGE: {
      says: "the image is named by this machine's own store or an inside address, which other IMVUs share",
      hint: "name a registry (docker.io/library/nginx:1.27), or bring the image yourself: 'nexus deploy --oci FILE.tar'",
    },
    FOREIGN_HOST: { says: "the route's host belongs to another IMVU", hint: "route a host inside your own zone: 'nexus imvu show ID' names it" },
  },
  decide(command, facts, answer) {
    if (command.op === "imvu.import") return judgeParts(2, facts, answer, ["LOCAL_IMAGE", "FOREIGN_HOST"], "LOCAL_IMAGE");
    if (command.op === "service.deploy" && command.params.source.kind === "image" && !isFromRegistry(command.params.source.ref)) {
      return answer.deny("LOCAL_IMAGE", command.params.source.ref);
    }
    if (command.op === "route.set" && isSomeoneElses(command.params.host, command.imvu, facts)) return answer.deny("FOREIGN_HOST", command.params.host);
    return answer.pass();
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 2, imvu, ["compute", "network"]));
  },
});
