import type { Command, Envelope, Op } from "../../src/contract/index.ts";
import type { Facts } from "../../src/core/policy-engine/index.ts";

/**
 * The seventeen gates once more, without any of the product's code and without cleverness: every rule is spelled out where it is needed, tables
 * and limits included. A slip in the product must be made here a second time to go unnoticed.
 */
export type NaiveAnswer = "pass" | "not-applicable" | (string & {});

/** Which gates judge which command. */
const JUDGES: Readonly<Record<Op, readonly number[]>> = {
  "identity.register": [1, 11, 17],
  "identity.key.add": [1, 11, 17],
  "identity.key.rotate": [1, 11, 17],
  "identity.key.revoke": [1, 11, 17],
  "identity.recovery.set": [1, 11, 17],
  "identity.recovery.begin": [1, 11, 17],
  "identity.recovery.object": [1, 11, 17],
  "identity.recovery.complete": [1, 11, 17],
  "platform.operator.add": [1, 11, 17],
  "platform.operator.remove": [1, 11, 17],
  "platform.erase": [1, 11, 17],
  "platform.tariff.publish": [1, 6, 11, 17],
  "platform.payout.execute": [1, 6, 11, 17],
  "platform.payout.return": [1, 6, 11, 17],
  "platform.billing.set": [1, 11, 17],
  "imvu.create": [1, 3, 5, 6, 7, 9, 11, 16, 17],
  "imvu.scale": [1, 6, 7, 9, 11, 12, 13, 15, 16, 17],
  "imvu.exit": [1, 11, 13, 16, 17],
  "imvu.import": [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17],
  "imvu.member.set": [1, 7, 11, 13, 16, 17],
  "imvu.member.remove": [1, 11, 13, 16, 17],
  "service.deploy": [1, 2, 6, 7, 9, 11, 13, 16, 17],
  "service.restart": [1, 6, 9, 11, 13, 16, 17],
  "service.remove": [1, 11, 13, 14, 16, 17],
  "dns.set": [1, 4, 7, 11, 13, 14, 16, 17],
  "dns.remove": [1, 4, 11, 13, 14, 16, 17],
  "mail.mailbox.create": [1, 5, 6, 7, 9, 11, 13, 14, 16, 17],
  "mail.mailbox.password": [1, 5, 11, 13, 14, 16, 17],
  "mail.mailbox.remove": [1, 5, 11, 12, 13, 14, 16, 17],
  "route.set": [1, 2, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17],
  "route.remove": [1, 11, 13, 14, 16, 17],
  "consent.record": [1, 10, 11, 13, 16, 17],
  "revenue.record": [1, 6, 11, 13, 16, 17],
  "revenue.reverse": [1, 6, 11, 13, 16, 17],
  "imvu.payout.account": [1, 11, 14, 16, 17],
  "imvu.billing.set": [1, 11, 13, 16, 17],
  "imvu.snapshot.create": [1, 6, 7, 9, 11, 13, 16, 17],
  "imvu.snapshot.restore": [1, 6, 9, 11, 12, 13, 16, 17],
  "imvu.snapshot.remove": [1, 11, 12, 13, 16, 17],
  "imvu.budget.set": [1, 6, 11, 13, 16, 17],
  "imvu.erase": [1, 10, 11, 13, 16, 17],
};

const WORK_OF_MAINTAINERS: readonly Op[] = [
  "service.deploy", "service.restart", "service.remove", "dns.set", "dns.remove", "mail.mailbox.create", "mail.mailbox.password", "mail.mailbox.remove", "route.set", "route.remove", "consent.record", "imvu.snapshot.create",
];

const MINUTE = 60 * 1000;
const WEEK = 7 * 24 * 60 * MINUTE;

export type Case = { readonly command: Command; readonly facts: Facts; readonly kidOf: (publicKey: string) => string };

export function naiveJudge(one: Case): readonly NaiveAnswer[] {
  const rules = [gate1, gate2, gate3, gate4, gate5, gate6, gate7, gate8, gate9, gate10, gate11, gate12, gate13, gate14, gate15, gate16, gate17];
  return rules.map((rule, at) => {
    if (!JUDGES[one.command.op].includes(at + 1)) return "not-applicable";
    const code = rule(one);
    return code === null ? "pass" : `GATE_${at + 1 < 10 ? "0" : ""}${at + 1}_${code}`;
  });
}

// ---- who is who

function isGood(signature: Facts["signatures"][number] | undefined): boolean {
  if (signature === undefined) return false;
  if (signature.valid === false) return false;
  if (signature.status !== "live") return false;
  return signature.identity !== null;
}

function actor({ facts }: Case): string | null {
  const first = facts.signatures[0];
  return first !== undefined && isGood(first) ? first.identity : null;
}

/** The IMVU that is commanded, if it is there. */
function unit({ command, facts }: Case): Facts["imvu"] {
  if (facts.imvu === null) return null;
  if (facts.imvu.id !== command.imvu) return null;
  return facts.imvu;
}

function ownerApproves(one: Case): boolean {
  const imvu = unit(one);
  if (imvu === null) return false;
  for (const signature of one.facts.signatures) if (isGood(signature) && signature.identity === imvu.owner) return true;
  return false;
}

function role(one: Case): "owner" | "maintainer" | "billing" | "viewer" | "none" {
  const who = actor(one);
  const imvu = unit(one);
  if (who === null || imvu === null) return "none";
  if (who === imvu.owner) return "owner";
  for (const member of imvu.members) {
    if (member.identity !== who) continue;
    // There is one owner, and the document names him; a list that calls somebody else so is not believed.
    return member.role === "owner" ? "none" : member.role;
  }
  return "none";
}

function mayCommand(one: Case): boolean {
  if (actor(one) === null) return false;
  if (ownerApproves(one)) return true;
  if (role(one) === "owner") return true;
  if (one.command.op === "imvu.budget.set") return role(one) === "billing";
  if (one.command.op === "revenue.record" || one.command.op === "revenue.reverse") return role(one) === "billing" || role(one) === "maintainer";
  if (one.command.op === "imvu.billing.set") return role(one) === "billing";
  return role(one) === "maintainer" && WORK_OF_MAINTAINERS.includes(one.command.op);
}

function isStranger(one: Case): boolean {
  if (one.command.imvu === null) return false;
  if (actor(one) === null) return true;
  if (role(one) !== "none") return false;
  return !ownerApproves(one);
}

function within(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function belongsToAnother(name: string, { command, facts }: Case): boolean {
  for (const claim of facts.zoneClaims) if (claim.imvu !== command.imvu && within(name, claim.zone)) return true;
  return false;
}

// ---- the seventeen: null lets pass, a text denies

function gate1(one: Case): string | null {
  const { command, facts } = one;
  if (command.exp <= command.iat) return "LIFETIME";
  if (command.exp - command.iat > WEEK) return "LIFETIME";
  if (command.iat > facts.now_ms + MINUTE) return "NOT_YET_VALID";
  if (command.exp < facts.now_ms) return "EXPIRED";
  if (facts.nonceSeen) return "REPLAYED";
  if (command.op === "identity.register") return registration(one);
  const arriving = arrivingKids(one);
  let place = 0;
  for (const signature of facts.signatures) {
    const first = place === 0;
    place += 1;
    if (arriving.includes(signature.kid)) {
      if (signature.status !== "unknown") return "KEY_TAKEN";
      if (!signature.valid) return "SIGNATURE_INVALID";
      continue;
    }
    if (signature.status === "unknown") return "KEY_UNKNOWN";
    if (signature.identity === null) return "KEY_UNKNOWN";
    if (signature.status === "revoked") return "KEY_REVOKED";
    if (signature.status === "rotated") return "KEY_ROTATED";
    if (signature.status === "recovery") {
      const begins = command.op === "identity.recovery.begin" && first;
      const givesWay = command.op === "identity.recovery.set" && !first;
      if (!begins && !givesWay) return "KEY_RECOVERS_ONLY";
    }
    if (signature.status === "pending") {
      if (command.op !== "identity.recovery.complete") return "KEY_RECOVERS_ONLY";
      if (!first) return "KEY_RECOVERS_ONLY";
    }
    if (!signature.valid) return "SIGNATURE_INVALID";
  }
  if (command.op.startsWith("identity.")) return ownKeys(one, arriving);
  if (facts.signatures.length === 0) return "SIGNATURE_INVALID";
  if (command.op.startsWith("platform.")) return operatorsCommand(one);
  if (command.op === "imvu.create") return command.params.owner === actor(one) ? null : "NOT_THE_OWNER";
  if (command.op === "imvu.import") return null;
  if (mayCommand(one)) return null;
  return role(one) === "none" ? "NOT_A_MEMBER" : "ROLE";
}

/** Every key in the params of a command that makes one known. */
function arrivingKids({ command, kidOf }: Case): readonly string[] {
  const params = command.params as { publicKey?: string; recoveryKey?: string };
  if (!["identity.register", "identity.key.add", "identity.key.rotate", "identity.recovery.set", "identity.recovery.begin"].includes(command.op)) return [];
  const kids: string[] = [];
  if (params.publicKey !== undefined) kids.push(kidOf(params.publicKey));
  if (params.recoveryKey !== undefined) kids.push(kidOf(params.recoveryKey));
  return kids;
}

function registration(one: Case): string | null {
  const { facts } = one;
  const [own, spare] = arrivingKids(one);
  if (facts.signatures.length !== 1) return "NOT_SELF_SIGNED";
  const signature = facts.signatures[0] as Facts["signatures"][number];
  if (signature.kid !== own) return "NOT_SELF_SIGNED";
  if (!signature.valid) return "SIGNATURE_INVALID";
  if (facts.registration === null) return "KEY_TAKEN";
  if (facts.registration.keyTaken) return "KEY_TAKEN";
  if (signature.status !== "unknown") return "KEY_TAKEN";
  if (spare === own) return "KEY_TAKEN";
  return facts.registration.nameTaken ? "NAME_TAKEN" : null;
}

function ownKeys({ command, facts }: Case, arriving: readonly string[]): string | null {
  const self = facts.identity;
  if (self === undefined || self === null) return "KEYS_UNREAD";
  if (facts.signatures.length === 0) return "KEYS_UNREAD";
  const lead = facts.signatures[0] as Facts["signatures"][number];
  if (lead.identity !== self.name) return "KEYS_UNREAD";
  const signed = facts.signatures.map(({ kid }) => kid as string);
  if (arriving.includes(lead.kid)) return "NOT_SELF_SIGNED";
  for (const kid of arriving) if (!signed.includes(kid)) return "NOT_SELF_SIGNED";
  if (arriving.length > 0) {
    if (facts.registration === null) return "KEY_TAKEN";
    if (facts.registration.keyTaken) return "KEY_TAKEN";
  }
  for (const kid of signed.slice(1)) {
    if (arriving.includes(kid)) continue;
    if (command.op === "identity.recovery.set" && kid === self.recoveryKid) continue;
    return "UNEXPECTED_SIGNATURE";
  }
  if (arriving.length > 0 && self.keys > 999) return "TOO_MANY_KEYS";
  if (command.op === "identity.key.add") return self.liveKeys > 15 ? "TOO_MANY_KEYS" : null;
  if (command.op === "identity.key.revoke") {
    if (self.named !== "live") return "NO_SUCH_KEY";
    if (self.recoveryKid !== null) return null;
    return self.liveKeys > 1 ? null : "LAST_KEY";
  }
  if (command.op === "identity.recovery.set") {
    if (self.recoveryKid === null) return null;
    return signed.includes(self.recoveryKid) ? null : "RECOVERY_KEY_MISSING";
  }
  if (command.op === "identity.recovery.begin") {
    if (lead.status !== "recovery") return "RECOVERY_KEY_MISSING";
    return command.params.name === self.name ? null : "NOT_YOURS";
  }
  if (command.op === "identity.recovery.object") return self.pendingSince_ms === null ? "NO_RECOVERY" : null;
  if (command.op === "identity.recovery.complete") {
    if (command.params.name !== self.name) return "NOT_YOURS";
    if (lead.status !== "pending") return "NO_RECOVERY";
    if (self.pendingSince_ms === null) return "NO_RECOVERY";
    return facts.now_ms - self.pendingSince_ms < 3 * 24 * 60 * MINUTE ? "RECOVERY_EARLY" : null;
  }
  return null;
}

function operatorsCommand(one: Case): string | null {
  const { command, facts } = one;
  const { operators } = facts;
  const who = actor(one);
  if (who === null) return "NOT_AN_OPERATOR";
  if (operators === undefined || operators === null) return "NOT_AN_OPERATOR";
  if (!(operators.signers as readonly string[]).includes(who)) return "NOT_AN_OPERATOR";
  if (command.op === "platform.operator.add") {
    if (!operators.registered) return "NO_SUCH_IDENTITY";
    if (operators.operator) return "OPERATOR_ALREADY";
  }
  if (command.op === "platform.operator.remove") {
    if (!operators.operator) return "NO_SUCH_OPERATOR";
    if (operators.count < 2) return "LAST_OPERATOR";
  }
  if (operators.count > 1 && operators.signers.length === 1) return "SECOND_OPERATOR_MISSING";
  return null;
}

/** Of an arriving unit the platform noted what stands against its parts; the first of this gate's is its answer. */
function arriving(facts: Facts, gate: number, known: readonly string[], unread: string): string | null {
  if (facts.bundle === null) return unread;
  for (const flaw of facts.bundle.flaws) {
    if (flaw.gate !== gate) continue;
    return known.includes(flaw.code) ? flaw.code : unread;
  }
  return null;
}

function gate2(one: Case): string | null {
  const { command } = one;
  if (command.op === "imvu.import") return arriving(one.facts, 2, ["LOCAL_IMAGE", "FOREIGN_HOST"], "LOCAL_IMAGE");
  if (command.op === "service.deploy" && command.params.source.kind === "image") {
    const { ref } = command.params.source;
    const slash = ref.indexOf("/");
    if (slash < 0) return "LOCAL_IMAGE";
    const [host = "", port, ...more] = ref.slice(0, slash).split(":");
    if (more.length > 0) return "LOCAL_IMAGE";
    if (port !== undefined && !/^[0-9]{1,5}$/.test(port)) return "LOCAL_IMAGE";
    const labels = host.split(".");
    if (labels.length < 2) return "LOCAL_IMAGE";
    for (const label of labels) if (!/^[a-z0-9-]+$/.test(label)) return "LOCAL_IMAGE";
    const last = labels[labels.length - 1] ?? "";
    if (!/^[a-z]/.test(last)) return "LOCAL_IMAGE";
    if (labels[0] === "localhost") return "LOCAL_IMAGE";
    if (last === "local" || last === "internal" || last === "localhost") return "LOCAL_IMAGE";
  }
  if (command.op === "route.set" && belongsToAnother(command.params.host, one)) return "FOREIGN_HOST";
  return null;
}

function gate3({ command, facts }: Case): string | null {
  const zone = facts.newZone;
  if (zone === null) return "ZONE_UNKNOWN";
  if (command.op === "imvu.import") {
    if (zone !== command.params.zone) return "ZONE_UNKNOWN";
    if (facts.bundle === null) return "ZONE_UNKNOWN";
    if (zone !== facts.bundle.zone) return "ZONE_UNKNOWN";
  }
  if (command.op === "imvu.import") for (const claim of facts.zoneClaims) if (claim.imvu === command.params.sourceId) return "ID_TAKEN";
  if (!zone.endsWith(`.${facts.suffix}`)) return "NO_PROOF_OF_CONTROL";
  for (const claim of facts.zoneClaims) if (within(zone, claim.zone) || within(claim.zone, zone)) return "DOMAIN_TAKEN";
  return null;
}

function gate4(one: Case): string | null {
  const { command } = one;
  if (command.op === "imvu.import") return arriving(one.facts, 4, ["FOREIGN_NAME", "APEX_PROTECTED"], "FOREIGN_NAME");
  if (command.op !== "dns.set" && command.op !== "dns.remove") return null;
  const imvu = unit(one);
  if (imvu === null) return "FOREIGN_NAME";
  if (!within(command.params.name, imvu.zone)) return "FOREIGN_NAME";
  if (belongsToAnother(command.params.name, one)) return "FOREIGN_NAME";
  if (command.params.name === imvu.zone && (command.params.type === "NS" || command.params.type === "CNAME")) return "APEX_PROTECTED";
  return null;
}

function gate5(one: Case): string | null {
  const { command, facts } = one;
  if (command.op === "imvu.create") return facts.newZone === null ? "ZONE_UNKNOWN" : null;
  if (command.op === "imvu.import") return arriving(facts, 5, ["FOREIGN_DOMAIN", "ADDRESS_BOUND", "ZONE_UNKNOWN"], "ZONE_UNKNOWN");
  if (command.op !== "mail.mailbox.create" && command.op !== "mail.mailbox.password" && command.op !== "mail.mailbox.remove") return null;
  const imvu = unit(one);
  if (imvu === null) return "FOREIGN_DOMAIN";
  const [, domain] = command.params.address.split("@");
  if (domain !== imvu.zone) return "FOREIGN_DOMAIN";
  if (command.op === "mail.mailbox.create" && imvu.named.mailbox) return "ADDRESS_BOUND";
  return null;
}

const METERS = [
  "compute.cpu", "compute.memory", "compute.storage", "compute.io.read.operations", "compute.io.write.operations", "compute.io.read.bytes", "compute.io.write.bytes",
  "dns.answers", "mail.sent", "mail.received", "mail.storage", "network.in", "network.out",
];

function gate6({ command, facts }: Case): string | null {
  if (command.op === "platform.tariff.publish") {
    const begins = new Date(command.params.validFrom).getTime();
    const days = (begins - facts.now_ms) / (24 * 60 * MINUTE);
    // Commands from before units had time zones were judged by UTC alone.
    if (facts.tariffs === undefined) return days < 30 ? "TARIFF_TOO_SOON" : null;
    if (facts.tariffs === null) return "TARIFFS_UNKNOWN";
    if (facts.tariffs.published) return days * 24 < 30 * 24 + 14 ? "TARIFF_TOO_SOON" : null;
    return new Date(facts.now_ms).toISOString().slice(0, 7) > command.params.validFrom.slice(0, 7) ? "TARIFF_TOO_SOON" : null;
  }
  if (command.op === "imvu.budget.set") {
    const money = facts.imvu === null || facts.imvu.currency === undefined ? "EUR" : facts.imvu.currency;
    return command.params.currency === money ? null : "BUDGET_CURRENCY";
  }
  if (command.op === "revenue.record" || command.op === "revenue.reverse") return sales({ command, facts } as Case);
  if (command.op === "platform.payout.execute" || command.op === "platform.payout.return") return payouts({ command, facts } as Case);
  const of = (kind: string) => METERS.filter((meter) => meter.startsWith(`${kind}.`));
  let needed: readonly string[] = [];
  if (command.op === "imvu.create" || command.op === "imvu.import") needed = METERS;
  if (command.op === "imvu.scale") needed = of("compute");
  if (command.op === "service.deploy" || command.op === "service.restart") needed = [...of("compute"), ...of("network")];
  if (command.op === "imvu.snapshot.create") needed = of("compute");
  if (command.op === "imvu.snapshot.restore") needed = [...of("compute"), ...of("network")];
  if (command.op === "mail.mailbox.create") needed = of("mail");
  if (command.op === "route.set") needed = of("network");
  for (const meter of needed) {
    if (facts.meters === null) return "METER_MISSING";
    if (!(facts.meters as readonly string[]).includes(meter)) return "METER_MISSING";
  }
  if (command.op === "imvu.create" || command.op === "imvu.import") {
    // Commands from before there was a choice carry no such fact.
    if (facts.tariffs === null) return "CURRENCY_WITHOUT_TARIFF";
    if (facts.tariffs !== undefined && !facts.tariffs.published) return "CURRENCY_WITHOUT_TARIFF";
  }
  if (command.op === "imvu.import" && facts.bundle !== null) {
    if ((command.params.timeZone ?? "UTC") !== (facts.bundle.timeZone ?? "UTC")) return "TERMS_DIFFER";
    if ((command.params.currency ?? "EUR") !== (facts.bundle.currency ?? "EUR")) return "TERMS_DIFFER";
  }
  return null;
}

function gate7(one: Case): string | null {
  const { command, facts } = one;
  if (command.op === "imvu.create") return room(command.params.envelope, null, facts);
  if (command.op === "imvu.import") return arriving(facts, 7, ["QUOTA_EXCEEDED"], "FIGURES_UNKNOWN") ?? (facts.bundle === null ? "FIGURES_UNKNOWN" : room(facts.bundle.envelope, null, facts));
  const imvu = unit(one);
  if (imvu === null) return "FIGURES_UNKNOWN";
  const { used } = facts;
  switch (command.op) {
    case "imvu.scale": {
      if (used === null) return "FIGURES_UNKNOWN";
      const [old, next] = [imvu.envelope, command.params.envelope];
      if (next.memoryBytes < old.memoryBytes && used.memoryBytes > next.memoryBytes) return "IN_USE";
      if (next.storageBytes < old.storageBytes && used.storageBytes + imvu.mailQuotaBytes > next.storageBytes) return "IN_USE";
      if (next.processes < old.processes && used.processes > next.processes) return "IN_USE";
      return room(next, old, facts);
    }
    case "service.deploy": {
      if (used === null) return "FIGURES_UNKNOWN";
      let bytes = 0;
      for (const blob of facts.blobs) bytes += blob.bytes;
      if (bytes + used.storageBytes + imvu.mailQuotaBytes > imvu.envelope.storageBytes) return "QUOTA_EXCEEDED";
      if (imvu.named.service) return null;
      const most = Math.min(32, Math.floor(imvu.envelope.processes / 2));
      return imvu.counts.services + 1 > most ? "QUOTA_EXCEEDED" : null;
    }
    case "imvu.snapshot.create":
      if (facts.snapshots === undefined || facts.snapshots === null) return "FIGURES_UNKNOWN";
      if (used === null) return "FIGURES_UNKNOWN";
      if (facts.snapshots.count > 15) return "QUOTA_EXCEEDED";
      return used.storageBytes + 8 * 1024 * 1024 > imvu.envelope.storageBytes ? "QUOTA_EXCEEDED" : null;
    case "mail.mailbox.create":
      if (used === null) return "FIGURES_UNKNOWN";
      if (command.params.quotaBytes + used.storageBytes + imvu.mailQuotaBytes > imvu.envelope.storageBytes) return "QUOTA_EXCEEDED";
      return !imvu.named.mailbox && imvu.counts.mailboxes + 1 > 512 ? "QUOTA_EXCEEDED" : null;
    case "dns.set":
      return !imvu.named.recordSet && imvu.counts.recordSets + 1 > 2000 ? "QUOTA_EXCEEDED" : null;
    case "route.set":
      return imvu.named.route === null && imvu.counts.routes + 1 > 256 ? "QUOTA_EXCEEDED" : null;
    case "imvu.member.set":
      return !imvu.named.member && imvu.counts.members + 1 > 64 ? "QUOTA_EXCEEDED" : null;
    default:
      return null;
  }
}

/** Memory and storage are promised once, CPU eight times over; what does not grow needs no room. */
function room(next: Envelope, old: Envelope | null, facts: Facts): string | null {
  const { node } = facts;
  if (node === null) return "FIGURES_UNKNOWN";
  if (node.allocated === null) return "FIGURES_UNKNOWN";
  if ((old === null || next.cpuMillis > old.cpuMillis) && next.cpuMillis + node.allocated.cpuMillis > 8 * node.capacity.cpuMillis) return "NODE_FULL";
  if ((old === null || next.memoryBytes > old.memoryBytes) && next.memoryBytes + node.allocated.memoryBytes > node.capacity.memoryBytes) return "NODE_FULL";
  if ((old === null || next.storageBytes > old.storageBytes) && next.storageBytes + node.allocated.storageBytes > node.capacity.storageBytes) return "NODE_FULL";
  return null;
}

function gate8(one: Case): string | null {
  const { command } = one;
  if (command.op === "imvu.import") return arriving(one.facts, 8, ["FOREIGN_HOST", "NOT_A_HOST", "SERVICE_UNKNOWN", "ROLE_MISSING", "ROLE_UNUSED"], "FOREIGN_HOST");
  if (command.op !== "route.set") return null;
  const imvu = unit(one);
  if (imvu === null) return "FOREIGN_HOST";
  if (!within(command.params.host, imvu.zone)) return "FOREIGN_HOST";
  for (const character of command.params.host) if (character === "*" || character === "_") return "NOT_A_HOST";
  if (!imvu.named.service) return "SERVICE_UNKNOWN";
  if (command.params.class === "restricted" && command.params.role === null) return "ROLE_MISSING";
  if (command.params.class !== "restricted" && command.params.role !== null) return "ROLE_UNUSED";
  return null;
}

function gate9(one: Case): string | null {
  const { command, facts } = one;
  let declared: string | null = null;
  if (command.op === "imvu.create" || command.op === "imvu.import") declared = command.params.jurisdiction;
  else declared = unit(one)?.jurisdiction ?? null;
  if (declared === null || facts.node === null) return "JURISDICTION_UNKNOWN";
  for (const allowed of facts.node.jurisdictions) if (allowed === declared) return null;
  return "WRONG_JURISDICTION";
}

function sales({ command, facts }: Case): string | null {
  const there = facts.revenue;
  if (there === undefined || there === null) return "REVENUE_UNKNOWN";
  const money = facts.imvu === null || facts.imvu.currency === undefined ? "EUR" : facts.imvu.currency;
  if ((command.params as { currency: string }).currency !== money) return "REVENUE_CURRENCY";
  if (there.known !== null) return "REVENUE_RECORDED";
  const { at, amount } = command.params as { at: string; amount: string };
  const made = new Date(at).getTime();
  if (made - facts.now_ms > MINUTE) return "REVENUE_AHEAD";
  if (there.since_ms === null || there.since_ms > made) return "REVENUE_BEFORE_UNIT";
  if (command.op === "revenue.record") return null;
  if (there.left === null) return "REVERSES_NOTHING";
  return Math.round(Number(amount) * 100) > Math.round(Number(there.left) * 100) ? "REVERSES_TOO_MUCH" : null;
}

function payouts({ command, facts }: Case): string | null {
  const there = facts.payout;
  if (there === undefined || there === null) return "PAYOUT_UNKNOWN";
  if (command.op === "platform.payout.execute" && there.state !== "created") return "PAYOUT_STATE";
  if (there.state === "returned") return "PAYOUT_STATE";
  const said = new Date((command.params as { at: string }).at).getTime();
  return said - facts.now_ms > MINUTE ? "PAYOUT_AHEAD" : null;
}

function gate10({ command, facts }: Case): string | null {
  if (command.op === "imvu.erase") {
    if (facts.erasure === undefined || facts.erasure === null) return null;
    return facts.erasure.earlier > 0 ? "EARLIER_STANDS" : null;
  }
  if (command.op !== "consent.record") return null;
  if (facts.consent === null) return "HISTORY_UNKNOWN";
  const stands = facts.consent.state === "given";
  if (command.params.state === "withdrawn") return stands ? null : "NOTHING_TO_WITHDRAW";
  return stands && facts.consent.text === command.params.text ? "GIVEN_ALREADY" : null;
}

function gate11({ command, facts }: Case): string | null {
  if (facts.platform.ledgerWritable !== true) return "LEDGER_UNAVAILABLE";
  if (command.op !== "imvu.erase" && command.op !== "platform.erase") return null;
  const there = facts.erasure;
  if (there === undefined) return "NO_SUCH_ENTRY";
  if (there === null) return "NO_SUCH_ENTRY";
  if (command.params.commitment !== there.commitment) return "OTHER_COMMITMENT";
  if (there.kind === "erased") return "ERASED_ALREADY";
  if (there.kind !== "consent" && there.kind !== "refused") return "NOT_ERASABLE";
  return facts.now_ms > there.exp_ms ? null : "STILL_VALID";
}

function gate12(one: Case): string | null {
  const { command, facts } = one;
  const imvu = unit(one);
  if (imvu === null) return "CONTENT_UNKNOWN";
  if (command.op === "imvu.scale" && command.params.envelope.storageBytes < imvu.envelope.storageBytes) return "SHRINK_WITHOUT_SNAPSHOT";
  if (command.op === "imvu.snapshot.restore" || command.op === "imvu.snapshot.remove") {
    const there = facts.snapshots;
    if (there === undefined || there === null) return "SNAPSHOTS_UNKNOWN";
    if (command.op === "imvu.snapshot.restore") {
      if (there.fresh === null) return "RESTORE_WITHOUT_SNAPSHOT";
      return there.fresh.at_ms + 15 * MINUTE < facts.now_ms ? "RESTORE_WITHOUT_SNAPSHOT" : null;
    }
    if (there.rested_ms === null) return null;
    return there.rested_ms + 60 * MINUTE > facts.now_ms ? "SNAPSHOT_RESTED_ON" : null;
  }
  if (command.op === "mail.mailbox.remove") {
    if (facts.used === null) return "CONTENT_UNKNOWN";
    if (facts.used.mailboxMessages === null) return "CONTENT_UNKNOWN";
    if (facts.used.mailboxMessages !== 0) return "MAILBOX_NOT_EMPTY";
  }
  return null;
}

function gate13(one: Case): string | null {
  const { op } = one.command;
  // An exit is never blocked.
  if (op === "imvu.exit") return null;
  const imvu = unit(one);
  if (imvu === null) return null;
  if (imvu.status === "exited") return "EXITED";
  const takesAway = op === "service.remove" || op === "dns.remove" || op === "mail.mailbox.remove" || op === "route.remove" || op === "imvu.snapshot.restore" || op === "imvu.snapshot.remove";
  return imvu.status === "exiting" && takesAway ? "EXIT_IN_PROGRESS" : null;
}

function gate14(one: Case): string | null {
  return mayCommand(one) ? null : "NOT_THE_OWNERS_WILL";
}

function gate15(one: Case): string | null {
  const { command } = one;
  const missing = "OWNER_APPROVAL_MISSING";
  if (ownerApproves(one)) return null;
  if (isStranger(one)) return missing;
  const imvu = unit(one);
  if (imvu === null) return missing;
  if (command.op === "imvu.scale") {
    const [old, next] = [imvu.envelope, command.params.envelope];
    if (next.cpuMillis < old.cpuMillis) return missing;
    if (next.memoryBytes < old.memoryBytes) return missing;
    if (next.storageBytes < old.storageBytes) return missing;
    if (next.iops < old.iops) return missing;
    if (next.bandwidthBps < old.bandwidthBps) return missing;
    if (next.processes < old.processes) return missing;
    if (old.burst !== null) {
      if (next.burst === null) return missing;
      if (next.burst.factor < old.burst.factor) return missing;
      if (next.burst.seconds < old.burst.seconds) return missing;
    }
  }
  if (command.op === "route.set" && imvu.named.route !== null && command.params.ratePerMinute !== null) {
    const old = imvu.named.route.ratePerMinute;
    if (old === null) return missing;
    if (command.params.ratePerMinute < old) return missing;
  }
  return null;
}

function gate16(one: Case): string | null {
  const { command, facts } = one;
  if (isStranger(one)) return "FORBIDDEN";
  for (const blob of facts.blobs) if (!blob.readable) return "BLOB_FORBIDDEN";
  if (command.op === "imvu.import") {
    if (facts.bundle === null) return "BUNDLE_FORBIDDEN";
    if (facts.bundle.manifest !== command.params.manifest) return "BUNDLE_FORBIDDEN";
    if (facts.bundle.sourceId !== command.params.sourceId) return "BUNDLE_FORBIDDEN";
    if (actor(one) === null) return "BUNDLE_FORBIDDEN";
    const signer = facts.signatures[0]?.kid;
    let listed = false;
    for (const kid of facts.bundle.ownerKids) if (kid === signer) listed = true;
    if (!listed) return "BUNDLE_FORBIDDEN";
  }
  return null;
}

function gate17({ facts }: Case): string | null {
  return facts.platform.keyLoaded === true ? null : "PLATFORM_KEY_MISSING";
}
