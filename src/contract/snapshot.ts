import type { Sha256 } from "../kernel/index.ts";

/** One capture of a unit, as the ledger tells it. */
export interface Snapshot {
  /** `S1`, `S2` … within the unit; no number comes twice. */
  readonly id: string;
  readonly label: string | null;
  /** SHA-256 over the listing of everything captured (docs/infra-core/snapshots.md). */
  readonly digest: Sha256;
  /** SHA-256 of the unit's document as it was then, in canonical JSON, without its snapshots. */
  readonly document: Sha256;
  /** Sum of the files' sizes; what it takes of the volume is less where files did not change. */
  readonly bytes: number;
  readonly files: number;
  /** RFC 3339. */
  readonly takenAt: string;
  /** When a command that destroys was last carried out because this one stands; absent: none was. */
  readonly restedOn?: string;
}

/** A unit's captures, oldest first. */
export interface Snapshots {
  /** How many were ever taken: the next one has the number behind. */
  readonly taken: number;
  readonly kept: readonly Snapshot[];
  /** Id of the newest, for as long as no command has changed the unit after it. */
  readonly fresh: string | null;
}
