import { z } from "zod";
import { RESOURCES, type Resource, zEnvelope } from "../../contract/index.ts";
import type { BlobFact, BundleFacts, BundleFlaw, ConsentFact, ErasureFact, Facts, IdentityFacts, ImvuFacts, NodeFacts, NodeFigures, OperatorFacts, PayoutFact, RevenueFact, SignatureFact, TariffFact, SnapshotFacts, UsedFacts } from "./facts.ts";

/** Facts come back from ledger bodies too, where anything may stand: a missing figure must deny, never compare as false. */

type Shape<T> = Record<keyof T, z.ZodType>;

/** One check each instead of a chain: every command is judged by facts of some forty of them. */
const zText = z.custom<string>((value) => typeof value === "string" && value.length <= 512);
/** Far above any node's figures, and low enough that sums and the CPU factor stay safe integers. */
const FIGURE_MAX = 2 ** 49;
const zCount = z.custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= FIGURE_MAX);
const zFigures = z.strictObject({ cpuMillis: zCount, memoryBytes: zCount, storageBytes: zCount } satisfies Shape<NodeFigures>);

const zSignatureFact = z.strictObject({
  kid: zText,
  identity: zText.nullable(),
  publicKey: zText.nullable(),
  status: z.enum(["live", "rotated", "revoked", "recovery", "pending", "unknown"] satisfies SignatureFact["status"][]),
  valid: z.boolean(),
} satisfies Shape<SignatureFact>);

const zImvuFacts = z.strictObject({
  id: zText,
  owner: zText,
  jurisdiction: zText,
  status: z.enum(["creating", "active", "exiting", "exported", "exited"]),
  zone: zText,
  currency: zText.optional(),
  envelope: zEnvelope,
  members: z.array(z.strictObject({ identity: zText, role: z.enum(["owner", "maintainer", "billing", "viewer"]) })),
  counts: z.strictObject({ services: zCount, recordSets: zCount, mailboxes: zCount, routes: zCount, members: zCount } satisfies Shape<ImvuFacts["counts"]>),
  mailQuotaBytes: zCount,
  named: z.strictObject({
    service: z.boolean(),
    recordSet: z.boolean(),
    mailbox: z.boolean(),
    member: z.boolean(),
    route: z.strictObject({ ratePerMinute: zCount.nullable() }).nullable(),
  } satisfies Shape<ImvuFacts["named"]>),
} satisfies Shape<ImvuFacts>);

const zNodeFacts = z.strictObject({ name: zText, jurisdictions: z.array(zText), capacity: zFigures, allocated: zFigures.nullable() } satisfies Shape<NodeFacts>);

const zUsedFacts = z.strictObject({ memoryBytes: zCount, storageBytes: zCount, processes: zCount, mailboxMessages: zCount.nullable() } satisfies Shape<UsedFacts>);

const zBundleFacts = z.strictObject({ manifest: zText, sourceId: zText, zone: zText, envelope: zEnvelope, timeZone: zText.optional(), currency: zText.optional(), flaws: z.array(z.strictObject({ gate: zCount, code: zText, what: zText } satisfies Shape<BundleFlaw>)), ownerKids: z.array(zText) } satisfies Shape<BundleFacts>);

const zKeyState = z.enum(["live", "rotated", "revoked", "recovery", "pending"]);
const zIdentityFacts = z.strictObject({
  name: zText,
  liveKeys: zCount,
  keys: zCount,
  recoveryKid: zText.nullable(),
  named: zKeyState.nullable(),
  pendingSince_ms: zCount.nullable(),
} satisfies Shape<IdentityFacts>);

const zOperatorFacts = z.strictObject({ count: zCount, signers: z.array(zText), registered: z.boolean(), operator: z.boolean() } satisfies Shape<OperatorFacts>);

const zConsentFact = z.strictObject({ state: z.enum(["none", "given", "withdrawn"]), text: zText.nullable() } satisfies Shape<ConsentFact>);

const zErasureFact = z.strictObject({
  commitment: zText,
  kind: z.enum(["consent", "refused", "other", "erased"]),
  digest: zText.nullable(),
  exp_ms: zCount,
  outcome: z.strictObject({ index: zCount, commitment: zText }).nullable(),
  earlier: zCount,
} satisfies Shape<ErasureFact>);

const zRevenueFact = z.strictObject({
  known: z.strictObject({ index: zCount, same: z.boolean() }).nullable(),
  left: z.string().regex(/^\d{1,12}(\.\d{1,4})?$/).nullable(),
  since_ms: zCount.nullable(),
} satisfies Shape<RevenueFact>);

const zTariffFact = z.strictObject({ published: z.boolean() } satisfies Shape<TariffFact>);

const zPayoutFact = z.strictObject({ state: z.enum(["created", "executed", "returned"] satisfies PayoutFact["state"][]) } satisfies Shape<PayoutFact>);

const zSnapshotFacts = z.strictObject({
  count: zCount,
  fresh: z.strictObject({ id: zText, at_ms: zCount }).nullable(),
  rested_ms: zCount.nullable(),
} satisfies Shape<SnapshotFacts>);

const zFacts = z.strictObject({
  v: z.literal(1),
  now_ms: zCount,
  suffix: zText,
  signatures: z.array(zSignatureFact),
  nonceSeen: z.boolean(),
  registration: z.strictObject({ nameTaken: z.boolean(), keyTaken: z.boolean() }).nullable(),
  imvu: zImvuFacts.nullable(),
  newZone: zText.nullable(),
  zoneClaims: z.array(z.strictObject({ zone: zText, imvu: zText })),
  node: zNodeFacts.nullable(),
  used: zUsedFacts.nullable(),
  meters: z.array(z.enum(Object.keys(RESOURCES) as [Resource, ...Resource[]])).nullable(),
  blobs: z.array(z.strictObject({ digest: zText, readable: z.boolean(), bytes: zCount } satisfies Shape<BlobFact>)),
  consent: zConsentFact.nullable(),
  identity: zIdentityFacts.nullable().optional(),
  operators: zOperatorFacts.nullable().optional(),
  erasure: zErasureFact.nullable().optional(),
  revenue: zRevenueFact.nullable().optional(),
  tariffs: zTariffFact.nullable().optional(),
  payout: zPayoutFact.nullable().optional(),
  snapshots: zSnapshotFacts.nullable().optional(),
  bundle: zBundleFacts.nullable(),
  platform: z.strictObject({ ledgerWritable: z.boolean(), keyLoaded: z.boolean() }),
} satisfies Shape<Facts>);

/** Brands inside are the loader's word; the gates compare them as the strings they are. */
export function isFacts(value: unknown): value is Facts {
  return zFacts.safeParse(value).success;
}
