import type { Command, Imvu, Verdict } from "../../contract/index.ts";
import type { Facts, ImvuFacts, SnapshotFacts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";
import { SNAPSHOT_FRESH_MS, SNAPSHOT_REST_MS, SNAPSHOT_ROOM_BYTES, SNAPSHOTS_PER_IMVU_MAX } from "./limits.ts";

/** What the law says of captures: nothing is replaced that stands in none, and what was replaced is not taken away right after. */
export type SnapshotCode = "RESTORE_WITHOUT_SNAPSHOT" | "SNAPSHOT_RESTED_ON" | "SNAPSHOTS_UNKNOWN";

export const SNAPSHOT_DENIALS: Readonly<Record<SnapshotCode, Denial>> = {
  RESTORE_WITHOUT_SNAPSHOT: { says: "what would be replaced stands in no fresh snapshot", hint: "take one right before: 'nexus imvu snapshot create --imvu-id ID'; 'nexus imvu snapshot restore' does both" },
  SNAPSHOT_RESTED_ON: { says: "a restore of the last hour replaced what stands in this snapshot, and perhaps nowhere else", hint: "remove it later; 'nexus imvu snapshot list --imvu-id ID' says when" },
  SNAPSHOTS_UNKNOWN: { says: "which snapshots there are could not be read", hint: "try again; 'nexus doctor' names the engine that does not answer" },
};

export type SnapshotCommand = Extract<Command, { op: "imvu.snapshot.create" | "imvu.snapshot.restore" | "imvu.snapshot.remove" }>;

export function isSnapshotCommand(command: Command): command is SnapshotCommand {
  return command.op === "imvu.snapshot.create" || command.op === "imvu.snapshot.restore" || command.op === "imvu.snapshot.remove";
}

/** Of the unit's snapshots what the gates read for this command. */
export function snapshotFactsOf({ snapshots }: Pick<Imvu, "snapshots">, command: SnapshotCommand): SnapshotFacts {
  const kept = snapshots?.kept ?? [];
  const fresh = kept.find(({ id }) => id === snapshots?.fresh);
  const named = "id" in command.params ? command.params.id : undefined;
  const rested = kept.find(({ id }) => id === named)?.restedOn;
  return { count: kept.length, fresh: fresh === undefined ? null : { id: fresh.id, at_ms: Date.parse(fresh.takenAt) }, rested_ms: rested === undefined ? null : Date.parse(rested) };
}

/** Gate 7: one more must be allowed, and find room on the volume; on a full one the file system could not even write down that there is one. */
export function mayTake(imvu: Pick<ImvuFacts, "envelope">, { snapshots = null, used }: Pick<Facts, "snapshots" | "used">, answer: Answer<"QUOTA_EXCEEDED" | "FIGURES_UNKNOWN">): Verdict {
  if (snapshots === null || used === null) return answer.deny("FIGURES_UNKNOWN");
  const count = snapshots.count + 1;
  if (count > SNAPSHOTS_PER_IMVU_MAX) return answer.deny("QUOTA_EXCEEDED", { snapshots: count }, { snapshots: SNAPSHOTS_PER_IMVU_MAX });
  const free = imvu.envelope.storageBytes - used.storageBytes;
  return free < SNAPSHOT_ROOM_BYTES ? answer.deny("QUOTA_EXCEEDED", { storageBytes: SNAPSHOT_ROOM_BYTES }, { storageBytes: Math.max(0, free) }) : answer.pass();
}

/** Gate 12. */
export function mayReplace({ snapshots = null, now_ms }: Pick<Facts, "snapshots" | "now_ms">, answer: Answer<SnapshotCode>): Verdict {
  if (snapshots === null) return answer.deny("SNAPSHOTS_UNKNOWN");
  const { fresh } = snapshots;
  if (fresh === null) return answer.deny("RESTORE_WITHOUT_SNAPSHOT", null, { maxAge_ms: SNAPSHOT_FRESH_MS });
  const age_ms = now_ms - fresh.at_ms;
  return age_ms > SNAPSHOT_FRESH_MS ? answer.deny("RESTORE_WITHOUT_SNAPSHOT", { snapshot: fresh.id, age_ms }, { maxAge_ms: SNAPSHOT_FRESH_MS }) : answer.pass();
}

/** Gate 12. */
export function mayTakeAway({ snapshots = null, now_ms }: Pick<Facts, "snapshots" | "now_ms">, answer: Answer<SnapshotCode>): Verdict {
  if (snapshots === null) return answer.deny("SNAPSHOTS_UNKNOWN");
  const { rested_ms } = snapshots;
  return rested_ms !== null && now_ms - rested_ms < SNAPSHOT_REST_MS ? answer.deny("SNAPSHOT_RESTED_ON", { at_ms: now_ms }, { from_ms: rested_ms + SNAPSHOT_REST_MS }) : answer.pass();
}
