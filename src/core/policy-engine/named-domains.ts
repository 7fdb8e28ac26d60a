import type { Command } from "../../contract/index.ts";
import type { Sha256 } from "../../kernel/index.ts";
import { overlaps } from "./domain-names.ts";
import type { Facts } from "./facts.ts";

/** Of all bound zones those that `zoneClaims` must hold for this command: related to a domain name in it, or to the zone to be bound, or of the IMVU whose id would be used again. */
export function zoneClaimsFor(command: Command, newZone: string | null, bound: Facts["zoneClaims"]): Facts["zoneClaims"] {
  const names = [...domainsIn(command), ...(newZone === null ? [] : [newZone])];
  const arriving = command.op === "imvu.import" ? command.params.sourceId : null;
  return bound.filter(({ zone, imvu }) => imvu === arriving || names.some((name) => overlaps(name, zone)));
}

/** Domain names that the params name. */
export function domainsIn(command: Command): readonly string[] {
  switch (command.op) {
    case "dns.set":
    case "dns.remove":
      return [command.params.name];
    case "route.set":
    case "route.remove":
      return [command.params.host];
    case "mail.mailbox.create":
    case "mail.mailbox.password":
    case "mail.mailbox.remove":
      return [command.params.address.slice(command.params.address.indexOf("@") + 1)];
    case "imvu.import":
      return [command.params.zone];
    default:
      return [];
  }
}

/** SHA-256 blobs that the params name: `facts.blobs` has one for each. */
export function blobsIn(command: Command): readonly Sha256[] {
  switch (command.op) {
    case "imvu.import":
      return [command.params.bundle];
    case "imvu.create":
      return [command.params.mailboxPasswordHash];
    case "mail.mailbox.create":
    case "mail.mailbox.password":
      return [command.params.passwordHash];
    case "service.deploy": {
      const { source } = command.params;
      if (source.kind === "runtime") return [source.content];
      return source.kind === "oci" ? [source.archive] : [];
    }
    default:
      return [];
  }
}

/** Whether it asks for room on the node: only then `node.allocated` is read. */
export function asksForRoom({ op }: Command): boolean {
  return op === "imvu.create" || op === "imvu.import" || op === "imvu.scale";
}
