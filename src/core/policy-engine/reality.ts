import type { Evidence, GateNumber, Reading, ReadingSet, SignedCommand } from "../../contract/index.ts";
import type { ImvuId, KeyId } from "../../kernel/index.ts";
import type { KeyThen } from "../identity/index.ts";

export type FabricName = "compute" | "domains" | "mail" | "network";

/** What a probe needs of a fabric; `Fabric` has this shape. */
export interface Witness {
  readonly name: FabricName;
  readonly probes: readonly GateNumber[];
  probe(gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence>;
}

/** A command entry as the log holds it. */
export interface RecordedCommand {
  readonly index: number;
  readonly signed: SignedCommand;
}

export interface RecordedEntry {
  readonly index: number;
  readonly type: string;
  /** Digest of the command that an intent or an outcome belongs to; undefined for other entries. */
  readonly command: string | undefined;
}

/** The log itself, read from its bodies and tiles, not from projections. */
export interface LogReality {
  /** Recomputes leaves, streams and the tree; `detail` counts, or names the first entry that is wrong. */
  fsck(): Promise<{ readonly ok: boolean; readonly detail: string }>;
  /** The newest published checkpoint extends every earlier one that was kept; `detail` names sizes. */
  checkpointConsistent(): Promise<{ readonly ok: boolean; readonly detail: string }>;
  /** Accepted commands in the log's order; of one IMVU, or all. */
  acceptedCommands(imvu: ImvuId | undefined): AsyncIterable<RecordedCommand>;
  /** Every entry's type and the command it belongs to, in the log's order; of one IMVU's stream, or all. */
  entries(imvu: ImvuId | undefined): AsyncIterable<RecordedEntry>;
  /** What the key with this thumbprint was when entry `index` was judged, from the log's identity entries. */
  keyAt(kid: KeyId, index: number): Promise<KeyThen | undefined>;
}

/** One line of what the platform answers when it is asked for an IMVU's consents. */
export interface AnsweredConsent {
  readonly index: number;
  readonly subject: string;
  readonly purpose: string;
  readonly text: string;
  readonly state: "given" | "withdrawn";
}

/** What the seventeen probes may ask. Everything reads engines or the log; a projection only where its answers are what is examined. */
export interface Reality {
  readonly fabrics: readonly Witness[];
  readonly log: LogReality;
  /** IMVUs alive by the log. */
  imvus(): Promise<readonly ImvuId[]>;
  /** Zones the DNS server itself says it serves (member zones, without the platform's own catalog). */
  servedZones(): Promise<readonly string[]>;
  /** Zones and owners by the log. */
  boundZones(): Promise<readonly { readonly zone: string; readonly imvu: ImvuId }[]>;
  /** All fabrics' meters of one IMVU, read now. */
  readMeters(imvu: ImvuId): Promise<readonly Reading[]>;
  /** Reads them on demand into a `meter.reading` entry and answers it as the log holds it; absent while that cannot be done. */
  recordMeters?(imvu: ImvuId): Promise<ReadingSet>;
  /** What the newest export that was made of an IMVU to be rehearsed and compared showed; absent while that cannot be done. */
  rehearseExit?(imvu: ImvuId): Promise<Evidence>;
  /** Compares an IMVU's snapshots with what the log tells of them, and restores one on trial; absent while that cannot be done. */
  checkSnapshots?(imvu: ImvuId): Promise<Evidence>;
  /** The answers about consent, oldest first, as the API gives them; absent while it gives none. */
  answeredConsents?(imvu: ImvuId): Promise<readonly AnsweredConsent[]>;
  /** Asks the API for another IMVU's data with a stranger's key; absent while that cannot be done. */
  readAsStranger?(imvu: ImvuId): Promise<Evidence>;
}

export interface ProbeRow {
  readonly gate: GateNumber;
  readonly title: string;
  readonly verdict: Evidence["verdict"];
  readonly evidence: string;
  readonly ms: number;
}
