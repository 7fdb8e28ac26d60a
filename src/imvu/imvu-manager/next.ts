import type { Command, DkimKey, DnsRecordSet, Imvu, Params } from "../../contract/index.ts";
import { type Fqdn, imvuIdOf, type Sha256, slugOf } from "../../kernel/index.ts";
import { dkimRecords, firstMailbox, firstRecords, firstRoutes, firstService, zoneOf } from "./defaults.ts";

/** What the platform decided when it accepted a create: part of the intent entry, so that a replay decides the same. */
export interface Allocation {
  readonly number: number;
  readonly createdAt: string;
  readonly suffix: Fqdn;
  readonly publicAddress: string;
  /** Digest of the first content for the wanted runtime. */
  readonly content: Sha256;
}

/** A new IMVU's document, before its DKIM keys exist. */
export function createdImvu(params: Params<"imvu.create">, allocation: Allocation): Imvu {
  const slug = slugOf(params.name);
  const zone = zoneOf(allocation.number, allocation.suffix);
  return {
    id: imvuIdOf(allocation.number),
    number: allocation.number,
    name: params.name,
    slug,
    owner: params.owner,
    jurisdiction: params.jurisdiction,
    status: "active",
    zone,
    createdAt: allocation.createdAt,
    ...(params.timeZone === undefined ? {} : { timeZone: params.timeZone }),
    ...(params.currency === undefined ? {} : { currency: params.currency }),
    envelope: params.envelope,
    services: [firstService(params.runtime, allocation.content)],
    records: firstRecords(zone, slug, allocation.publicAddress),
    dkim: [],
    mailboxes: [firstMailbox(zone, params.mailboxPasswordHash)],
    routes: firstRoutes(zone, slug),
    members: [{ identity: params.owner, role: "owner" }],
  };
}

export function withDkim(imvu: Imvu, dkim: readonly DkimKey[]): Imvu {
  const records = dkimRecords(imvu.zone, dkim);
  return { ...imvu, dkim, records: [...imvu.records.filter((old) => !records.some((set) => sameSet(old, set))), ...records] };
}

function sameSet(a: Pick<DnsRecordSet, "name" | "type">, b: Pick<DnsRecordSet, "name" | "type">): boolean {
  return a.name === b.name && a.type === b.type;
}

function replaced<T>(list: readonly T[], item: T, same: (a: T) => boolean): readonly T[] {
  const at = list.findIndex(same);
  return at < 0 ? [...list, item] : list.with(at, item);
}

/** The document after a command on an existing IMVU; a pure reducer, the same at run time, at resume and at replay. */
export function nextImvu(imvu: Imvu, command: Command): Imvu {
  switch (command.op) {
    case "imvu.scale":
      return { ...imvu, envelope: command.params.envelope };
    case "imvu.exit":
      return { ...imvu, status: "exported" };
    case "imvu.member.set": {
      const member = command.params;
      return { ...imvu, members: replaced(imvu.members, member, (one) => one.identity === member.identity) };
    }
    case "imvu.member.remove": {
      const { identity } = command.params;
      return { ...imvu, members: imvu.members.filter((one) => one.identity !== identity) };
    }
    case "service.deploy": {
      const { name } = command.params;
      return { ...imvu, services: replaced(imvu.services, command.params, (s) => s.name === name) };
    }
    case "service.remove": {
      const { name } = command.params;
      return { ...imvu, services: imvu.services.filter((s) => s.name !== name), routes: imvu.routes.filter((r) => r.service !== name) };
    }
    case "dns.set": {
      const set = command.params;
      return { ...imvu, records: replaced(imvu.records, set, (old) => sameSet(old, set)) };
    }
    case "dns.remove": {
      const set = command.params;
      return { ...imvu, records: imvu.records.filter((old) => !sameSet(old, set)) };
    }
    case "mail.mailbox.create":
      return { ...imvu, mailboxes: [...imvu.mailboxes, command.params] };
    case "mail.mailbox.password": {
      const { address, passwordHash } = command.params;
      return { ...imvu, mailboxes: imvu.mailboxes.map((box) => (box.address === address ? { ...box, passwordHash } : box)) };
    }
    case "mail.mailbox.remove": {
      const { address } = command.params;
      return { ...imvu, mailboxes: imvu.mailboxes.filter((box) => box.address !== address) };
    }
    case "route.set": {
      const route = command.params;
      return { ...imvu, routes: replaced(imvu.routes, route, (r) => r.host === route.host && r.path === route.path) };
    }
    case "route.remove": {
      const { host, path } = command.params;
      return { ...imvu, routes: imvu.routes.filter((r) => !(r.host === host && r.path === path)) };
    }
    default:
      return imvu;
  }
}
