import type { ComputeDesired, Imvu, Snapshot, SnapshotHands, Snapshots } from "../../contract/index.ts";
import type { Work, Worked } from "../../core/command/index.ts";
import type { SnapshotCommand } from "../../core/policy-engine/index.ts";
import { canonicalJson, Fault, type Json, refuse, type Refusal } from "../../kernel/index.ts";

const NONE: Snapshots = { taken: 0, kept: [], fresh: null };
/** Digits of a command's digest that name what it set aside. */
const TOKEN_CHARS = 16;

/** The platform's word with the intent, so that a replay tells the same. */
export interface SnapshotAllocation {
  /** RFC 3339: when the command was accepted. */
  readonly at: string;
}

/** The document after a command on snapshots, before a new one's digest is known. Pure. */
export function nextSnapshots(imvu: Imvu, command: SnapshotCommand, { at }: SnapshotAllocation): Imvu {
  const { taken, kept, fresh } = imvu.snapshots ?? NONE;
  switch (command.op) {
    case "imvu.snapshot.create":
      return { ...imvu, snapshots: { taken: taken + 1, kept, fresh } };
    case "imvu.snapshot.restore":
      // What it replaces stands in the fresh one alone from now on.
      return { ...imvu, snapshots: { taken, kept: kept.map((one) => (one.id === fresh ? { ...one, restedOn: at } : one)), fresh: null } };
    case "imvu.snapshot.remove": {
      const { id } = command.params;
      return { ...imvu, snapshots: { taken, kept: kept.filter((one) => one.id !== id), fresh: fresh === id ? null : fresh } };
    }
  }
}

export function withSnapshot(after: Imvu, snapshot: Snapshot): Imvu {
  const { taken, kept } = after.snapshots ?? NONE;
  return { ...after, snapshots: { taken, kept: [...kept, snapshot], fresh: snapshot.id } };
}

/** What a command changed is in no snapshot that was taken before it. */
export function unfresh(before: Imvu, after: Imvu): Imvu {
  return after === before || !after.snapshots?.fresh ? after : { ...after, snapshots: { ...after.snapshots, fresh: null } };
}

/** What is captured of the document: all but what it says of snapshots. */
export function documentText({ snapshots: _, ...document }: Imvu): string {
  return canonicalJson(JSON.parse(JSON.stringify(document)) as Json);
}

export function objectionToSnapshot(command: SnapshotCommand, before: Imvu): Refusal | undefined {
  if (command.op === "imvu.snapshot.create") return undefined;
  const { id } = command.params;
  return before.snapshots?.kept.some((one) => one.id === id) ? undefined : refuse("not-found", "NO_SUCH_SNAPSHOT", `id: ${before.id} has no snapshot ${id}`, `nexus imvu snapshot list --imvu-id ${before.id}`);
}

/** @param compute the order of the unit as it stays */
export async function runSnapshot(hands: SnapshotHands, work: Pick<Work, "digest" | "saga"> & { readonly command: SnapshotCommand; readonly before: Imvu; readonly after: Imvu }, compute: ComputeDesired, { at }: SnapshotAllocation): Promise<Worked> {
  const { command, before, after, saga } = work;
  switch (command.op) {
    case "imvu.snapshot.create": {
      const id = `S${after.snapshots?.taken}`;
      let snapshot: Snapshot | undefined;
      await saga.run([
        {
          key: `compute/snapshot/${after.id}/${id}`,
          sentence: `capture the volume as ${id}, and read it for its digest`,
          do: async () => {
            snapshot = { id, label: command.params.label, ...(await hands.take(compute, id, documentText(before))), takenAt: at };
          },
          undo: () => hands.remove(compute, id),
        },
      ]);
      const said = JSON.parse(JSON.stringify({ snapshot })) as { readonly [key: string]: Json };
      return { learned: said, observed: { imvu: after.id, ...said } };
    }
    case "imvu.snapshot.restore": {
      const { id } = command.params;
      const [snapshot, token] = [keptIn(before, id), work.digest.slice(0, TOKEN_CHARS)];
      await saga.run([
        { key: `compute/snapshot/${after.id}/${id}`, sentence: `compare ${id} with the ledger`, do: () => hands.verify(compute, snapshot), undo: async () => {} },
        { key: `compute/restore/${after.id}`, sentence: `stop the services, put the data of ${id} in place, compare it, start them`, do: () => hands.restore(compute, snapshot, token), undo: () => hands.putBack(compute, token) },
      ]);
      // The last thing, and no step: after it nothing can fail, and nothing be put back. What was there is in the snapshot that this one rests on.
      await hands.letGo(compute, token);
      return { learned: null, observed: { imvu: after.id, restored: id, digest: snapshot.digest, files: snapshot.files, bytes: snapshot.bytes, rests: before.snapshots?.fresh ?? null, services: compute.services.map(({ name }) => name) } };
    }
    case "imvu.snapshot.remove": {
      const { id } = command.params;
      await saga.run([{ key: `compute/snapshot/${after.id}/${id}`, sentence: `remove ${id}`, do: () => hands.remove(compute, id), undo: async () => {} }]);
      return { learned: null, observed: { imvu: after.id, removed: id } };
    }
  }
}

function keptIn({ id: unit, snapshots }: Imvu, id: string): Snapshot {
  const found = snapshots?.kept.find((one) => one.id === id);
  if (!found) throw new Fault("NO_SUCH_SNAPSHOT", `${unit} has no snapshot ${id}`);
  return found;
}
