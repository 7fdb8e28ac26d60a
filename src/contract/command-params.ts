import { z } from "zod";
import { zBuyer, zSeller } from "./billing.ts";
import { zCurrency, zDisplayName, zFqdn, zIdentityName, zImvuId, zJurisdiction, zKeyId, zMailAddress, zServiceName, zSha256, zTimeZone } from "./branded.ts";
import { hasDecimals, zBudget, zInstant, zMonthBegin, zPayoutAccount, zPayoutRef, zPrices, zReason, zReference, zSale, zSourceId, zTiers } from "./money-fields.ts";
import { stepsWithoutPrice } from "./tiers.ts";
import { GIB, MIB, RECORD_VALUE_CHARS_MAX, RECORD_VALUES_MAX, TTL_SECONDS_MAX, TTL_SECONDS_MIN, zConsentPurpose, zConsentSubject, zDnsType, zEnv, zEnvelope, zImageRef, zPort, zRoutePath, zSnapshotId, zSnapshotLabel } from "./unit-fields.ts";

const zPublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "raw Ed25519 public key, base64url");
/** What its owner calls the machine a key lives on. */
const zDevice = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "1 to 32 of a-z, 0-9 and '-', like laptop");

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
