import type { ComputeDesired } from "./desired.ts";
import type { Evidence } from "./fabric.ts";
import type { Snapshot } from "./snapshot.ts";

/** What was read of a capture. */
export type Captured = Pick<Snapshot, "digest" | "document" | "bytes" | "files">;

/** What the compute room does with captures beyond the shape all fabrics share. Each is idempotent; what is not so is thrown as a Fault. */
export interface SnapshotHands {
  /** @param document the unit's, in canonical JSON; the same id again is another capture in the place of the first */
  take(desired: ComputeDesired, id: string, document: string): Promise<Captured>;
  remove(desired: ComputeDesired, id: string): Promise<void>;
  /** Reads it again; a Fault when it is not what the ledger tells. */
  verify(desired: ComputeDesired, snapshot: Snapshot): Promise<void>;
  /** Stops the services, puts the data in place of what is there, compares, starts them. What was there is set aside under `token`. */
  restore(desired: ComputeDesired, snapshot: Snapshot, token: string): Promise<void>;
  /** Puts back what was set aside under `token`, if anything was. */
  putBack(desired: ComputeDesired, token: string): Promise<void>;
  /** Lets it go for good. */
  letGo(desired: ComputeDesired, token: string): Promise<void>;
  /** Compares all that `told` names with what lies on the volume, and restores the newest on trial. */
  check(desired: ComputeDesired, told: readonly Snapshot[]): Promise<Evidence>;
}
