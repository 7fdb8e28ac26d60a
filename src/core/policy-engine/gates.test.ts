import assert from "node:assert/strict";
import test from "node:test";
import { COMMAND_PARAMS, GIB, type Op, type Params, RECOVERY_WAIT_MS } from "../../contract/index.ts";
import type { Currency, Fqdn, ImvuId, Jurisdiction, KeyId, TimeZone } from "../../kernel/index.ts";
import type { Facts, ImvuFacts } from "./facts.ts";
import { ENVELOPE, factsFor, imvuOf, KEYS, MONTH_AFTER, NOW, OURS, opened, type Person, THEIRS, ZONE } from "./gate.fixture.ts";
import { judge } from "./judge.ts";
import { refusalOf, wantsApproval } from "./refusal.ts";

interface Case<O extends Op = Op> {
  readonly what: string;
  readonly op: O;
  readonly params?: Partial<Params<O>>;
  readonly by?: readonly Person[];
  readonly imvu?: ImvuId;
  readonly facts?: Partial<Facts>;
  readonly ours?: Partial<ImvuFacts>;
  /** Every code that denies, in order; the first of `told` is what the person hears. */
  readonly denies: readonly string[];
  readonly told?: string;
}

const list: Case[] = [];
function deny<O extends Op>(op: O, what: string, one: Omit<Case<O>, "op" | "what">): void {
  list.push({ op, what, ...one } as unknown as Case);
}

const fqdn = (text: string) => text as Fqdn;
const used = (change: Partial<NonNullable<Facts["used"]>>): Facts["used"] => ({ memoryBytes: GIB, storageBytes: 10 * GIB, processes: 12, mailboxMessages: null, ...change });
const signature = (change: Partial<Facts["signatures"][number]>, who: Person = "owner"): Facts["signatures"][number] => ({
  kid: KEYS[who].kid, identity: who as never, publicKey: KEYS[who].publicKey.text, status: "live", valid: true, ...change,
});
const theirs = [{ zone: fqdn("imvu002.world"), imvu: THEIRS }];

// 1
deny("dns.set", "a signature that does not verify", { facts: { signatures: [signature({ valid: false })] }, denies: ["GATE_01_SIGNATURE_INVALID", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"] });
deny("dns.set", "a revoked key", { facts: { signatures: [signature({ status: "revoked" })] }, denies: ["GATE_01_KEY_REVOKED", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"] });
deny("dns.set", "a key nobody registered", { facts: { signatures: [signature({ status: "unknown", identity: null })] }, denies: ["GATE_01_KEY_UNKNOWN", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"] });
deny("dns.set", "a forged approval beside a good signature", { by: ["owner", "maintainer"], facts: { signatures: [signature({}), signature({ valid: false }, "maintainer")] }, denies: ["GATE_01_SIGNATURE_INVALID"] });
deny("dns.set", "a used nonce", { facts: { nonceSeen: true }, denies: ["GATE_01_REPLAYED"] });
deny("dns.set", "an expired command", { facts: { now_ms: NOW + 604_800_001 }, denies: ["GATE_01_EXPIRED"] });
deny("dns.set", "a command from the future", { facts: { now_ms: NOW - 60_001 }, denies: ["GATE_01_NOT_YET_VALID"] });
deny("dns.set", "a viewer", { by: ["viewer"], denies: ["GATE_01_ROLE", "GATE_14_NOT_THE_OWNERS_WILL"], told: "GATE_14_NOT_THE_OWNERS_WILL" });
deny("service.restart", "a biller", { by: ["billing"], denies: ["GATE_01_ROLE"] });
deny("service.restart", "an operator", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
deny("imvu.exit", "a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("imvu.exit", "somebody whom a list of members calls owner", { by: ["operator"], ours: { members: [{ identity: "operator" as never, role: "owner" }] }, denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
deny("imvu.create", "in somebody else's name", { by: ["operator"], denies: ["GATE_01_NOT_THE_OWNER"] });
deny("identity.register", "a name that is taken", { facts: { registration: { nameTaken: true, keyTaken: false } }, denies: ["GATE_01_NAME_TAKEN"] });
deny("identity.register", "a key that is taken", { facts: { registration: { nameTaken: false, keyTaken: true } }, denies: ["GATE_01_KEY_TAKEN"] });
deny("identity.register", "a key signed for by another", { by: ["operator"], denies: ["GATE_01_NOT_SELF_SIGNED"] });
deny("identity.register", "a second signature", { by: ["newcomer", "operator"], denies: ["GATE_01_NOT_SELF_SIGNED"] });
deny("identity.register", "a wrong signature of the right key", { facts: { signatures: [signature({ valid: false, identity: null, status: "unknown" }, "newcomer")] }, denies: ["GATE_01_SIGNATURE_INVALID"] });
deny("identity.register", "an unread registry", { facts: { registration: null }, denies: ["GATE_01_KEY_TAKEN"] });
const ring = (change: Partial<NonNullable<Facts["identity"]>>): Facts["identity"] => ({ name: "owner" as never, liveKeys: 2, keys: 3, recoveryKid: KEYS.recovery.kid, named: "live", pendingSince_ms: NOW - RECOVERY_WAIT_MS, ...change });
const operators = (change: Partial<NonNullable<Facts["operators"]>>): Facts["operators"] => ({ count: 2, signers: ["operator" as never, "maintainer" as never], registered: true, operator: true, ...change });
deny("dns.set", "a key that was rotated away", { facts: { signatures: [signature({ status: "rotated" })] }, denies: ["GATE_01_KEY_ROTATED", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"] });
for (const who of ["recovery", "waiting"] as const) {
  deny("dns.set", `the ${who} key`, { by: [who], denies: ["GATE_01_KEY_RECOVERS_ONLY", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"] });
  deny("imvu.create", `the ${who} key`, { by: [who], denies: ["GATE_01_KEY_RECOVERS_ONLY"] });
}
deny("imvu.scale", "the recovery key in place of the owner's approval", { by: ["maintainer", "recovery"], params: { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, denies: ["GATE_01_KEY_RECOVERS_ONLY", "GATE_15_OWNER_APPROVAL_MISSING"] });
deny("identity.register", "the recovery key alone", { by: ["fresh"], params: { recoveryKey: KEYS.fresh.publicKey.text }, denies: ["GATE_01_NOT_SELF_SIGNED"] });
deny("identity.register", "the same key as recovery key", { params: { recoveryKey: KEYS.newcomer.publicKey.text }, denies: ["GATE_01_KEY_TAKEN"] });
for (const op of ["identity.key.add", "identity.key.rotate"] as const) {
  deny(op, "a new key that did not sign", { by: ["owner"], denies: ["GATE_01_NOT_SELF_SIGNED"] });
  deny(op, "the new key alone", { by: ["fresh"], denies: ["GATE_01_KEYS_UNREAD"] });
  deny(op, "the recovery key", { by: ["recovery", "fresh"], denies: ["GATE_01_KEY_RECOVERS_ONLY"] });
  deny(op, "a new key that does not verify", { facts: { signatures: [signature({}), signature({ valid: false, identity: null, status: "unknown" }, "fresh")] }, denies: ["GATE_01_SIGNATURE_INVALID"] });
  deny(op, "a key that is somebody's already", { facts: { signatures: [signature({}), signature({ status: "revoked" }, "fresh")] }, denies: ["GATE_01_KEY_TAKEN"] });
  deny(op, "a key that the registry knows", { facts: { registration: { nameTaken: false, keyTaken: true } }, denies: ["GATE_01_KEY_TAKEN"] });
  deny(op, "a registry that could not be read", { facts: { registration: null }, denies: ["GATE_01_KEY_TAKEN"] });
  deny(op, "a stranger's signature beside", { by: ["owner", "fresh", "operator"], denies: ["GATE_01_UNEXPECTED_SIGNATURE"] });
  deny(op, "a revoked key", { facts: { signatures: [signature({ status: "revoked" }), signature({ identity: null, status: "unknown" }, "fresh")] }, denies: ["GATE_01_KEY_REVOKED"] });
  deny(op, "a thousand keys before it", { facts: { identity: ring({ keys: 1_000 }) }, denies: ["GATE_01_TOO_MANY_KEYS"] });
  deny(op, "keys that could not be read", { facts: { identity: null }, denies: ["GATE_01_KEYS_UNREAD"] });
  deny(op, "another identity's facts", { facts: { identity: ring({ name: "maintainer" as never }) }, denies: ["GATE_01_KEYS_UNREAD"] });
}
deny("identity.key.add", "sixteen live keys", { facts: { identity: ring({ liveKeys: 16 }) }, denies: ["GATE_01_TOO_MANY_KEYS"] });
for (const named of ["revoked", "rotated", "recovery", "pending", null] as const) deny("identity.key.revoke", `a key that is ${named}`, { facts: { identity: ring({ named }) }, denies: ["GATE_01_NO_SUCH_KEY"] });
deny("identity.key.revoke", "the only key, without a recovery key", { facts: { identity: ring({ liveKeys: 1, recoveryKid: null }) }, denies: ["GATE_01_LAST_KEY"] });
deny("identity.recovery.set", "without the recovery key before it", { by: ["owner", "fresh"], denies: ["GATE_01_RECOVERY_KEY_MISSING"] });
deny("identity.recovery.set", "by the recovery key first", { by: ["recovery", "fresh"], denies: ["GATE_01_KEY_RECOVERS_ONLY"] });
deny("identity.recovery.begin", "a live key", { by: ["owner", "fresh"], denies: ["GATE_01_RECOVERY_KEY_MISSING"] });
deny("identity.recovery.begin", "of somebody else", { params: { name: "maintainer" as never }, denies: ["GATE_01_NOT_YOURS"] });
deny("identity.recovery.begin", "without the new key", { by: ["recovery"], denies: ["GATE_01_NOT_SELF_SIGNED"] });
deny("identity.recovery.object", "when none waits", { facts: { identity: ring({ pendingSince_ms: null }) }, denies: ["GATE_01_NO_RECOVERY"] });
deny("identity.recovery.object", "the recovery key", { by: ["recovery"], denies: ["GATE_01_KEY_RECOVERS_ONLY"] });
deny("identity.recovery.complete", "a millisecond early", { facts: { identity: ring({ pendingSince_ms: NOW - RECOVERY_WAIT_MS + 1 }) }, denies: ["GATE_01_RECOVERY_EARLY"] });
deny("identity.recovery.complete", "after an objection", { facts: { identity: ring({ pendingSince_ms: null }) }, denies: ["GATE_01_NO_RECOVERY"] });
deny("identity.recovery.complete", "of somebody else", { params: { name: "maintainer" as never }, denies: ["GATE_01_NOT_YOURS"] });
deny("identity.recovery.complete", "a live key", { by: ["owner"], denies: ["GATE_01_NO_RECOVERY"] });
deny("platform.operator.add", "an owner", { by: ["owner"], denies: ["GATE_01_NOT_AN_OPERATOR"] });
deny("platform.operator.add", "facts without operators", { facts: { operators: null }, denies: ["GATE_01_NOT_AN_OPERATOR"] });
deny("platform.operator.add", "one operator of two", { facts: { operators: operators({ operator: false, signers: ["operator" as never] }) }, denies: ["GATE_01_SECOND_OPERATOR_MISSING"] });
deny("platform.operator.add", "nobody", { facts: { operators: operators({ count: 1, operator: false, registered: false }) }, denies: ["GATE_01_NO_SUCH_IDENTITY"] });
deny("platform.operator.add", "somebody who is one", { facts: { operators: operators({ count: 1 }) }, denies: ["GATE_01_OPERATOR_ALREADY"] });
deny("platform.operator.remove", "somebody who is none", { facts: { operators: operators({ operator: false }) }, denies: ["GATE_01_NO_SUCH_OPERATOR"] });
deny("platform.operator.remove", "the last one", { facts: { operators: operators({ count: 1, signers: ["operator" as never] }) }, denies: ["GATE_01_LAST_OPERATOR"] });
deny("dns.set", "an operator, at another's name: he hears of neither zone", { by: ["operator"], params: { name: fqdn("www.imvu002.world") }, facts: { zoneClaims: theirs }, denies: ["GATE_01_NOT_A_MEMBER", "GATE_04_FOREIGN_NAME", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"], told: "GATE_14_NOT_THE_OWNERS_WILL" });
// 2
for (const ref of ["localhost/nx-2-web:latest", "localhost.localdomain/x", "nginx", "library/nginx:1", "127.0.0.1:5000/x", "localhost:5000/x", "a".repeat(64), "registry.local/x", "db.internal:5000/x", "10.0.0.1/x"]) {
  deny("service.deploy", `the image ${ref.slice(0, 30)}`, { params: { source: { kind: "image", ref } }, denies: ["GATE_02_LOCAL_IMAGE"] });
}
deny("route.set", "another IMVU's host", { params: { host: fqdn("www.imvu002.world") }, facts: { zoneClaims: theirs }, denies: ["GATE_02_FOREIGN_HOST", "GATE_08_FOREIGN_HOST"] });
// 3
for (const zone of ["imvu007.world", "sub.imvu007.world"]) {
  deny("imvu.create", `${zone} is bound`, { facts: { zoneClaims: [{ zone: fqdn(zone), imvu: THEIRS }] }, denies: ["GATE_03_DOMAIN_TAKEN"] });
}
deny("imvu.import", "the parent is bound", { facts: { zoneClaims: [{ zone: fqdn("imvu007.world"), imvu: THEIRS }] }, denies: ["GATE_03_DOMAIN_TAKEN"] });
deny("imvu.import", "under the id of a unit that lives here, with a zone that is free", { facts: { zoneClaims: [{ zone: fqdn("imvu001.world"), imvu: OURS }] }, denies: ["GATE_03_ID_TAKEN"] });
deny("imvu.import", "a domain from outside", {
  params: { zone: fqdn("bank.com") }, facts: { newZone: fqdn("bank.com"), bundle: { manifest: "ab".repeat(32) as never, sourceId: OURS, zone: fqdn("bank.com"), envelope: ENVELOPE, flaws: [], ownerKids: [KEYS.owner.kid] } },
  denies: ["GATE_03_NO_PROOF_OF_CONTROL"],
});
deny("imvu.import", "the suffix itself", {
  params: { zone: fqdn("world") }, facts: { newZone: fqdn("world"), bundle: { manifest: "ab".repeat(32) as never, sourceId: OURS, zone: fqdn("world"), envelope: ENVELOPE, flaws: [], ownerKids: [KEYS.owner.kid] } },
  denies: ["GATE_03_NO_PROOF_OF_CONTROL"],
});
deny("imvu.import", "another zone than the bundle's", { params: { zone: fqdn("imvu009.world") }, facts: { newZone: fqdn("imvu009.world") }, denies: ["GATE_03_ZONE_UNKNOWN"] });
// 4
for (const name of ["www.imvu002.world", "world", "imvu001.world.evil.com", "ximvu001.world", "evil.com"]) {
  deny("dns.set", `the name ${name}`, { params: { name: fqdn(name) }, denies: ["GATE_04_FOREIGN_NAME"] });
  deny("dns.remove", `the name ${name}`, { params: { name: fqdn(name) }, denies: ["GATE_04_FOREIGN_NAME"] });
}
deny("dns.set", "a name under a zone of another IMVU inside ours", { params: { name: fqdn(`a.sub.${ZONE}`) }, facts: { zoneClaims: [{ zone: fqdn(`sub.${ZONE}`), imvu: THEIRS }] }, denies: ["GATE_04_FOREIGN_NAME"] });
deny("dns.set", "NS at the apex", { params: { name: ZONE, type: "NS" }, denies: ["GATE_04_APEX_PROTECTED"] });
deny("dns.set", "CNAME at the apex", { params: { name: ZONE, type: "CNAME" }, denies: ["GATE_04_APEX_PROTECTED"] });
deny("dns.remove", "NS at the apex", { params: { name: ZONE, type: "NS" }, denies: ["GATE_04_APEX_PROTECTED"] });
// 5
for (const address of ["admin@imvu002.world", `x@sub.${ZONE}`, "x@evil.com"]) {
  deny("mail.mailbox.create", address, { params: { address: address as never }, denies: ["GATE_05_FOREIGN_DOMAIN"] });
  deny("mail.mailbox.password", address, { params: { address: address as never }, denies: ["GATE_05_FOREIGN_DOMAIN"] });
}
deny("mail.mailbox.create", "an address that is bound", { ours: { named: { service: false, recordSet: false, mailbox: true, member: false, route: null } }, denies: ["GATE_05_ADDRESS_BOUND"] });
// 6
deny("service.deploy", "no CPU meter", { facts: { meters: (factsFor(opened("imvu.exit")).meters ?? []).filter((one) => one !== "compute.cpu") }, denies: ["GATE_06_METER_MISSING"] });
deny("imvu.create", "meters that could not be read", { facts: { meters: null }, denies: ["GATE_06_METER_MISSING"] });
deny("mail.mailbox.create", "no mail meters", { facts: { meters: ["compute.cpu"] }, denies: ["GATE_06_METER_MISSING"] });
// 7
deny("imvu.create", "more memory than is free", { params: { envelope: { ...ENVELOPE, memoryBytes: 21 * GIB } }, denies: ["GATE_07_NODE_FULL"] });
deny("imvu.create", "more storage than is free", { params: { envelope: { ...ENVELOPE, storageBytes: 201 * GIB } }, denies: ["GATE_07_NODE_FULL"] });
deny("imvu.create", "more CPU than the factor allows", { params: { envelope: { ...ENVELOPE, cpuMillis: 14_001 } }, denies: ["GATE_07_NODE_FULL"] });
deny("imvu.scale", "more memory than is free", { params: { envelope: { ...ENVELOPE, memoryBytes: 21 * GIB } }, denies: ["GATE_07_NODE_FULL"] });
deny("imvu.scale", "less memory than is in use", { params: { envelope: { ...ENVELOPE, memoryBytes: GIB - 1 } }, denies: ["GATE_07_IN_USE"] });
deny("imvu.scale", "fewer processes than run", { params: { envelope: { ...ENVELOPE, processes: 11 } }, denies: ["GATE_07_IN_USE"] });
deny("imvu.scale", "less storage than volume and mailboxes hold", { params: { envelope: { ...ENVELOPE, storageBytes: 11 * GIB - 1 } }, denies: ["GATE_07_IN_USE", "GATE_12_SHRINK_WITHOUT_SNAPSHOT"] });
deny("imvu.scale", "engines that do not answer", { facts: { used: null }, denies: ["GATE_07_FIGURES_UNKNOWN"] });
deny("mail.mailbox.create", "a mailbox larger than what is left", { params: { quotaBytes: 39 * GIB + 1 }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("mail.mailbox.create", "one mailbox too many", { ours: { counts: { services: 1, recordSets: 8, mailboxes: 512, routes: 4, members: 4 }, named: { service: false, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("service.deploy", "content larger than what is left", { facts: { blobs: [{ digest: "ab".repeat(32) as never, readable: true, bytes: 40 * GIB }] }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("service.deploy", "one service too many", { ours: { counts: { services: 32, recordSets: 8, mailboxes: 1, routes: 4, members: 4 }, named: { service: false, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("service.deploy", "more services than processes allow", { ours: { envelope: { ...ENVELOPE, processes: 8 }, counts: { services: 4, recordSets: 8, mailboxes: 1, routes: 4, members: 4 }, named: { service: false, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("dns.set", "one record set too many", { ours: { counts: { services: 1, recordSets: 2_000, mailboxes: 1, routes: 4, members: 4 }, named: { service: false, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("route.set", "one route too many", { ours: { counts: { services: 1, recordSets: 8, mailboxes: 1, routes: 256, members: 4 }, named: { service: true, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("imvu.member.set", "one member too many", { ours: { counts: { services: 1, recordSets: 8, mailboxes: 1, routes: 4, members: 64 } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
// 8
deny("route.set", "a host in nobody's zone", { params: { host: fqdn("www.evil.com") }, denies: ["GATE_08_FOREIGN_HOST"] });
deny("route.set", "a wildcard", { params: { host: fqdn(`*.${ZONE}`) }, denies: ["GATE_08_NOT_A_HOST"] });
deny("route.set", "an underscore", { params: { host: fqdn(`_dmarc.${ZONE}`) }, denies: ["GATE_08_NOT_A_HOST"] });
deny("route.set", "a service that is not there", { ours: { named: { service: false, recordSet: false, mailbox: false, member: false, route: null } }, denies: ["GATE_08_SERVICE_UNKNOWN"] });
deny("route.set", "restricted to nobody", { params: { class: "restricted" }, denies: ["GATE_08_ROLE_MISSING"] });
deny("route.set", "public with a role", { params: { role: "owner" }, denies: ["GATE_08_ROLE_UNUSED"] });
// 9
deny("imvu.create", "a node elsewhere", { params: { jurisdiction: "US-CCPA" as Jurisdiction }, denies: ["GATE_09_WRONG_JURISDICTION"] });
deny("service.deploy", "a node elsewhere", { ours: { jurisdiction: "US-CCPA" as Jurisdiction }, denies: ["GATE_09_WRONG_JURISDICTION"] });
deny("service.restart", "a node nobody knows", { facts: { node: null }, denies: ["GATE_09_JURISDICTION_UNKNOWN"] });
// 10
deny("consent.record", "a history that could not be read", { facts: { consent: null }, denies: ["GATE_10_HISTORY_UNKNOWN"] });
deny("consent.record", "a withdrawal of nothing", { params: { state: "withdrawn" }, denies: ["GATE_10_NOTHING_TO_WITHDRAW"] });
deny("consent.record", "a second withdrawal", { params: { state: "withdrawn" }, facts: { consent: { state: "withdrawn", text: "ab".repeat(32) as never } }, denies: ["GATE_10_NOTHING_TO_WITHDRAW"] });
deny("consent.record", "the same text again", { facts: { consent: { state: "given", text: "ab".repeat(32) as never } }, denies: ["GATE_10_GIVEN_ALREADY"] });
deny("platform.tariff.publish", "a month that begins in less than thirty days", { params: { validFrom: new Date(Date.UTC(new Date(MONTH_AFTER).getUTCFullYear(), new Date(MONTH_AFTER).getUTCMonth() - 1, 1)).toISOString() }, denies: ["GATE_06_TARIFF_TOO_SOON"] });
deny("platform.tariff.publish", "what was published before is not known", { facts: { tariffs: null }, denies: ["GATE_06_TARIFFS_UNKNOWN"] });
deny("platform.tariff.publish", "the first of a currency, for a month that is over", { params: { validFrom: "2026-08-01T00:00:00.000Z" }, facts: { tariffs: { published: false } }, denies: ["GATE_06_TARIFF_TOO_SOON"] });
deny("imvu.import", "another time zone than the bundle has", { params: { timeZone: "Europe/Berlin" as TimeZone }, denies: ["GATE_06_TERMS_DIFFER"] });
deny("imvu.import", "another currency than the bundle has", { params: { currency: "USD" as Currency }, denies: ["GATE_06_TERMS_DIFFER"] });
deny("imvu.budget.set", "another currency than the unit's", { params: { currency: "USD" as Currency }, denies: ["GATE_06_BUDGET_CURRENCY"] });
deny("imvu.budget.set", "a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("imvu.budget.set", "a stranger", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
for (const op of ["imvu.create", "imvu.import"] as const) {
  deny(op, "a currency in which nothing has a price", { facts: { tariffs: { published: false } }, denies: ["GATE_06_CURRENCY_WITHOUT_TARIFF"] });
  deny(op, "prices that could not be read", { facts: { tariffs: null }, denies: ["GATE_06_CURRENCY_WITHOUT_TARIFF"] });
}
for (const op of ["revenue.record", "revenue.reverse"] as const) {
  deny(op, "another currency than the unit's", { params: { currency: "USD" as Currency }, denies: ["GATE_06_REVENUE_CURRENCY"] });
  deny(op, "the currency of most units, where this one has another", { ours: { currency: "USD" as Currency }, denies: ["GATE_06_REVENUE_CURRENCY"] });
}
deny("platform.tariff.publish", "a month that is over", { params: { validFrom: "2020-01-01T00:00:00.000Z" }, denies: ["GATE_06_TARIFF_TOO_SOON"] });
deny("platform.tariff.publish", "an owner", { by: ["owner"], facts: { operators: { count: 1, signers: [], registered: false, operator: false } }, denies: ["GATE_01_NOT_AN_OPERATOR"] });

const BOOKED = { known: null, left: "12.34", since_ms: NOW - 1_000 };
for (const op of ["revenue.record", "revenue.reverse"] as const) {
  const at = (ms: number) => ({ at: new Date(NOW + ms).toISOString() });
  deny(op, "what was recorded before is not known", { facts: { revenue: null }, denies: ["GATE_06_REVENUE_UNKNOWN"] });
  deny(op, "the same source id once more", { facts: { revenue: { ...BOOKED, known: { index: 7, same: true } } }, denies: ["GATE_06_REVENUE_RECORDED"] });
  deny(op, "the source id of something else", { facts: { revenue: { ...BOOKED, known: { index: 7, same: false } } }, denies: ["GATE_06_REVENUE_RECORDED"] });
  deny(op, "before it was made", { params: at(60_001), denies: ["GATE_06_REVENUE_AHEAD"] });
  deny(op, "before the unit was there", { params: at(-1_001), denies: ["GATE_06_REVENUE_BEFORE_UNIT"] });
  deny(op, "a unit that was never read", { facts: { revenue: { ...BOOKED, since_ms: null } }, denies: ["GATE_06_REVENUE_BEFORE_UNIT"] });
}
deny("revenue.reverse", "a sale that is not there", { facts: { revenue: { ...BOOKED, left: null } }, denies: ["GATE_06_REVERSES_NOTHING"] });
deny("revenue.reverse", "more than is left", { facts: { revenue: { ...BOOKED, left: "2.33" } }, denies: ["GATE_06_REVERSES_TOO_MUCH"] });
for (const op of ["platform.payout.execute", "platform.payout.return"] as const) {
  deny(op, "a payout that is not there", { facts: { payout: null }, denies: ["GATE_06_PAYOUT_UNKNOWN"] });
  deny(op, "one that came back", { facts: { payout: { state: "returned" } }, denies: ["GATE_06_PAYOUT_STATE"] });
  deny(op, "before it happened", { params: { at: new Date(NOW + 60_001).toISOString() }, denies: ["GATE_06_PAYOUT_AHEAD"] });
  deny(op, "one of two operators alone", { by: ["operator"], facts: { operators: operators({ signers: ["operator" as never] }) }, denies: ["GATE_01_SECOND_OPERATOR_MISSING"] });
  deny(op, "a creator", { by: ["owner"], facts: { operators: operators({ signers: [] }), payout: null }, denies: ["GATE_01_NOT_AN_OPERATOR", "GATE_06_PAYOUT_UNKNOWN"] });
}
deny("platform.payout.execute", "twice", { facts: { payout: { state: "executed" } }, denies: ["GATE_06_PAYOUT_STATE"] });
for (const who of ["maintainer", "billing", "viewer"] as const) deny("imvu.payout.account", `a ${who}`, { by: [who], denies: ["GATE_01_ROLE", "GATE_14_NOT_THE_OWNERS_WILL"], told: "GATE_14_NOT_THE_OWNERS_WILL" });
deny("imvu.payout.account", "an operator", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"], told: "GATE_14_NOT_THE_OWNERS_WILL" });
deny("revenue.record", "a viewer", { by: ["viewer"], denies: ["GATE_01_ROLE"] });
deny("revenue.reverse", "an operator", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
const THERE: NonNullable<Facts["erasure"]> = { commitment: "ab".repeat(32) as never, kind: "consent", digest: "ab".repeat(32) as never, exp_ms: NOW - 1, outcome: { index: 5, commitment: "ab".repeat(32) as never }, earlier: 0 };
for (const op of ["imvu.erase", "platform.erase"] as const) {
  deny(op, "an index where nothing of the kind stands", { facts: { erasure: null }, denies: ["GATE_11_NO_SUCH_ENTRY"] });
  deny(op, "another commitment", { params: { commitment: "cd".repeat(32) as never }, denies: ["GATE_11_OTHER_COMMITMENT"] });
  deny(op, "a body that is gone", { facts: { erasure: { ...THERE, kind: "erased" } }, denies: ["GATE_11_ERASED_ALREADY"] });
  deny(op, "a reading, a key, anything that more is told from", { facts: { erasure: { ...THERE, kind: "other" } }, denies: ["GATE_11_NOT_ERASABLE"] });
  deny(op, "a command that could still be sent once more", { facts: { erasure: { ...THERE, exp_ms: NOW } }, denies: ["GATE_11_STILL_VALID"] });
  passes(op, "a refused command", {}, op === "imvu.erase" ? ["owner"] : ["operator", "maintainer"], {}, { erasure: { ...THERE, kind: "refused", outcome: null } });
}
deny("imvu.erase", "a withdrawal while what it withdrew stands", { facts: { erasure: { ...THERE, earlier: 1 } }, denies: ["GATE_10_EARLIER_STANDS"] });
deny("imvu.erase", "a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("platform.erase", "an owner", { by: ["owner"], facts: { operators: { count: 1, signers: [], registered: false, operator: false } }, denies: ["GATE_01_NOT_AN_OPERATOR"] });
deny("platform.erase", "one operator of two", { by: ["operator"], facts: { operators: { count: 2, signers: ["operator" as never], registered: false, operator: false } }, denies: ["GATE_01_SECOND_OPERATOR_MISSING"] });
deny("consent.record", "a viewer", { by: ["viewer"], denies: ["GATE_01_ROLE"] });
// 11, 17
deny("imvu.exit", "a ledger that does not write", { facts: { platform: { ledgerWritable: false, keyLoaded: true } }, denies: ["GATE_11_LEDGER_UNAVAILABLE"] });
deny("imvu.exit", "a platform without its key", { facts: { platform: { ledgerWritable: true, keyLoaded: false } }, denies: ["GATE_17_PLATFORM_KEY_MISSING"] });
// 12
deny("imvu.scale", "smaller storage", { params: { envelope: { ...ENVELOPE, storageBytes: 20 * GIB } }, denies: ["GATE_12_SHRINK_WITHOUT_SNAPSHOT"] });
deny("mail.mailbox.remove", "a mailbox with messages", { facts: { used: used({ mailboxMessages: 3 }) }, denies: ["GATE_12_MAILBOX_NOT_EMPTY"] });
deny("mail.mailbox.remove", "a mailbox that could not be read", { facts: { used: used({ mailboxMessages: null }) }, denies: ["GATE_12_CONTENT_UNKNOWN"] });
const TAKEN = { count: 2, fresh: { id: "S2", at_ms: NOW - 1_000 }, rested_ms: null };
deny("imvu.snapshot.restore", "with no snapshot of what is there now", { facts: { snapshots: { ...TAKEN, fresh: null } }, denies: ["GATE_12_RESTORE_WITHOUT_SNAPSHOT"] });
deny("imvu.snapshot.restore", "with one that is older than a quarter of an hour", { facts: { snapshots: { ...TAKEN, fresh: { id: "S2", at_ms: NOW - 900_001 } } }, denies: ["GATE_12_RESTORE_WITHOUT_SNAPSHOT"] });
deny("imvu.snapshot.restore", "by a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("imvu.snapshot.remove", "by a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("imvu.snapshot.remove", "the one that a restore of this hour rests on", { facts: { snapshots: { ...TAKEN, rested_ms: NOW - 3_599_999 } }, denies: ["GATE_12_SNAPSHOT_RESTED_ON"] });
for (const op of ["imvu.snapshot.restore", "imvu.snapshot.remove"] as const) deny(op, "which there are is not known", { facts: { snapshots: null }, denies: ["GATE_12_SNAPSHOTS_UNKNOWN"] });
for (const op of ["imvu.snapshot.create", "imvu.snapshot.restore", "imvu.snapshot.remove"] as const) {
  deny(op, "of another's IMVU", { imvu: THEIRS, denies: [...(op === "imvu.snapshot.remove" ? ["GATE_01_NOT_A_MEMBER", "GATE_12_CONTENT_UNKNOWN"] : op === "imvu.snapshot.restore" ? ["GATE_01_NOT_A_MEMBER", "GATE_09_JURISDICTION_UNKNOWN", "GATE_12_CONTENT_UNKNOWN"] : ["GATE_01_NOT_A_MEMBER", "GATE_07_FIGURES_UNKNOWN", "GATE_09_JURISDICTION_UNKNOWN"]), "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
  deny(op, "by an operator", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
}
deny("imvu.snapshot.create", "a seventeenth", { facts: { snapshots: { ...TAKEN, count: 16 } }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("imvu.snapshot.create", "on a full volume", { facts: { used: used({ storageBytes: 50 * GIB - 8 * 1024 ** 2 + 1 }) }, denies: ["GATE_07_QUOTA_EXCEEDED"] });
deny("imvu.snapshot.create", "on a volume that could not be read", { facts: { used: null }, denies: ["GATE_07_FIGURES_UNKNOWN"] });
deny("imvu.snapshot.create", "how many there are is not known", { facts: { snapshots: null }, denies: ["GATE_07_FIGURES_UNKNOWN"] });
deny("imvu.snapshot.create", "by a viewer", { by: ["viewer"], denies: ["GATE_01_ROLE"] });
// 13
for (const op of ["imvu.snapshot.restore", "imvu.snapshot.remove"] as const) deny(op, "while an export is written", { ours: { status: "exiting" }, denies: ["GATE_13_EXIT_IN_PROGRESS"] });
for (const op of ["service.remove", "dns.remove", "mail.mailbox.remove", "route.remove"] as const) deny(op, "while an export is written", { ours: { status: "exiting" }, denies: ["GATE_13_EXIT_IN_PROGRESS"] });
deny("service.deploy", "after the exit", { ours: { status: "exited" }, denies: ["GATE_13_EXITED"] });
for (const op of ["imvu.member.set", "imvu.member.remove"] as const) {
  deny(op, "a maintainer without the owner's approval", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
  deny(op, "an operator", { by: ["operator"], denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });
}
// 14
for (const op of ["dns.set", "dns.remove", "mail.mailbox.create", "mail.mailbox.password", "route.set", "route.remove", "service.remove"] as const) {
  deny(op, "an operator", { by: ["operator"], denies: op === "route.set" ? ["GATE_01_NOT_A_MEMBER", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_15_OWNER_APPROVAL_MISSING", "GATE_16_FORBIDDEN"] : ["GATE_01_NOT_A_MEMBER", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_16_FORBIDDEN"], told: "GATE_14_NOT_THE_OWNERS_WILL" });
}
// 15
deny("imvu.scale", "down by a maintainer", { by: ["maintainer"], params: { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, denies: ["GATE_01_ROLE", "GATE_15_OWNER_APPROVAL_MISSING"], told: "GATE_15_OWNER_APPROVAL_MISSING" });
deny("imvu.scale", "down by an operator", { by: ["operator"], params: { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, denies: ["GATE_01_NOT_A_MEMBER", "GATE_15_OWNER_APPROVAL_MISSING", "GATE_16_FORBIDDEN"], told: "GATE_15_OWNER_APPROVAL_MISSING" });
deny("imvu.scale", "down by an operator with an operator's approval", { by: ["operator", "newcomer"], params: { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, denies: ["GATE_01_NOT_A_MEMBER", "GATE_15_OWNER_APPROVAL_MISSING", "GATE_16_FORBIDDEN"], told: "GATE_15_OWNER_APPROVAL_MISSING" });
deny("imvu.scale", "up by a maintainer", { by: ["maintainer"], denies: ["GATE_01_ROLE"] });
deny("route.set", "a lower rate by a maintainer", { by: ["maintainer"], params: { ratePerMinute: 10 }, ours: { named: { service: true, recordSet: false, mailbox: false, member: false, route: { ratePerMinute: 100 } } }, denies: ["GATE_15_OWNER_APPROVAL_MISSING"] });
deny("route.set", "a rate where there was none, by a maintainer", { by: ["maintainer"], params: { ratePerMinute: 10 }, denies: ["GATE_15_OWNER_APPROVAL_MISSING"] });
// 16
deny("service.deploy", "a neighbour's content by its digest", { facts: { blobs: [{ digest: "ab".repeat(32) as never, readable: false, bytes: 0 }] }, denies: ["GATE_16_BLOB_FORBIDDEN"] });
deny("imvu.import", "somebody else's bundle", { by: ["operator"], denies: ["GATE_16_BUNDLE_FORBIDDEN"] });
deny("imvu.import", "a bundle that lists other keys", { facts: { bundle: { manifest: "ab".repeat(32) as never, sourceId: OURS, zone: fqdn("imvu007.world"), envelope: ENVELOPE, flaws: [], ownerKids: ["x" as KeyId] } }, denies: ["GATE_16_BUNDLE_FORBIDDEN"] });
deny("imvu.import", "a bundle of another IMVU than it says", { params: { sourceId: THEIRS }, denies: ["GATE_16_BUNDLE_FORBIDDEN"] });
deny("imvu.import", "another bundle than was signed for", { params: { manifest: "cd".repeat(32) as never }, denies: ["GATE_16_BUNDLE_FORBIDDEN"] });
deny("imvu.import", "a bundle that could not be read", { facts: { bundle: null }, denies: ["GATE_02_LOCAL_IMAGE", "GATE_03_ZONE_UNKNOWN", "GATE_04_FOREIGN_NAME", "GATE_05_ZONE_UNKNOWN", "GATE_07_FIGURES_UNKNOWN", "GATE_08_FOREIGN_HOST", "GATE_16_BUNDLE_FORBIDDEN"] });
for (const [gate, code, denied] of [[2, "LOCAL_IMAGE", "GATE_02_LOCAL_IMAGE"], [4, "APEX_PROTECTED", "GATE_04_APEX_PROTECTED"], [5, "ADDRESS_BOUND", "GATE_05_ADDRESS_BOUND"], [7, "QUOTA_EXCEEDED", "GATE_07_QUOTA_EXCEEDED"], [8, "ROLE_MISSING", "GATE_08_ROLE_MISSING"], [8, "UNHEARD_OF", "GATE_08_FOREIGN_HOST"]] as const)
  deny("imvu.import", `a part that gate ${gate} refuses (${code})`, { facts: { bundle: { manifest: "ab".repeat(32) as never, sourceId: OURS, zone: fqdn("imvu007.world"), envelope: ENVELOPE, flaws: [{ gate, code, what: "a part" }], ownerKids: [KEYS.owner.kid] } }, denies: [denied] });
deny("imvu.exit", "of another's IMVU", { imvu: THEIRS, denies: ["GATE_01_NOT_A_MEMBER", "GATE_16_FORBIDDEN"], told: "GATE_16_FORBIDDEN" });

for (const one of list) {
  test(`${one.op} – ${one.what}: ${one.told ?? one.denies[0]}`, () => {
    const command = opened(one.op, one.params as never, one.by ?? undefined, one.imvu);
    const ours = one.ours ? { imvu: imvuOf(one.op, one.ours) } : {};
    const facts = factsFor(command, { ...ours, ...one.facts });
    const verdicts = judge(command, facts);
    assert.deepEqual(verdicts.flatMap(({ code }) => code ?? []), one.denies);
    const refusal = refusalOf(command.command, facts, verdicts, 41);
    assert.equal(refusal?.code, one.told ?? one.denies[0]);
    assert.equal(refusal?.ledgerIndex, 41);
    assert.ok(refusal.message.includes(`gate ${refusal.gate}`) && refusal.hint.length > 0);
  });
}

function passes<O extends Op>(op: O, what: string, params: Partial<Params<O>>, by: readonly Person[], ours: Partial<ImvuFacts> = {}, more: Partial<Facts> = {}): void {
  test(`${op} – ${what}: passes`, () => {
    const command = opened(op, params, by);
    const verdicts = judge(command, factsFor(command, { imvu: imvuOf(op, ours), ...more }));
    assert.deepEqual(verdicts.flatMap(({ code }) => code ?? []), []);
  });
}

passes("identity.register", "with a recovery key", { recoveryKey: KEYS.fresh.publicKey.text }, ["newcomer"]);
passes("identity.key.revoke", "the only key, with a recovery key", {}, ["owner"], {}, { identity: ring({ liveKeys: 1 }) });
passes("identity.recovery.set", "the first recovery key", {}, ["owner", "fresh"], {}, { identity: ring({ recoveryKid: null }) });
passes("identity.recovery.begin", "again while one waits: the clock starts anew", {}, ["recovery", "fresh"]);
passes("platform.operator.add", "by two of two", {}, ["operator", "maintainer"], {}, { operators: operators({ operator: false }) });
passes("imvu.scale", "down by the owner", { envelope: { ...ENVELOPE, cpuMillis: 1_000, memoryBytes: 2 * GIB, burst: null } }, ["owner"]);
passes("imvu.scale", "down by a maintainer with the owner's approval", { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, ["maintainer", "owner"]);
passes("imvu.scale", "by an operator with the owner's approval", { envelope: { ...ENVELOPE, iops: 50 } }, ["operator", "owner"]);
passes("imvu.scale", "down on a node that is over-full", { envelope: { ...ENVELOPE, cpuMillis: 1_000 } }, ["owner"], {}, {
  node: { name: "eu-1", jurisdictions: ["EU-GDPR" as Jurisdiction], capacity: { cpuMillis: 1, memoryBytes: 1, storageBytes: 1 }, allocated: { cpuMillis: 9, memoryBytes: 9, storageBytes: 9 } },
});
passes("imvu.member.set", "by a maintainer with the owner's approval", {}, ["maintainer", "owner"]);
passes("imvu.member.set", "another role for one of as many members as may be", {}, ["owner"], { counts: { services: 1, recordSets: 8, mailboxes: 1, routes: 4, members: 64 }, named: { service: false, recordSet: false, mailbox: false, member: true, route: null } });
passes("consent.record", "another text", {}, ["maintainer"], {}, { consent: { state: "given", text: "cd".repeat(32) as never } });
passes("consent.record", "given again after a withdrawal", {}, ["owner"], {}, { consent: { state: "withdrawn", text: "ab".repeat(32) as never } });
passes("consent.record", "withdrawn after it was given", { state: "withdrawn" }, ["owner"], {}, { consent: { state: "given", text: "cd".repeat(32) as never } });
passes("dns.set", "by a maintainer", {}, ["maintainer"]);
passes("dns.set", "NS under the apex: a delegation of one's own", { name: fqdn(`lab.${ZONE}`), type: "NS" }, ["owner"]);
passes("dns.set", "TXT at the apex", { name: ZONE, type: "TXT" }, ["owner"]);
passes("route.set", "a lower rate by the owner", { ratePerMinute: 10 }, ["owner"], { named: { service: true, recordSet: false, mailbox: false, member: false, route: { ratePerMinute: 100 } } });
passes("route.set", "restricted with a role", { class: "restricted", role: "viewer" }, ["maintainer"]);
passes("service.deploy", "an image of a registry", { source: { kind: "image", ref: "docker.io/library/nginx:1.27" } }, ["maintainer"]);
passes("service.deploy", "an image of a registry with a port", { source: { kind: "image", ref: "registry.example.org:5000/team/app@sha256:0123" } }, ["owner"]);
passes("service.deploy", "while an export is written: the IMVU lives on", {}, ["owner"], { status: "exiting" });
passes("mail.mailbox.create", "exactly what is left", { quotaBytes: 39 * GIB }, ["owner"]);
passes("imvu.snapshot.create", "by a maintainer, the sixteenth, with just room enough", {}, ["maintainer"], {}, { snapshots: { ...TAKEN, count: 15 }, used: used({ storageBytes: 50 * GIB - 8 * 1024 ** 2 }) });
passes("imvu.snapshot.restore", "with one a quarter of an hour old", {}, ["owner"], {}, { snapshots: { ...TAKEN, fresh: { id: "S2", at_ms: NOW - 900_000 } } });
passes("imvu.snapshot.restore", "by a maintainer with the owner's approval", {}, ["maintainer", "owner"]);
passes("imvu.snapshot.remove", "an hour after a restore rested on it", {}, ["owner"], {}, { snapshots: { ...TAKEN, rested_ms: NOW - 3_600_000 } });
passes("imvu.exit", "in any state", {} as never, ["owner"], { status: "exited" });
passes("imvu.payout.account", "after the unit has left: what is owed is paid still", {}, ["owner"], { status: "exited" });
passes("imvu.payout.account", "of a maintainer, with the owner's signature over it", {}, ["maintainer", "owner"]);

test("gate 1: a command that would live longer than seven days, or not at all, is denied", () => {
  const one = opened("dns.set");
  for (const [exp, code] of [[NOW + 604_800_001, "GATE_01_LIFETIME"], [NOW, "GATE_01_LIFETIME"], [NOW - 1, "GATE_01_LIFETIME"], [NOW + 604_800_000, undefined], [NOW + 1, undefined]] as const) {
    assert.equal(judge({ ...one, command: { ...one.command, exp } as never }, factsFor(one))[0]?.code, code, String(exp - NOW));
  }
});

test("only what nothing but the owner's approval stands against is said to want it", () => {
  const wants = (op: Op, by: readonly Person[], params: object, facts: Partial<Facts> = {}) => {
    const command = opened(op, params, by);
    return wantsApproval(judge(command, factsFor(command, facts)));
  };
  const down = { envelope: { ...ENVELOPE, cpuMillis: 1_000 } };
  assert.ok(wants("imvu.scale", ["maintainer"], down));
  assert.ok(wants("dns.set", ["viewer"], {}));
  assert.ok(!wants("imvu.scale", ["owner"], down));
  assert.ok(!wants("imvu.scale", ["maintainer"], { envelope: { ...ENVELOPE, cpuMillis: 1_000, memoryBytes: 21 * GIB } }));
  assert.ok(!wants("imvu.scale", ["maintainer"], down, { nonceSeen: true }));
});

test("gate 6: no command but the operators' own tariff has a field in which somebody could state usage or a price, and a sale and a budget have their amount alone", () => {
  const money = /usage|price|amount|quantity|meter|reading|tariff|cost|fee|share|percent/i;
  for (const [op, schema] of Object.entries(COMMAND_PARAMS)) {
    if (op === "platform.tariff.publish") continue;
    const fields = Object.keys(schema.shape).filter((field) => money.test(field));
    assert.deepEqual(fields, op.startsWith("revenue.") || op === "imvu.budget.set" ? ["amount"] : [], op);
  }
});
