import assert from "node:assert/strict";
import { COMMAND_PARAMS, type Op } from "./command-params.ts";
import { RESOURCES } from "./meter.ts";
import { GIB, MIB } from "./unit-fields.ts";

export const digest = "0123456789abcdef".repeat(4);
const envelope = { cpuMillis: 1_000, memoryBytes: 512 * MIB, storageBytes: 2 * GIB, iops: 1_000, bandwidthBps: 100_000_000, processes: 256, burst: { factor: 2, seconds: 300 } };
const publicKey = "A".repeat(43);

/** One good command of every kind. */
export const GOOD: { readonly [O in Op]: Readonly<Record<string, unknown>> } = {
  "identity.register": { name: "creator-8891", publicKey },
  "identity.key.add": { publicKey, device: "laptop" },
  "identity.key.rotate": { publicKey },
  "identity.key.revoke": { kid: publicKey },
  "identity.recovery.set": { recoveryKey: publicKey },
  "identity.recovery.begin": { name: "creator-8891", publicKey, device: "laptop" },
  "identity.recovery.object": {},
  "identity.recovery.complete": { name: "creator-8891" },
  "platform.operator.add": { identity: "creator-8891" },
  "platform.operator.remove": { identity: "creator-8891" },
  "imvu.create": { name: "Art Gallery", owner: "creator-8891", jurisdiction: "EU-GDPR", envelope, runtime: "static", mailboxPasswordHash: digest },
  "imvu.scale": { envelope },
  "imvu.exit": { encryptTo: `age1${"q".repeat(58)}` },
  "imvu.import": { bundle: digest, manifest: digest, name: "Art Gallery", jurisdiction: "EU-GDPR", sourceId: "IMVU-001", zone: "imvu001.world" },
  "imvu.member.set": { identity: "creator-7702", role: "maintainer" },
  "imvu.member.remove": { identity: "creator-7702" },
  "service.deploy": { name: "web", source: { kind: "runtime", runtime: "node", content: digest }, port: 8080, env: { GREETING: "grüße $(id)" } },
  "service.restart": { name: "web" },
  "service.remove": { name: "web" },
  "dns.set": { name: "www.imvu001.world", type: "A", ttl: 300, values: ["192.0.2.1"] },
  "dns.remove": { name: "www.imvu001.world", type: "A" },
  "mail.mailbox.create": { address: "hello@imvu001.world", passwordHash: digest, quotaBytes: MIB },
  "mail.mailbox.password": { address: "hello@imvu001.world", passwordHash: digest },
  "mail.mailbox.remove": { address: "hello@imvu001.world" },
  "route.set": { class: "public", host: "www.imvu001.world", path: "/a/b", service: "web", port: 8080, role: null, ratePerMinute: 60 },
  "route.remove": { host: "www.imvu001.world", path: "/" },
  "consent.record": { subject: "user-17", purpose: "newsletter", text: digest, state: "given" },
  "revenue.record": { sourceId: "order-17", amount: "12.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" },
  "revenue.reverse": { sourceId: "refund-17", reverses: "order-17", amount: "2.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" },
  "imvu.payout.account": { account: { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000", bic: "COBADEFFXXX" } },
  "platform.payout.execute": { imvu: "IMVU-001", payout: "IMVU-001-1", reference: "bank-17", at: "2026-12-02T00:00:00.000Z" },
  "platform.payout.return": { imvu: "IMVU-001", payout: "IMVU-001-1", reason: "AC04 account closed", at: "2026-12-02T00:00:00.000Z" },
  "imvu.snapshot.create": { label: "before the sale" },
  "imvu.snapshot.restore": { id: "S1" },
  "imvu.snapshot.remove": { id: "S12" },
  "imvu.budget.set": { amount: "50.00", currency: "EUR", thresholds: [50, 80, 100] },
  "imvu.erase": { index: 4, commitment: digest, order: digest },
  "platform.erase": { index: 4, commitment: digest, order: digest },
  "platform.billing.set": { name: "Nexus GmbH", street: "Hauptstr. 1", postalCode: "10115", city: "Berlin", country: "DE", vatId: "DE123456789", email: "billing@nexus.example", vat: { scheme: "standard", rate: "19.00" }, prefix: "NX" },
  "imvu.billing.set": { name: "Łódź & Söhne", street: "Rue 1", postalCode: "75001", city: "Paris", country: "FR", email: "books@art.example" },
  "platform.tariff.publish": { currency: "EUR", validFrom: "2027-01-01T00:00:00.000Z", prices: Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0.000001000"])) },
};

export function issuesOf(op: Op, params: unknown) {
  const parsed = COMMAND_PARAMS[op].safeParse(params);
  return parsed.success ? [] : parsed.error.issues.map((issue) => ({ at: issue.path.join("."), message: issue.message }));
}

export function refused(op: Op, field: string, value: unknown): string {
  const issues = issuesOf(op, { ...GOOD[op], [field]: value });
  const why = `${op} ${field} = ${JSON.stringify(value)?.slice(0, 80)}`;
  assert.ok(issues.length > 0, `taken: ${why}`);
  assert.ok(issues.every(({ at }) => at === field || at.startsWith(`${field}.`)), `blames ${issues.map(({ at }) => at).join()} for ${why}`);
  return issues.map(({ message }) => message).join("; ");
}

/** Longer than any field. */
export const LONG = "a".repeat(10_240);
