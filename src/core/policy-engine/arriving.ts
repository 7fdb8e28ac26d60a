import type { Imvu } from "../../contract/index.ts";
import { isWithinZone } from "../../kernel/index.ts";
import type { BundleFlaw } from "./facts.ts";
import { MAILBOXES_PER_IMVU_MAX, RECORD_SETS_PER_IMVU_MAX, ROUTES_PER_IMVU_MAX } from "./limits.ts";
import { domainOf, isApexProtected, isFromRegistry, routeFlaw, servicesMax } from "./parts.ts";

/** More would only say the same at length, and enter the ledger. */
const FLAWS_TOLD_MAX = 8;
const WHAT_CHARS_MAX = 200;

/** What a unit that arrives in a bundle has that its owner could not have commanded here: a bundle is no way around the gates. */
export function flawsOf(unit: Pick<Imvu, "zone" | "envelope" | "services" | "records" | "mailboxes" | "routes">): readonly BundleFlaw[] {
  const { zone, envelope, services, records, mailboxes, routes } = unit;
  const flaws: BundleFlaw[] = [];
  const note = (gate: number, code: string, what: string) => {
    if (flaws.length < FLAWS_TOLD_MAX || !flaws.some((one) => one.gate === gate)) flaws.push({ gate, code, what: what.slice(0, WHAT_CHARS_MAX) });
  };
  for (const { name, source } of services) if (source.kind === "image" && !isFromRegistry(source.ref)) note(2, "LOCAL_IMAGE", `${name}: ${source.ref}`);
  for (const set of records) {
    if (!isWithinZone(set.name, zone)) note(4, "FOREIGN_NAME", set.name);
    else if (isApexProtected(set, zone)) note(4, "APEX_PROTECTED", `${set.name} ${set.type}`);
  }
  const addresses = new Set<string>();
  for (const { address } of mailboxes) {
    if (domainOf(address) !== zone) note(5, "FOREIGN_DOMAIN", address);
    if (addresses.has(address)) note(5, "ADDRESS_BOUND", address);
    addresses.add(address);
  }
  const most = [["services", services.length, servicesMax(envelope)], ["record sets", records.length, RECORD_SETS_PER_IMVU_MAX], ["mailboxes", mailboxes.length, MAILBOXES_PER_IMVU_MAX], ["routes", routes.length, ROUTES_PER_IMVU_MAX]] as const;
  for (const [what, many, limit] of most) if (many > limit) note(7, "QUOTA_EXCEEDED", `${many} ${what}, at most ${limit}`);
  const quotaBytes = mailboxes.reduce((sum, box) => sum + box.quotaBytes, 0);
  if (quotaBytes > envelope.storageBytes) note(7, "QUOTA_EXCEEDED", `mailboxes of ${quotaBytes} bytes in a storage of ${envelope.storageBytes}`);
  for (const route of routes) {
    const flaw = routeFlaw(route, zone, services.some(({ name }) => name === route.service));
    if (flaw) note(8, flaw, `${route.host}${route.path}`);
  }
  return flaws;
}
