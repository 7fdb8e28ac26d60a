/**
 * Contract: the shapes that cross a door – commands, the IMVU document, fabric ports, engines, ledger entries, meters.
 * zod schemas where bytes come from outside; plain types inside.
 * Depends on kernel.
 */
export { type Buyer, isInEu, type Seller, zBuyer, zSeller } from "./billing.ts";
export { zImvuId, zSha256 } from "./branded.ts";
export {
  CLOCK_SKEW_MS_MAX,
  COMMAND_BYTES_MAX,
  COMMAND_LIFETIME_MS_DEFAULT,
  COMMAND_LIFETIME_MS_MAX,
  type Command,
  type CommandPayload,
  RECOVERY_WAIT_MS,
  type SignedCommand,
  TARIFF_NOTICE_MS,
  TARIFF_WRITE_MS_MAX,
  zCommandPayload,
  zSignedCommand,
} from "./command.ts";
export { COMMAND_PARAMS, type Op, OPS_WITHOUT_IMVU, type OpWithoutImvu, type Params } from "./command-params.ts";
export type { ComputeDesired, DomainsDesired, MailDesired, NetworkDesired } from "./desired.ts";
export type { EngineSpec } from "./engine.ts";
export type { EntryBody, EntryType, NewEntry, Receipt, Verdict } from "./entry.ts";
export type { BundleReader, Evidence, ExportSink, Fabric, GateNumber, Step } from "./fabric.ts";
export type {
  DkimKey,
  DnsRecordSet,
  DnsType,
  Envelope,
  Imvu,
  ImvuStatus,
  Mailbox,
  MemberRole,
  Route,
  RouteClass,
  Service,
  ServiceSource,
} from "./imvu.ts";
export { hashMailPassword, parseMailPasswordHash } from "./mail-password.ts";
export { FIRST_RESOURCES, type FirstResource, type LaterResource, likeOf, RESOURCES, type MeterReading, type Reading, type ReadingLife, type ReadingSet, type ReadingSummary, type Resource } from "./meter.ts";
export type { FabricRoom, Finding } from "./room.ts";
export type { Snapshot, Snapshots } from "./snapshot.ts";
export type { Captured, SnapshotHands } from "./snapshot-hands.ts";
export {
  type Blobs,
  IMVUS_PER_HOME_MAX,
  imvuUidBase,
  UIDS_PER_HOME,
  namespaceNameOf,
  namespacePathOf,
  type Ports,
  routerNamespaceNameOf,
  type Site,
} from "./site.ts";
export { flawOfTiers, stepsWithoutPrice, type Tier, type Tiers } from "./tiers.ts";
export { GIB, MIB, zEnvelope } from "./unit-fields.ts";
