/**
 * Policy engine: the seventeen gates, each with decide (pure, over facts) and probe (asks reality), and the judge.
 * It never reads a database and touches no engine: whoever asks brings the facts and the reality.
 * Depends on kernel, contract and identity.
 */
export type { BlobFact, BundleFacts, ConsentFact, ErasureFact, Facts, IdentityFacts, ImvuFacts, NodeFacts, NodeFigures, OperatorFacts, PayoutFact, RevenueFact, SignatureFact, TariffFact, UsedFacts } from "./facts.ts";
export type { Denial, Gate } from "./gate.ts";
export { flawsOf } from "./arriving.ts";
export { GATES } from "./gates.ts";
export { imvuFactsOf } from "./imvu-facts.ts";
export { isAllowed, judge } from "./judge.ts";
export { lawDigest } from "./law-digest.ts";
export { asksForRoom, blobsIn, domainsIn, zoneClaimsFor } from "./named-domains.ts";
export { probeGates } from "./probe.ts";
export type { FabricName, LogReality, ProbeRow, Reality, RecordedCommand, RecordedEntry, Witness } from "./reality.ts";
export { erasedWith, type ErasingCommand, isErasure } from "./erasure.ts";
export { isOperatorCommand } from "./operators.ts";
export { isFounding } from "./terms.ts";
export { isPayoutOrder, type PayoutOrder } from "./payouts.ts";
export { isRevenue, type RevenueCommand } from "./revenue.ts";
export { isSnapshotCommand, type SnapshotCommand, snapshotFactsOf } from "./snapshots.ts";
export { refusalOf, wantsApproval } from "./refusal.ts";
export { type RegisteredKey, signatureFactsOf } from "./signature-facts.ts";
export { hasStanding } from "./standing.ts";
