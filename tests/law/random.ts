import type { Command, Op } from "../../src/contract/index.ts";
import type { Facts } from "../../src/core/policy-engine/index.ts";

/** Anything in particular about a command and the facts around it; half-way likely, so that every rule is met and missed. */
export interface Drawn {
  readonly command: Command;
  readonly facts: Facts;
  readonly signatures: readonly { readonly kid: string }[];
}

const NOW = 1_790_000_000_000;
const OURS = "IMVU-001";
const THEIRS = "IMVU-002";
const [DIGEST, OTHER_DIGEST] = ["ab".repeat(32), "cd".repeat(32)];
const MIB = 1024 ** 2;
const METERS = [
  "compute.cpu", "compute.memory", "compute.storage", "compute.io.read.operations", "compute.io.write.operations", "compute.io.read.bytes", "compute.io.write.bytes",
  "dns.answers", "mail.sent", "mail.received", "mail.storage", "network.in", "network.out",
];
const PEOPLE = ["owner", "maintainer", "viewer", "billing", "operator"];
const NAMES = ["imvu001.world", "www.imvu001.world", "a.b.imvu001.world", "imvu002.world", "www.imvu002.world", "world", "ximvu001.world", "imvu001.world.evil.com", "sub.imvu001.world", "a.sub.imvu001.world", "imvu007.world", "bank.com", "*.imvu001.world", "_dmarc.imvu001.world"];
const IMAGES = [
  "docker.io/library/nginx:1.27", "registry.example.org:5000/team/app", "nginx", "library/nginx", "localhost/x", "localhost:5000/x", "127.0.0.1/x", "10.0.0.1:5000/x", "db.internal/x", "printer.local:80/x", "a.localhost/x", "registry.local.example.org/x",
  "localhost.example.org/x", "quay.io/a/b@sha256:00", "example.org", "ex_ample.org/x", "example.org:123456/x", "example.org:/x", "example.9x/x", "-.io/x",
];

const FLAWS = [
  { gate: 2, code: "LOCAL_IMAGE", what: "web: nginx" }, { gate: 4, code: "APEX_PROTECTED", what: "imvu001.world NS" }, { gate: 5, code: "ADDRESS_BOUND", what: "a@imvu001.world" },
  { gate: 7, code: "QUOTA_EXCEEDED", what: "513 mailboxes" }, { gate: 8, code: "ROLE_MISSING", what: "imvu001.world/" }, { gate: 8, code: "UNHEARD_OF", what: "x" }, { gate: 9, code: "LOCAL_IMAGE", what: "another gate's" },
];

/** mulberry32: small, seeded, the same everywhere. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 ≤ n < bound. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** Near a boundary, on either side of it and upon it. */
  near(value: number): number {
    return Math.max(0, value + this.of([-1, 0, 0, 1, -1_000, 1_000]));
  }
}

export interface Keys {
  /** By person, and `newcomer`, who is registered nowhere. */
  readonly kids: Readonly<Record<string, string>>;
  readonly publicKeys: Readonly<Record<string, string>>;
}

export function draw(dice: Dice, ops: readonly Op[], keys: Keys): Drawn {
  const op = dice.of(ops);
  const exists = dice.chance(92);
  const withoutUnit = op.startsWith("identity.") || op.startsWith("platform.") || op === "imvu.create" || op === "imvu.import";
  const envelope = envelopeOf(dice);
  const imvu = withoutUnit ? null : dice.chance(95) ? OURS : THEIRS;
  const params = paramsOf(dice, op, keys, envelope);
  const iat = dice.chance(90) ? NOW : NOW + dice.of([60_000, 60_001, -700_000_000]);
  const exp = iat + (dice.chance(88) ? 600_000 : dice.of([0, -1, 1, 604_800_000, 604_800_001]));
  const signatures = signaturesOf(dice, op, keys);
  const facts = factsOf(dice, op, params, { envelope, exists: exists && !withoutUnit, signers: signatures.map(({ identity }) => identity), keys });
  const command = { op, imvu, params, nonce: "n", iat, exp } as unknown as Command;
  return { command, facts: { ...facts, signatures } as unknown as Facts, signatures };
}

type Signature = { kid: string; identity: string | null; publicKey: string | null; status: string; valid: boolean };

/** Who signs a command about keys, when it is well signed: the last ones are brought, and nobody's yet. */
const FITTING: Partial<Record<Op, readonly string[]>> = {
  "identity.register": ["newcomer"],
  "identity.key.add": ["owner", "newcomer"],
  "identity.key.rotate": ["owner", "newcomer"],
  "identity.key.revoke": ["owner"],
  "identity.recovery.set": ["owner", "newcomer", "recovery"],
  "identity.recovery.begin": ["recovery", "newcomer"],
  "identity.recovery.object": ["owner"],
  "identity.recovery.complete": ["waiting"],
  "platform.operator.add": ["operator"],
  "platform.operator.remove": ["operator", "maintainer"],
  "platform.erase": ["operator"],
  "platform.tariff.publish": ["operator"],
  "platform.payout.execute": ["operator"],
  "platform.payout.return": ["operator"],
  "platform.billing.set": ["operator"],
};

function signaturesOf(dice: Dice, op: Op, { kids, publicKeys }: Keys): readonly Signature[] {
  const recovers = op === "identity.recovery.set" || op === "identity.recovery.begin";
  const fitting = recovers && dice.chance(25) ? ["owner", "newcomer"] : FITTING[op];
  const who = fitting === undefined ? [dice.of(["owner", "owner", "owner", "maintainer", "maintainer", "viewer", "billing", "operator", "newcomer", "recovery", "waiting"])] : dice.chance(80) ? [...fitting] : [dice.of([...PEOPLE, "newcomer", "recovery", "waiting"])];
  for (const more of ["owner", "maintainer", "operator", "newcomer", "recovery"]) if (!who.includes(more) && dice.chance(fitting ? 6 : 12)) who.push(more);
  return [...new Set(who)].map((person) => {
    const known = person !== "newcomer" && person !== "fresh" && !(op === "identity.register" && dice.chance(70));
    const kept = person === "recovery" || person === "waiting" ? "owner" : person;
    const usual = !known ? "unknown" : person === "recovery" ? "recovery" : person === "waiting" ? "pending" : "live";
    return {
      kid: kids[person] as string,
      identity: dice.chance(97) ? (known ? kept : null) : null,
      publicKey: publicKeys[person] as string,
      status: dice.chance(95) ? usual : dice.of(["revoked", "rotated", "recovery", "pending", "unknown", "live"]),
      valid: dice.chance(96),
    };
  });
}

const MONTH_BEGIN = Date.UTC(new Date(NOW).getUTCFullYear(), new Date(NOW).getUTCMonth(), 1);

function termsOf(dice: Dice): { timeZone?: string; currency?: string } {
  const timeZone = dice.of([undefined, undefined, undefined, undefined, "UTC", "Europe/Berlin"]);
  const currency = dice.of([undefined, undefined, undefined, undefined, "EUR", "JPY"]);
  return { ...(timeZone === undefined ? {} : { timeZone }), ...(currency === undefined ? {} : { currency }) };
}

function envelopeOf(dice: Dice) {
  return {
    cpuMillis: dice.of([2_000, 2_000, 1_999, 2_001, 8_000]),
    memoryBytes: dice.of([4_096, 4_096, 4_095, 4_097, 1_024, 20_000]) * MIB,
    storageBytes: dice.of([50_000, 50_000, 49_999, 50_001, 20_000, 300_000]) * MIB,
    iops: dice.of([100, 100, 100, 99, 101]),
    bandwidthBps: dice.of([100_000_000, 100_000_000, 99_999_999, 100_000_001]),
    processes: dice.of([256, 256, 255, 257, 8, 100]),
    burst: dice.of([{ factor: 2, seconds: 300 }, { factor: 2, seconds: 300 }, null, { factor: 3, seconds: 300 }, { factor: 2, seconds: 299 }]),
  };
}

function paramsOf(dice: Dice, op: Op, keys: Keys, envelope: ReturnType<typeof envelopeOf>): Record<string, unknown> {
  const text = () => dice.of([DIGEST, DIGEST, OTHER_DIGEST]);
  switch (op) {
    case "identity.register":
      return { name: "newcomer", publicKey: keys.publicKeys[dice.of(["newcomer", "newcomer", "newcomer", "owner"])], ...(dice.chance(50) ? { recoveryKey: keys.publicKeys[dice.of(["fresh", "fresh", "fresh", "newcomer"])] } : {}) };
    case "identity.key.add":
    case "identity.key.rotate":
      return { publicKey: keys.publicKeys[dice.of(["newcomer", "newcomer", "newcomer", "newcomer", "fresh", "owner"])], device: "laptop" };
    case "identity.key.revoke":
      return { kid: keys.kids.owner };
    case "identity.recovery.set":
      return { recoveryKey: keys.publicKeys[dice.of(["newcomer", "newcomer", "newcomer", "newcomer", "fresh"])] };
    case "identity.recovery.begin":
      return { name: dice.of(["owner", "owner", "owner", "maintainer"]), publicKey: keys.publicKeys[dice.of(["newcomer", "newcomer", "newcomer", "fresh"])] };
    case "identity.recovery.object":
      return {};
    case "identity.recovery.complete":
      return { name: dice.of(["owner", "owner", "owner", "maintainer"]) };
    case "platform.operator.add":
    case "platform.operator.remove":
      return { identity: dice.of(PEOPLE) };
    case "imvu.create":
      return { name: "ArtGallery", owner: dice.of(["owner", "owner", "maintainer"]), jurisdiction: dice.of(["EU-GDPR", "EU-GDPR", "US-CCPA"]), envelope, runtime: "static", mailboxPasswordHash: DIGEST };
    case "imvu.scale":
      return { envelope };
    case "imvu.exit":
      return { encryptTo: null };
    case "imvu.import":
      return { bundle: DIGEST, manifest: text(), name: "ArtGallery", jurisdiction: dice.of(["EU-GDPR", "EU-GDPR", "US-CCPA"]), sourceId: dice.of([OURS, OURS, OURS, THEIRS]), zone: dice.of(["imvu007.world", "imvu007.world", "imvu007.world", "bank.com", "world"]), ...termsOf(dice) };
    case "imvu.member.set":
      return { identity: dice.of(PEOPLE), role: dice.of(["maintainer", "billing", "viewer"]) };
    case "imvu.member.remove":
      return { identity: dice.of(PEOPLE) };
    case "service.deploy":
      return { name: "web", source: dice.of([{ kind: "runtime", runtime: "static", content: DIGEST }, { kind: "oci", archive: DIGEST }, { kind: "image", ref: dice.of(IMAGES) }, { kind: "image", ref: dice.of(IMAGES) }]), port: 8_080, env: {} };
    case "service.restart":
    case "service.remove":
      return { name: "web" };
    case "dns.set":
      return { name: dice.of(NAMES), type: dice.of(["A", "NS", "CNAME", "TXT", "MX"]), ttl: 300, values: ["x"] };
    case "dns.remove":
      return { name: dice.of(NAMES), type: dice.of(["A", "NS", "CNAME", "TXT", "MX"]) };
    case "mail.mailbox.create":
      return { address: `sales@${dice.of(["imvu001.world", "imvu001.world", "imvu001.world", "imvu002.world", "sub.imvu001.world"])}`, passwordHash: DIGEST, quotaBytes: dice.of([1_024, 29_000, 29_001, 28_999]) * MIB };
    case "mail.mailbox.password":
      return { address: `hello@${dice.of(["imvu001.world", "imvu001.world", "imvu002.world"])}`, passwordHash: DIGEST };
    case "mail.mailbox.remove":
      return { address: `hello@${dice.of(["imvu001.world", "imvu001.world", "imvu002.world"])}` };
    case "route.set":
      return { class: dice.of(["public", "private", "restricted"]), host: dice.of(dice.chance(70) ? ["imvu001.world", "www.imvu001.world"] : NAMES), path: "/", service: "web", port: 8_080, role: dice.of([null, null, "viewer", "owner"]), ratePerMinute: dice.of([null, 59, 60, 61]) };
    case "route.remove":
      return { host: dice.of(NAMES), path: "/" };
    case "consent.record":
      return { subject: "user-17", purpose: "newsletter", text: text(), state: dice.of(["given", "withdrawn"]) };
    case "revenue.record":
    case "revenue.reverse":
      return { sourceId: "order-18", amount: dice.of(["0.01", "12.33", "12.34", "12.35", "999999999999.99"]), currency: dice.of(["EUR", "EUR", "EUR", "EUR", "JPY"]), at: new Date(dice.of([NOW - 1, NOW, NOW + 60_000, NOW + 60_001, NOW - 5_000, NOW - 5_001])).toISOString(), ...(op === "revenue.reverse" ? { reverses: "order-17" } : {}) };
    case "platform.tariff.publish":
      return { currency: "EUR", validFrom: new Date(dice.of([dice.near(NOW + 30 * 86_400_000), dice.near(NOW + 30 * 86_400_000 + 14 * 3_600_000), MONTH_BEGIN, MONTH_BEGIN - 1, MONTH_BEGIN + 1])).toISOString(), prices: {} };
    case "platform.payout.execute":
    case "platform.payout.return": {
      const at = new Date(dice.of([NOW, NOW - 1, NOW + 60_000, NOW + 60_001, NOW - 86_400_000])).toISOString();
      return { imvu: OURS, payout: `${OURS}-1`, at, ...(op === "platform.payout.execute" ? { reference: "bank-17" } : { reason: "account closed" }) };
    }
    case "imvu.payout.account":
      return { account: dice.chance(80) ? { holder: "Ada Lovelace", kind: dice.of(["person", "company"]), iban: "DE89370400440532013000" } : null };
    case "imvu.billing.set":
    case "platform.billing.set":
      return { name: "Art Gallery", country: dice.of(["DE", "FR"]) };
    case "imvu.snapshot.create":
      return { label: dice.of([null, "before the sale"]) };
    case "imvu.snapshot.restore":
    case "imvu.snapshot.remove":
      return { id: "S1" };
    case "imvu.budget.set":
      return { amount: dice.of(["50.00", null]), currency: dice.of(["EUR", "EUR", "EUR", "JPY"]), thresholds: [50, 100] };
    case "imvu.erase":
    case "platform.erase":
      return { index: 4, commitment: text(), order: DIGEST };
  }
}

function factsOf(dice: Dice, op: Op, params: Record<string, unknown>, given: { envelope: ReturnType<typeof envelopeOf>; exists: boolean; signers: readonly (string | null)[]; keys: Keys }) {
  const agreed = { cpuMillis: 2_000, memoryBytes: 4_096 * MIB, storageBytes: 50_000 * MIB, iops: 100, bandwidthBps: 100_000_000, processes: dice.of([256, 256, 8]), burst: dice.of([{ factor: 2, seconds: 300 }, { factor: 2, seconds: 300 }, null]) };
  const roles = ["owner", "maintainer", "billing", "viewer"];
  const claims = [{ zone: "imvu001.world", imvu: OURS }, { zone: "imvu002.world", imvu: THEIRS }, ...(dice.chance(20) ? [{ zone: "sub.imvu001.world", imvu: THEIRS }] : []), ...(dice.chance(15) ? [{ zone: dice.of(["imvu007.world", "a.imvu007.world", "world"]), imvu: THEIRS }] : [])];
  return {
    v: 1,
    now_ms: dice.chance(93) ? NOW : dice.of([NOW + 600_000, NOW + 600_001, NOW - 60_000, NOW - 60_001]),
    suffix: "world",
    nonceSeen: dice.chance(4),
    registration: FITTING[op]?.includes("newcomer") ? (dice.chance(94) ? { nameTaken: dice.chance(15), keyTaken: dice.chance(15) } : null) : null,
    imvu: given.exists
      ? {
          id: dice.chance(97) ? OURS : THEIRS,
          owner: dice.chance(97) ? "owner" : "operator",
          jurisdiction: dice.of(["EU-GDPR", "EU-GDPR", "EU-GDPR", "US-CCPA"]),
          status: dice.of(["active", "active", "active", "exiting", "exported", "exited"]),
          zone: "imvu001.world",
          ...(dice.chance(80) ? {} : { currency: dice.of(["EUR", "JPY"]) }),
          envelope: agreed,
          members: PEOPLE.filter((person) => given.signers.includes(person) && person !== "operator").map((person) => ({ identity: person, role: dice.chance(96) ? (roles.includes(person) ? person : "viewer") : dice.of(roles) })),
          counts: { services: dice.of([1, 3, 4, 31, 32]), recordSets: dice.of([8, 1_999, 2_000]), mailboxes: dice.of([1, 511, 512]), routes: dice.of([4, 255, 256]), members: dice.of([2, 63, 64]) },
          mailQuotaBytes: dice.of([1_000, 1_000, 30_000]) * MIB,
          named: { service: dice.chance(60), recordSet: dice.chance(50), mailbox: dice.chance(40), member: dice.chance(50), route: dice.of([null, { ratePerMinute: null }, { ratePerMinute: 60 }]) },
        }
      : null,
    newZone: op === "imvu.create" || op === "imvu.import" ? dice.of(["imvu007.world", "imvu007.world", "imvu007.world", null, "bank.com", "world", params.zone ?? "imvu007.world"]) : null,
    zoneClaims: op === "imvu.create" || op === "imvu.import" ? claims.slice(dice.of([1, 2])) : claims,
    node: dice.chance(96) ? { name: "node-1", jurisdictions: dice.of([["EU-GDPR"], ["EU-GDPR", "US-CCPA"], []]), capacity: { cpuMillis: 2_000, memoryBytes: 24_576 * MIB, storageBytes: 250_000 * MIB }, allocated: dice.chance(97) ? { cpuMillis: dice.near(14_000), memoryBytes: dice.of([20_480, 20_479, 20_481, 0, 4_576]) * MIB, storageBytes: dice.of([200_000, 199_999, 200_001, 0]) * MIB } : null } : null,
    used: dice.chance(95) ? { memoryBytes: dice.of([1_024, 1_025, 1_023, 4_095]) * MIB, storageBytes: dice.of(op === "imvu.snapshot.create" ? [49_992, 49_991, 49_993, 20_000] : [20_000, 19_000, 18_999, 48_999]) * MIB, processes: dice.of([12, 8, 9, 255, 256]), mailboxMessages: dice.of([0, 0, 1, null]) } : null,
    meters: dice.chance(90) ? METERS : dice.of([null, [], METERS.slice(1), METERS.filter((one) => one !== "network.out"), METERS.filter((one) => one !== "mail.sent"), METERS.filter((one) => one !== "dns.answers")]),
    blobs: dice.of([[], [{ digest: DIGEST, readable: true, bytes: 1_000 }], [{ digest: DIGEST, readable: true, bytes: dice.of([29_000, 29_001]) * MIB }], [{ digest: DIGEST, readable: false, bytes: 0 }], [{ digest: DIGEST, readable: true, bytes: 1 }, { digest: OTHER_DIGEST, readable: dice.chance(80), bytes: 1 }]]),
    consent: op === "consent.record" ? dice.of([null, { state: "none", text: null }, { state: "given", text: DIGEST }, { state: "given", text: OTHER_DIGEST }, { state: "withdrawn", text: DIGEST }]) : null,
    ...(op.startsWith("identity.") && dice.chance(96)
      ? { identity: dice.chance(96) ? { name: dice.chance(93) ? "owner" : "maintainer", liveKeys: dice.of([1, 2, 2, 15, 16]), keys: dice.of([1, 2, 998, 999, 1_000]), recoveryKid: dice.of([given.keys.kids.recovery, given.keys.kids.recovery, null, given.keys.kids.fresh]), named: dice.of(["live", "live", "live", "rotated", "revoked", "recovery", "pending", null]), pendingSince_ms: dice.of([NOW - 259_200_000, NOW - 259_200_001, NOW - 259_199_999, NOW, null]) } : null }
      : {}),
    ...(op.endsWith(".erase") && dice.chance(96)
      ? { erasure: dice.chance(96) ? { commitment: dice.chance(90) ? DIGEST : OTHER_DIGEST, kind: dice.of(["consent", "consent", "refused", "refused", "other", "erased"]), digest: DIGEST, exp_ms: dice.of([0, NOW - 1, NOW - 600_000, NOW, NOW + 1]), outcome: dice.of([null, { index: 5, commitment: DIGEST }]), earlier: dice.of([0, 0, 0, 1, 2]) } : null }
      : {}),
    ...(op.startsWith("revenue.") && dice.chance(96)
      ? { revenue: dice.chance(96) ? { known: dice.chance(90) ? null : { index: 7, same: dice.chance(50) }, left: dice.chance(90) ? dice.of(["12.34", "0.00", "0.01", "999999999999.99"]) : null, since_ms: dice.chance(95) ? NOW - 5_000 : null } : null }
      : {}),
    ...(op.startsWith("platform.payout.") && dice.chance(96)
      ? { payout: dice.chance(96) ? { state: dice.of(["created", "created", "executed", "executed", "returned"]) } : null }
      : {}),
    ...(op.startsWith("imvu.snapshot.") && dice.chance(96)
      ? { snapshots: dice.chance(96) ? { count: dice.of([0, 1, 15, 16]), fresh: dice.chance(85) ? { id: "S2", at_ms: dice.of([NOW, NOW + 1_000, NOW - 900_000, NOW - 900_001, NOW - 899_999]) } : null, rested_ms: dice.of([null, NOW, NOW - 3_600_000, NOW - 3_599_999, NOW - 3_600_001]) } : null }
      : {}),
    ...(op.startsWith("platform.") && dice.chance(96)
      ? { operators: dice.chance(96) ? { count: dice.of([1, 1, 2, 3]), signers: dice.of([["operator"], ["operator"], ["operator", "maintainer"], ["maintainer"], []]), registered: dice.chance(85), operator: dice.chance(50) } : null }
      : {}),
    ...((op === "platform.tariff.publish" || op === "imvu.create" || op === "imvu.import") && dice.chance(80) ? { tariffs: dice.chance(94) ? { published: dice.chance(75) } : null } : {}),
    bundle: op === "imvu.import" ? dice.of([null, ...Array.from({ length: 5 }, () => ({ manifest: dice.of([DIGEST, DIGEST, OTHER_DIGEST]), sourceId: OURS, zone: dice.of(["imvu007.world", "imvu007.world", "imvu007.world", "bank.com"]), envelope: given.envelope, ...termsOf(dice), flaws: dice.chance(60) ? [] : Array.from({ length: 2 }, () => dice.of(FLAWS)), ownerKids: dice.chance(80) ? [given.keys.kids.operator, given.keys.kids.owner, given.keys.kids.maintainer] : [] }))]) : null,
    platform: { ledgerWritable: dice.chance(97), keyLoaded: dice.chance(97) },
  };
}
