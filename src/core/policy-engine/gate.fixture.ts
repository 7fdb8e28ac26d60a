import type { Command, Op, Params } from "../../contract/index.ts";
import { GIB, OPS_WITHOUT_IMVU, RECOVERY_WAIT_MS, RESOURCES, type Resource, TARIFF_NOTICE_MS } from "../../contract/index.ts";
import type { Fqdn, IdentityName, ImvuId, Json, Jurisdiction, KeyId, Sha256 } from "../../kernel/index.ts";
import { addApproval, broughtBy, commandFields, createIdentityKey, isIdentityCommand, type OpenedCommand, openCommand, signCommand, type SigningKey } from "../identity/index.ts";
import type { Facts, ImvuFacts, SignatureFact } from "./facts.ts";
import { isErasure } from "./erasure.ts";
import { isRevenue } from "./revenue.ts";
import { isFounding } from "./terms.ts";
import { isSnapshotCommand } from "./snapshots.ts";
import { isOperatorCommand } from "./operators.ts";
import { isPayoutOrder } from "./payouts.ts";

/** People, one IMVU and one good command for each op: what the tests of the law vary. */
export const NOW = 1_790_000_000_000;
export const OURS = "IMVU-001" as ImvuId;
export const THEIRS = "IMVU-002" as ImvuId;
export const ZONE = "imvu001.world" as Fqdn;
export const DIGEST = "ab".repeat(32) as Sha256;

export const KEYS = { owner: createIdentityKey(), maintainer: createIdentityKey(), viewer: createIdentityKey(), billing: createIdentityKey(), operator: createIdentityKey(), newcomer: createIdentityKey(), recovery: createIdentityKey(), waiting: createIdentityKey(), fresh: createIdentityKey() };
export type Person = keyof typeof KEYS;
export const ENVELOPE = { cpuMillis: 2_000, memoryBytes: 4 * GIB, storageBytes: 50 * GIB, iops: 100, bandwidthBps: 100_000_000, processes: 256, burst: { factor: 2, seconds: 300 } };

/** A well-formed command of each op by SIGNERS, or else the owner of OURS. The owner's recovery key is `recovery`, and `waiting` the one that a recovery is to bring. */
/** The first month that begins thirty days after NOW, or later. */
export const MONTH_AFTER = Date.UTC(new Date(NOW + TARIFF_NOTICE_MS).getUTCFullYear(), new Date(NOW + TARIFF_NOTICE_MS).getUTCMonth() + 1, 1);
export const PRICES = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0.000001000"])) as Record<Resource, string>;

export const GOOD: { readonly [O in Op]: Params<O> } = {
  "identity.register": { name: "newcomer" as IdentityName, publicKey: KEYS.newcomer.publicKey.text },
  "identity.key.add": { publicKey: KEYS.fresh.publicKey.text, device: "laptop" },
  "identity.key.rotate": { publicKey: KEYS.fresh.publicKey.text },
  "identity.key.revoke": { kid: KEYS.owner.kid },
  "identity.recovery.set": { recoveryKey: KEYS.fresh.publicKey.text },
  "identity.recovery.begin": { name: "owner" as IdentityName, publicKey: KEYS.fresh.publicKey.text },
  "identity.recovery.object": {},
  "identity.recovery.complete": { name: "owner" as IdentityName },
  "platform.operator.add": { identity: "maintainer" as IdentityName },
  "platform.operator.remove": { identity: "maintainer" as IdentityName },
  "platform.erase": { index: 4, commitment: DIGEST, order: DIGEST },
  "platform.tariff.publish": { currency: "EUR", validFrom: new Date(MONTH_AFTER).toISOString(), prices: PRICES },
  "platform.payout.execute": { imvu: OURS, payout: `${OURS}-1`, reference: "bank-17", at: new Date(NOW - 1).toISOString() },
  "platform.payout.return": { imvu: OURS, payout: `${OURS}-1`, reason: "account closed", at: new Date(NOW - 1).toISOString() },
  "platform.billing.set": { name: "Nexus GmbH", street: "Hauptstr. 1", postalCode: "10115", city: "Berlin", country: "DE", vatId: "DE123456789", email: "billing@nexus.example", vat: { scheme: "standard", rate: "19.00" }, prefix: "NX" },
  "imvu.create": { name: "ArtGallery", owner: "owner" as IdentityName, jurisdiction: "EU-GDPR" as Jurisdiction, envelope: ENVELOPE, runtime: "static", mailboxPasswordHash: DIGEST },
  "imvu.scale": { envelope: { ...ENVELOPE, cpuMillis: 3_000 } },
  "imvu.exit": { encryptTo: null },
  "imvu.import": { bundle: DIGEST, manifest: DIGEST, name: "ArtGallery", jurisdiction: "EU-GDPR" as Jurisdiction, sourceId: OURS, zone: "imvu007.world" as Fqdn },
  "imvu.member.set": { identity: "newcomer" as IdentityName, role: "maintainer" },
  "imvu.member.remove": { identity: "maintainer" as IdentityName },
  "service.deploy": { name: "web", source: { kind: "runtime", runtime: "static", content: DIGEST }, port: 8080, env: {} },
  "service.restart": { name: "web" },
  "service.remove": { name: "web" },
  "dns.set": { name: `www.${ZONE}` as Fqdn, type: "A", ttl: 300, values: ["203.0.113.7"] },
  "dns.remove": { name: `www.${ZONE}` as Fqdn, type: "A" },
  "mail.mailbox.create": { address: `sales@${ZONE}`, passwordHash: DIGEST, quotaBytes: GIB },
  "mail.mailbox.password": { address: `hello@${ZONE}`, passwordHash: DIGEST },
  "mail.mailbox.remove": { address: `hello@${ZONE}` },
  "route.set": { class: "public", host: `www.${ZONE}` as Fqdn, path: "/", service: "web", port: 8080, role: null, ratePerMinute: null },
  "route.remove": { host: `www.${ZONE}` as Fqdn, path: "/" },
  "consent.record": { subject: "user-17", purpose: "newsletter", text: DIGEST, state: "given" },
  "revenue.record": { sourceId: "order-17", amount: "12.34", currency: "EUR", at: new Date(NOW - 1).toISOString() },
  "revenue.reverse": { sourceId: "refund-17", reverses: "order-17", amount: "2.34", currency: "EUR", at: new Date(NOW - 1).toISOString() },
  "imvu.payout.account": { account: { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000" } },
  "imvu.billing.set": { name: "Art Gallery", street: "Rue 1", postalCode: "75001", city: "Paris", country: "FR", vatId: "FR12345678901", email: "books@art.example" },
  "imvu.snapshot.create": { label: null },
  "imvu.snapshot.restore": { id: "S1" },
  "imvu.snapshot.remove": { id: "S1" },
  "imvu.budget.set": { amount: "50.00", currency: "EUR", thresholds: [50, 80, 100] },
  "imvu.erase": { index: 4, commitment: DIGEST, order: DIGEST },
} as { readonly [O in Op]: Params<O> };

export const OPS = Object.keys(GOOD) as Op[];
const WITHOUT_IMVU: ReadonlySet<Op> = new Set<Op>(OPS_WITHOUT_IMVU);
export const SIGNERS: { readonly [O in Op]?: readonly Person[] } = {
  "identity.register": ["newcomer"],
  "identity.key.add": ["owner", "fresh"],
  "identity.key.rotate": ["owner", "fresh"],
  "identity.recovery.set": ["owner", "fresh", "recovery"],
  "identity.recovery.begin": ["recovery", "fresh"],
  "identity.recovery.complete": ["waiting"],
  "platform.operator.add": ["operator"],
  "platform.operator.remove": ["operator", "maintainer"],
  "platform.erase": ["operator", "maintainer"],
  "platform.tariff.publish": ["operator", "maintainer"],
  "platform.payout.execute": ["operator", "maintainer"],
  "platform.payout.return": ["operator", "maintainer"],
  "platform.billing.set": ["operator", "maintainer"],
};

/** Signs, sends and opens; the first of `signers` is the actor. */
export function opened<O extends Op>(op: O, change: Partial<Params<O>> = {}, signers: readonly Person[] = SIGNERS[op] ?? ["owner"], imvu: ImvuId = OURS): OpenedCommand {
  const params = { ...GOOD[op], ...change } as unknown as { readonly [name: string]: Json };
  const [actor, ...approvals] = signers.map((who) => KEYS[who]);
  const fields = commandFields(op, WITHOUT_IMVU.has(op) ? null : imvu, params, NOW);
  const result = openCommand(approvals.reduce(addApproval, signCommand(fields, actor as SigningKey)));
  if (!result.ok) throw new TypeError(result.message);
  return result.value;
}

function signatureFact(command: Command, kid: KeyId): SignatureFact {
  const [who, key] = Object.entries(KEYS).find(([, one]) => one.kid === kid) as [Person, SigningKey];
  const known = { kid, publicKey: key.publicKey.text, valid: true };
  if (who === "recovery") return { ...known, identity: "owner" as IdentityName, status: "recovery" };
  if (who === "waiting") return { ...known, identity: "owner" as IdentityName, status: "pending" };
  const registered = who !== "fresh" && !(who === "newcomer" && command.op === "identity.register");
  return { ...known, identity: registered ? (who as string as IdentityName) : null, status: registered ? "live" : "unknown" };
}

const ADDING: Facts["operators"] = { count: 1, signers: ["operator" as IdentityName], registered: true, operator: false };
const REMOVING: Facts["operators"] = { count: 2, signers: ["operator" as IdentityName, "maintainer" as IdentityName], registered: true, operator: true };

const ERASABLE: Facts["erasure"] = { commitment: DIGEST, kind: "consent", digest: DIGEST, exp_ms: NOW - 1, outcome: { index: 5, commitment: DIGEST }, earlier: 0 };

/** Facts under which each good command passes all gates. */
export function factsFor({ command, signatures }: OpenedCommand, change: Partial<Facts> = {}): Facts {
  const { op } = command;
  return {
    v: 1,
    now_ms: NOW,
    suffix: "world" as Fqdn,
    signatures: signatures.map(({ kid }) => signatureFact(command, kid)),
    nonceSeen: false,
    registration: broughtBy(command).length > 0 ? { nameTaken: false, keyTaken: false } : null,
    imvu: WITHOUT_IMVU.has(op) ? null : imvuOf(op),
    newZone: op === "imvu.create" || op === "imvu.import" ? ("imvu007.world" as Fqdn) : null,
    zoneClaims: op === "dns.set" || op === "dns.remove" || op === "route.set" ? [{ zone: ZONE, imvu: OURS }] : [],
    node: {
      name: "eu-1",
      jurisdictions: ["EU-GDPR" as Jurisdiction],
      capacity: { cpuMillis: 2_000, memoryBytes: 24 * GIB, storageBytes: 250 * GIB },
      allocated: { cpuMillis: 2_000, memoryBytes: 4 * GIB, storageBytes: 50 * GIB },
    },
    used: { memoryBytes: GIB, storageBytes: 10 * GIB, processes: 12, mailboxMessages: op === "mail.mailbox.remove" ? 0 : null },
    meters: Object.keys(RESOURCES) as Resource[],
    blobs: [{ digest: DIGEST, readable: true, bytes: 1_000 }],
    consent: op === "consent.record" ? { state: "none", text: null } : null,
    ...(isIdentityCommand(command) ? { identity: { name: "owner" as IdentityName, liveKeys: 2, keys: 3, recoveryKid: KEYS.recovery.kid, named: op === "identity.key.revoke" ? "live" : null, pendingSince_ms: NOW - RECOVERY_WAIT_MS } } : {}),
    ...(isErasure(command) ? { erasure: ERASABLE } : {}),
    ...(isRevenue(command) ? { revenue: { known: null, left: op === "revenue.reverse" ? "12.34" : null, since_ms: NOW - 1_000 } } : {}),
    ...(isPayoutOrder(command) ? { payout: { state: op === "platform.payout.execute" ? "created" : "executed" } } : {}),
    ...(isSnapshotCommand(command) ? { snapshots: { count: 2, fresh: { id: "S2", at_ms: NOW - 1_000 }, rested_ms: null } } : {}),
    ...(isOperatorCommand(command) ? { operators: op === "platform.operator.add" ? ADDING : REMOVING } : {}),
    ...(op === "platform.tariff.publish" || isFounding(command) ? { tariffs: { published: true } } : {}),
    bundle: op === "imvu.import" ? { manifest: DIGEST, sourceId: OURS, zone: "imvu007.world" as Fqdn, envelope: ENVELOPE, flaws: [], ownerKids: [KEYS.owner.kid] } : null,
    platform: { ledgerWritable: true, keyLoaded: true },
    ...change,
  };
}

export function imvuOf(op: Op, change: Partial<ImvuFacts> = {}): ImvuFacts {
  return {
    id: OURS,
    owner: "owner" as IdentityName,
    jurisdiction: "EU-GDPR" as Jurisdiction,
    status: "active",
    zone: ZONE,
    envelope: ENVELOPE,
    members: (["owner", "maintainer", "viewer", "billing"] as const).map((role) => ({ identity: role as string as IdentityName, role })),
    counts: { services: 1, recordSets: 8, mailboxes: 1, routes: 4, members: 4 },
    mailQuotaBytes: GIB,
    named: { service: true, recordSet: true, mailbox: op !== "mail.mailbox.create", member: op === "imvu.member.remove", route: { ratePerMinute: null } },
    ...change,
  };
}
