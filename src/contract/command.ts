import { z } from "zod";
import {
  type Currency,
  type DisplayName,
  type Fqdn,
  type IdentityName,
  type ImvuId,
  type Jurisdiction,
  type KeyId,
  type MailAddress,
  type Outcome,
  minorDecimals,
  parseCurrency,
  type Bic,
  type Iban,
  parseBic,
  parseDisplayName,
  parseFqdn,
  parseIban,
  parseIdentityName,
  parseImvuId,
  parseJurisdiction,
  parseKeyId,
  parseMailAddress,
  parseServiceName,
  parseSha256,
  parseTimeZone,
  type ServiceName,
  type Sha256,
  type TimeZone,
} from "../kernel/index.ts";
import { zBuyer, zSeller } from "./billing.ts";
import type { DnsType } from "./imvu.ts";
import { type FirstResource, type LaterResource, likeOf, RESOURCES, type Resource } from "./meter.ts";
import { flawOfTiers, stepsWithoutPrice } from "./tiers.ts";

/** Every signed command: one schema validates, types and documents. Limits carry their unit in the name. */
export const COMMAND_LIFETIME_MS_DEFAULT = 10 * 60_000;
/** A command that waits for somebody's approval may live longer; its nonce is remembered for good. */
export const COMMAND_LIFETIME_MS_MAX = 7 * 24 * 3_600_000;
export const CLOCK_SKEW_MS_MAX = 60_000;
/** How long before it is valid a tariff is announced. */
export const TARIFF_NOTICE_MS = 30 * 24 * 3_600_000;
/** How long after its command was judged a tariff may come to stand in the log. */
export const TARIFF_WRITE_MS_MAX = 3_600_000;
/** How long older keys can object to a recovery. */
export const RECOVERY_WAIT_MS = 72 * 3_600_000;
/** Base64url characters of a payload: with signatures, facts and verdicts an entry stays below the ledger's 32 KiB. */
export const COMMAND_BYTES_MAX = 16 * 1024;
export const TTL_SECONDS_MIN = 30;
export const TTL_SECONDS_MAX = 604_800;
export const RECORD_VALUES_MAX = 32;
export const RECORD_VALUE_CHARS_MAX = 2_048;
export const ROUTE_PATH_CHARS_MAX = 256;
export const ENV_ENTRIES_MAX = 64;
export const ENV_VALUE_CHARS_MAX = 4_096;
export const GIB = 1024 ** 3;
export const MIB = 1024 ** 2;

function branded<T extends string>(parse: (text: unknown) => Outcome<T>) {
  return z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: "custom", message: `${parsed.message} – ${parsed.hint}` });
    return z.NEVER;
  });
}

export const zImvuId = branded<ImvuId>(parseImvuId);
export const zIdentityName = branded<IdentityName>(parseIdentityName);
export const zFqdn = branded<Fqdn>(parseFqdn);
export const zServiceName = branded<ServiceName>(parseServiceName);
export const zMailAddress = branded<MailAddress>(parseMailAddress);
export const zJurisdiction = branded<Jurisdiction>(parseJurisdiction);
export const zDisplayName = branded<DisplayName>(parseDisplayName);
export const zTimeZone = branded<TimeZone>(parseTimeZone);
export const zCurrency = branded<Currency>(parseCurrency);
export const zSha256 = z.string().transform((text, context): Sha256 => {
  const parsed = parseSha256(text);
  if (parsed) return parsed;
  context.addIssue({ code: "custom", message: "must be 64 lower-case hexadecimal digits (SHA-256)" });
  return z.NEVER;
});

export const zEnvelope = z.strictObject({
  cpuMillis: z.int().min(50).max(256_000),
  memoryBytes: z
    .int()
    .min(16 * MIB)
    .max(1024 * GIB),
  storageBytes: z
    .int()
    .min(128 * MIB)
    .max(64 * 1024 * GIB),
  iops: z.int().min(10).max(1_000_000),
  bandwidthBps: z.int().min(1_000_000).max(100_000_000_000),
  processes: z.int().min(8).max(32_768),
  burst: z.strictObject({ factor: z.int().min(2).max(16), seconds: z.int().min(1).max(3_600) }).nullable(),
});

const zPort = z.int().min(1).max(65_535);
const zDnsType = z.enum(["A", "AAAA", "CNAME", "MX", "TXT", "CAA", "SRV", "NS", "SSHFP", "TLSA"] satisfies DnsType[]);
const zRoutePath = z
  .string()
  .max(ROUTE_PATH_CHARS_MAX)
  .regex(/^\/([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?)?$/, "must be an absolute path of unreserved characters, without // or ..")
  .refine((p) => !p.split("/").some((s) => s === "." || s === ".."), "must not contain . or .. segments");
const zEnv = z
  .record(
    z.string().regex(/^[A-Z_][A-Z0-9_]{0,63}$/, "environment names are A-Z, 0-9 and _"),
    z
      .string()
      .max(ENV_VALUE_CHARS_MAX)
      .regex(/^[^\0\r\n]*$/, "one line, no NUL"),
  )
  .refine((env) => Object.keys(env).length <= ENV_ENTRIES_MAX, `at most ${ENV_ENTRIES_MAX} entries`);
const zImageRef = z
  .string()
  .max(255)
  .regex(/^[a-z0-9]([a-z0-9._:/@-]*[a-z0-9])?$/, "must be an image reference like docker.io/library/nginx:1.27");

/** The IMVU's own name for an end user; better a pseudonym than an address. */
const zConsentSubject = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
const zConsentPurpose = z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/, "1 to 63 of a-z, 0-9, '.' and '-', like newsletter");

const zPublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "raw Ed25519 public key, base64url");
const zKeyId = branded<KeyId>(parseKeyId);
/** What its owner calls the machine a key lives on. */
const zDevice = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "1 to 32 of a-z, 0-9 and '-', like laptop");

/** Nine decimals, always: what is signed has one spelling. */
const zPrice = z.string().regex(/^(0|[1-9]\d{0,8})\.\d{9}$/, "must be a price with nine decimals, like 0.000002000");
function ofEachResource<T>(make: () => T): Record<Resource, T> {
  return Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, make()])) as Record<Resource, T>;
}
/** Commands from before a resource was told apart name no price of it. */
const zPrices = z.strictObject(Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, likeOf(resource) === undefined ? zPrice : zPrice.optional()])) as Record<FirstResource, typeof zPrice> & Record<LaterResource, z.ZodOptional<typeof zPrice>>);
const zTiers = z
  .strictObject(ofEachResource(() => z.array(z.strictObject({ above: z.string().regex(/^(0|[1-9]\d{0,17})(\.\d{1,12})?$/, "must be a quantity with all decimals of its resource"), price: zPrice })).optional()))
  .superRefine((tiers, context) => {
    const flaw = flawOfTiers(tiers);
    if (flaw !== undefined) context.addIssue({ code: "custom", message: flaw });
  });
/** Prices never change inside a month. */
const zMonthBegin = z.string().regex(/^20\d\d-(0[1-9]|1[0-2])-01T00:00:00\.000Z$/, "must be a month's first instant in UTC, like 2027-01-01T00:00:00.000Z");

/** What the system that took the money calls a sale, or a refund: the same name is booked once. */
const zSourceId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
/** With the minor unit's decimals, always: what is signed has one spelling. */
const zAmount = z.string().regex(/^(0|[1-9]\d{0,11})(\.\d{1,4})?$/, "must be an amount with the decimals of its currency, like 12.34").refine((amount) => /[1-9]/.test(amount), "must be more than nothing");
const zInstant = z.string().refine((at) => /^\d{4}-/.test(at) && new Date(at).getTime() >= 0 && new Date(at).toISOString() === at, "must be an RFC 3339 instant in UTC with milliseconds, like 2026-11-23T12:00:00.000Z");
const zSale = z.strictObject({
  sourceId: zSourceId,
  amount: zAmount,
  currency: zCurrency,
  /** When it was sold, or paid back: the month it belongs to. */
  at: zInstant,
});

function hasDecimals({ amount, currency }: { readonly amount: string; readonly currency: Currency }, context: z.RefinementCtx): void {
  const decimals = minorDecimals(currency);
  if ((amount.split(".")[1]?.length ?? 0) !== decimals) context.addIssue({ code: "custom", path: ["amount"], message: `must have ${decimals} decimals: ${currency} has as many` });
}

/** Where a creator's money goes. A name as a bank knows it: one line, at most as long as a SEPA name. */
const zPayoutAccount = z.strictObject({
  holder: z.string().regex(/^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,68}[^\s\p{C}])?$/u, "1 to 70 characters on one line, without white space at its ends"),
  /** Some ways to pay must know. */
  kind: z.enum(["person", "company"]),
  iban: branded<Iban>(parseIban),
  bic: branded<Bic>(parseBic).optional(),
});
const zPayoutRef = { imvu: zImvuId, /** Its end-to-end id. */ payout: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,34}$/, "1 to 35 letters, digits and hyphens, like IMVU-001-1") };
/** What a bank or provider calls a payment. */
const zReference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
const zReason = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9 .,-]{0,138}[A-Za-z0-9.])?$/, "1 to 140 letters, digits, spaces, '.', ',' and '-', like AC04 account closed");

const zSnapshotId = z.string().regex(/^S[1-9]\d{0,5}$/, "must be a snapshot's id, like S1");
/** What its owner calls it. */
const zSnapshotLabel = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9 ._:+-]{0,61}[A-Za-z0-9])?$/, "1 to 63 letters, digits, spaces, '.', '_', ':', '+' and '-', with a letter or digit at both ends");

/** Percents of a budget at which its owner is told. */
export const THRESHOLDS_MAX = 5;
export const THRESHOLD_PERCENT_MAX = 200;
const zBudget = z
  .strictObject({
    /** What a month's usage may come to before somebody is told; null: no budget any more. */
    amount: zAmount.nullable(),
    currency: zCurrency,
    thresholds: z.array(z.int().min(1).max(THRESHOLD_PERCENT_MAX)).max(THRESHOLDS_MAX),
  })
  .superRefine(({ amount, currency, thresholds }, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", path: ["thresholds"], message });
    if (amount !== null) hasDecimals({ amount, currency }, context);
    if ((amount === null) !== (thresholds.length === 0)) refuse(`1 to ${THRESHOLDS_MAX} percents of an amount, and none where there is no budget`);
    if (thresholds.some((percent, at) => at > 0 && percent <= (thresholds[at - 1] as number))) refuse("each must be more than the one before");
  });

/** A body that is to go: of a consent or of a refused command, whose outcome goes with it. */
const zErasure = z.strictObject({
  /** Of the command's own entry. */
  index: z.int().min(0),
  /** SHA-256 of its body, which is what the log shows of it. */
  commitment: zSha256,
  /** SHA-256 of the document that demands it: an end user's request, a court's order. */
  order: zSha256,
});

/** Every op by name; `params` of each. */
export const COMMAND_PARAMS = {
  /** Signed by the key itself. The recovery key need not: it lies in a drawer when a platform is first used. */
  "identity.register": z.strictObject({ name: zIdentityName, publicKey: zPublicKey, recoveryKey: zPublicKey.optional(), device: zDevice.optional() }),
  /** A further key, for another device. Each key that a command brings signs it too. */
  "identity.key.add": z.strictObject({ publicKey: zPublicKey, device: zDevice }),
  /** The new key takes the place of the one that signs first. */
  "identity.key.rotate": z.strictObject({ publicKey: zPublicKey }),
  "identity.key.revoke": z.strictObject({ kid: zKeyId }),
  /** The first recovery key, or another one in its place: then the old one signs too. */
  "identity.recovery.set": z.strictObject({ recoveryKey: zPublicKey }),
  /** Signed by the recovery key: the clock of RECOVERY_WAIT_MS starts. */
  "identity.recovery.begin": z.strictObject({ name: zIdentityName, publicKey: zPublicKey, device: zDevice.optional() }),
  /** A live key says that its holder is there: the recovery ends. */
  "identity.recovery.object": z.strictObject({}),
  /** Signed by the key that waits: it becomes the only one. */
  "identity.recovery.complete": z.strictObject({ name: zIdentityName }),
  "platform.operator.add": z.strictObject({ identity: zIdentityName }),
  "platform.operator.remove": z.strictObject({ identity: zIdentityName }),
  /** As imvu.erase, for entries that stand in no unit's stream. */
  "platform.erase": zErasure,
  /** What usage costs from a month on, a price for one unit of each resource, and further ones for what is used above a step. */
  "platform.tariff.publish": z.strictObject({ currency: zCurrency, validFrom: zMonthBegin, prices: zPrices, tiers: zTiers.optional() }).superRefine(({ prices, tiers }, context) => {
    const resource = stepsWithoutPrice(prices, tiers);
    if (resource !== undefined) context.addIssue({ code: "custom", message: `tiers["${resource}"]: its first price is not said`, path: ["tiers"] });
  }),
  /** A payout left the platform: the bank or the provider took it. What it comes to and whose account it goes to stands in the payout's own entry. */
  "platform.payout.execute": z.strictObject({ ...zPayoutRef, /** What the bank or provider calls it. */ reference: zReference, at: zInstant }),
  /** A payout did not arrive, or will not be made: what it came to is owed again. */
  "platform.payout.return": z.strictObject({ ...zPayoutRef, reason: zReason, at: zInstant }),
  /** Who the platform's invoices are from. */
  "platform.billing.set": zSeller,
  "imvu.create": z.strictObject({
    name: zDisplayName,
    owner: zIdentityName,
    jurisdiction: zJurisdiction,
    envelope: zEnvelope,
    runtime: z.enum(["static", "node", "python"]),
    /** First mailbox: `hello@<zone>`; SHA-256 of the blob with its crypt(3) hash. */
    mailboxPasswordHash: zSha256,
    /** By whose clock its months begin, for good; none: UTC. */
    timeZone: zTimeZone.optional(),
    /** In what it is rated, sold and paid, for good; none: EUR. */
    currency: zCurrency.optional(),
  }),
  "imvu.scale": z.strictObject({ envelope: zEnvelope }),
  "imvu.exit": z.strictObject({
    encryptTo: z
      .string()
      .regex(/^age1[a-z0-9]{20,100}$/, "an age recipient")
      .nullable(),
  }),
  "imvu.import": z.strictObject({
    /** SHA-256 of the uploaded bundle tar. */ bundle: zSha256,
    manifest: zSha256,
    name: zDisplayName,
    jurisdiction: zJurisdiction,
    sourceId: zImvuId,
    zone: zFqdn,
    /** As the bundle has it: what was agreed at creation goes with the unit. */
    timeZone: zTimeZone.optional(),
    currency: zCurrency.optional(),
  }),
  /** Adds a member, or gives one another role. There is one owner, and no command makes another. */
  "imvu.member.set": z.strictObject({ identity: zIdentityName, role: z.enum(["maintainer", "billing", "viewer"]) }),
  "imvu.member.remove": z.strictObject({ identity: zIdentityName }),
  "service.deploy": z.strictObject({
    name: zServiceName,
    source: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("runtime"), runtime: z.enum(["static", "node", "python"]), content: zSha256 }),
      z.strictObject({ kind: z.literal("oci"), archive: zSha256 }),
      z.strictObject({ kind: z.literal("image"), ref: zImageRef }),
    ]),
    port: zPort,
    env: zEnv,
  }),
  "service.restart": z.strictObject({ name: zServiceName }),
  "service.remove": z.strictObject({ name: zServiceName }),
  "dns.set": z.strictObject({
    name: zFqdn,
    type: zDnsType,
    ttl: z.int().min(TTL_SECONDS_MIN).max(TTL_SECONDS_MAX),
    values: z.array(z.string().min(1).max(RECORD_VALUE_CHARS_MAX)).min(1).max(RECORD_VALUES_MAX),
  }),
  "dns.remove": z.strictObject({ name: zFqdn, type: zDnsType }),
  "mail.mailbox.create": z.strictObject({
    address: zMailAddress,
    passwordHash: zSha256,
    quotaBytes: z
      .int()
      .min(MIB)
      .max(1024 * GIB),
  }),
  "mail.mailbox.password": z.strictObject({ address: zMailAddress, passwordHash: zSha256 }),
  "mail.mailbox.remove": z.strictObject({ address: zMailAddress }),
  "route.set": z.strictObject({
    class: z.enum(["public", "private", "restricted"]),
    host: zFqdn,
    path: zRoutePath,
    service: zServiceName,
    port: zPort,
    role: z.enum(["owner", "maintainer", "billing", "viewer"]).nullable(),
    ratePerMinute: z.int().min(1).max(10_000_000).nullable(),
  }),
  "route.remove": z.strictObject({ host: zFqdn, path: zRoutePath }),
  /** What an end user of the IMVU agreed to, or withdrew. */
  "consent.record": z.strictObject({
    subject: zConsentSubject,
    purpose: zConsentPurpose,
    /** SHA-256 of the text the subject was shown. */
    text: zSha256,
    state: z.enum(["given", "withdrawn"]),
  }),
  /** A sale inside the IMVU. */
  "revenue.record": zSale.superRefine(hasDecimals),
  /** A sale, or a part of it, was paid back. */
  "revenue.reverse": z.strictObject({ ...zSale.shape, /** The sale's own source id. */ reverses: zSourceId }).superRefine(hasDecimals),
  /** The account that the owner's share is paid to from now on; null: none, and what is owed waits. */
  "imvu.payout.account": z.strictObject({ account: zPayoutAccount.nullable() }),
  /** Who the unit's invoices are to. */
  "imvu.billing.set": zBuyer,
  /** The volume's data and the unit's document as they are now. */
  "imvu.snapshot.create": z.strictObject({ label: zSnapshotLabel.nullable() }),
  /** The volume's data as they were then; the document stays as it is. */
  "imvu.snapshot.restore": z.strictObject({ id: zSnapshotId }),
  "imvu.snapshot.remove": z.strictObject({ id: zSnapshotId }),
  /** When its people are told what a month's usage comes to. It stops nothing and slows nothing down. */
  "imvu.budget.set": zBudget,
  /** A body of the unit's own stream goes; its commitment stays. */
  "imvu.erase": zErasure,
} as const;

export type Op = keyof typeof COMMAND_PARAMS;
export type Params<O extends Op> = z.output<(typeof COMMAND_PARAMS)[O]>;

/** Ops whose payload names no IMVU: they are about an identity or the platform, or it has no id yet. */
export const OPS_WITHOUT_IMVU = [
  "identity.register", "identity.key.add", "identity.key.rotate", "identity.key.revoke", "identity.recovery.set", "identity.recovery.begin", "identity.recovery.object",
  "identity.recovery.complete", "platform.operator.add", "platform.operator.remove", "platform.erase", "platform.tariff.publish", "platform.payout.execute", "platform.payout.return", "platform.billing.set", "imvu.create", "imvu.import",
] as const satisfies readonly Op[];
export type OpWithoutImvu = (typeof OPS_WITHOUT_IMVU)[number];

/** The signed payload. `imvu` is null for OPS_WITHOUT_IMVU. */
export const zCommandPayload = z.strictObject({
  op: z.enum(Object.keys(COMMAND_PARAMS) as [Op, ...Op[]]),
  imvu: zImvuId.nullable(),
  params: z.record(z.string(), z.json()),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/, "16 random bytes, base64url"),
  iat: z.int().min(0),
  exp: z.int().min(0),
});
export type CommandPayload = z.output<typeof zCommandPayload>;

/** A payload whose params were parsed by its op's schema: discriminated on `op`. */
export type Command = {
  [O in Op]: {
    readonly op: O;
    readonly imvu: ImvuId | null;
    readonly params: Params<O>;
    readonly nonce: string;
    readonly iat: number;
    readonly exp: number;
  };
}[Op];

/** JWS general JSON serialisation (RFC 7515 §7.2.1); first signature: the actor; further ones: approvals. */
export const zSignedCommand = z.strictObject({
  payload: z.string().max(COMMAND_BYTES_MAX),
  signatures: z
    .array(z.strictObject({ protected: z.string().max(512), signature: z.string().max(128) }))
    .min(1)
    .max(8),
});
export type SignedCommand = z.output<typeof zSignedCommand>;
