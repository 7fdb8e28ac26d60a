import { z } from "zod";
import { COMMAND_PARAMS, type Imvu, zEnvelope, zImvuId } from "../../contract/index.ts";
import { accept, type Fqdn, type IdentityName, imvuNumberOf, isWithinZone, type Jurisdiction, type Outcome, refuse } from "../../kernel/index.ts";

const ITEMS_MAX = 10_000;

/** A document from elsewhere: every part must be something its owner could have commanded here. */
const zDocument = z.object({
  id: zImvuId,
  slug: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/),
  zone: COMMAND_PARAMS["imvu.import"].shape.zone,
  createdAt: z.iso.datetime({ precision: 3 }),
  timeZone: COMMAND_PARAMS["imvu.import"].shape.timeZone,
  currency: COMMAND_PARAMS["imvu.import"].shape.currency,
  envelope: zEnvelope,
  services: z.array(COMMAND_PARAMS["service.deploy"]).max(ITEMS_MAX),
  records: z.array(COMMAND_PARAMS["dns.set"]).max(ITEMS_MAX),
  dkim: z
    .array(z.strictObject({ selector: z.string().regex(/^[a-z0-9-]{1,40}$/), algorithm: z.enum(["rsa-sha256", "ed25519-sha256"]), txt: z.string().max(2_048).regex(/^v=DKIM1;[\x20-\x7e]*$/) }))
    .max(16),
  mailboxes: z.array(COMMAND_PARAMS["mail.mailbox.create"]).max(ITEMS_MAX),
  routes: z.array(COMMAND_PARAMS["route.set"]).max(ITEMS_MAX),
});

export type ArrivingDocument = z.output<typeof zDocument>;

/** Parses `identity/imvu.json` of a bundle. Nothing in it may speak of another zone than its own. */
export function parseDocument(bytes: Uint8Array): Outcome<ArrivingDocument> {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return bad("is not JSON");
  }
  const parsed = zDocument.safeParse(data);
  if (!parsed.success) return bad(`${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`);
  const { zone, records, routes, mailboxes, services } = parsed.data;
  const foreign = [...records.map((set) => set.name), ...routes.map((route) => route.host), ...mailboxes.map((box) => box.address.slice(box.address.indexOf("@") + 1))].find(
    (name) => !isWithinZone(name, zone),
  );
  if (foreign !== undefined) return bad(`names ${foreign}, which lies outside ${zone}`);
  const names = new Set<string>(services.map((service) => service.name));
  const dangling = routes.find((route) => !names.has(route.service));
  if (dangling) return bad(`a route leads to the service ${dangling.service}, which is not there`);
  return accept(parsed.data);
}

function bad(why: string): Outcome<never> {
  return refuse("usage", "BUNDLE_DOCUMENT", `bundle: identity/imvu.json ${why}`, "export it again");
}

/** The unit as it will live here: the same id, zone and keys; another owner's name and another platform's address. */
export function arrivingImvu(
  document: ArrivingDocument,
  here: { readonly name: string; readonly owner: IdentityName; readonly jurisdiction: Jurisdiction; readonly publicAddress: string },
): Imvu {
  const { id, zone } = document;
  const { name, owner, jurisdiction, publicAddress } = here;
  // Names that led to the gateway it leaves lead to the one it comes to; every other address is the owner's own business.
  const old = document.records.find((set) => set.name === (`mail.${zone}` as Fqdn) && (set.type === "A" || set.type === "AAAA"))?.values[0];
  const records = document.records.map((set) => (old === undefined || (set.type !== "A" && set.type !== "AAAA") ? set : { ...set, values: set.values.map((value) => (value === old ? publicAddress : value)) }));
  return { ...document, number: imvuNumberOf(id), name, owner, jurisdiction, status: "active", records, members: [{ identity: owner, role: "owner" }] };
}
