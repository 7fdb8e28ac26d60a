import type { Command, Imvu } from "../../contract/index.ts";
import type { ImvuFacts, SignatureFact } from "./facts.ts";

/** Of the IMVU's document what the gates read for this command, and no more. */
export function imvuFactsOf(imvu: Imvu, command: Command, signatures: readonly SignatureFact[]): ImvuFacts {
  return {
    id: imvu.id,
    owner: imvu.owner,
    jurisdiction: imvu.jurisdiction,
    status: imvu.status,
    zone: imvu.zone,
    ...(imvu.currency === undefined ? {} : { currency: imvu.currency }),
    envelope: imvu.envelope,
    members: imvu.members.filter(({ identity }) => signatures.some((signature) => signature.identity === identity)),
    counts: { services: imvu.services.length, recordSets: imvu.records.length, mailboxes: imvu.mailboxes.length, routes: imvu.routes.length, members: imvu.members.length },
    mailQuotaBytes: imvu.mailboxes.reduce((sum, box) => sum + box.quotaBytes, 0),
    named: namedIn(imvu, command),
  };
}

function namedIn(imvu: Imvu, command: Command): ImvuFacts["named"] {
  const none: ImvuFacts["named"] = { service: false, recordSet: false, mailbox: false, member: false, route: null };
  switch (command.op) {
    case "service.deploy":
    case "service.restart":
    case "service.remove": {
      const { name } = command.params;
      return { ...none, service: imvu.services.some((service) => service.name === name) };
    }
    case "dns.set":
    case "dns.remove": {
      const { name, type } = command.params;
      return { ...none, recordSet: imvu.records.some((set) => set.name === name && set.type === type) };
    }
    case "mail.mailbox.create":
    case "mail.mailbox.password":
    case "mail.mailbox.remove": {
      const { address } = command.params;
      return { ...none, mailbox: imvu.mailboxes.some((box) => box.address === address) };
    }
    case "imvu.member.set":
    case "imvu.member.remove": {
      const { identity } = command.params;
      return { ...none, member: imvu.members.some((member) => member.identity === identity) };
    }
    case "route.set":
    case "route.remove": {
      const { params } = command;
      const route = imvu.routes.find(({ host, path }) => host === params.host && path === params.path);
      const service = "service" in params && imvu.services.some(({ name }) => name === params.service);
      return { ...none, service, route: route === undefined ? null : { ratePerMinute: route.ratePerMinute } };
    }
    default:
      return none;
  }
}
