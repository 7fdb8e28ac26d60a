import type { Fabric, Imvu, Reading, ReadingSet } from "../contract/index.ts";
import type { CommandRecord } from "../core/command/index.ts";
import { KeyHistory, openCommand } from "../core/identity/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { verifyCheckpoints } from "../core/ledger/pure.ts";
import type { LogReality, Reality } from "../core/policy-engine/index.ts";
import type { IdentityName, ImvuId } from "../kernel/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: a probe does not care what a fabric desires.
type AnyFabric = Fabric<any, any>;

export interface RealityDeps {
  readonly fabrics: readonly AnyFabric[];
  readonly ledger: Ledger;
  units(): Promise<readonly Imvu[]>;
  servedZones(): Promise<readonly string[]>;
  readMeters(imvu: ImvuId): Promise<readonly Reading[]>;
  recordMeters(imvu: ImvuId): Promise<ReadingSet>;
  answeredConsents: NonNullable<Reality["answeredConsents"]>;
  rehearseExit: NonNullable<Reality["rehearseExit"]>;
  checkSnapshots: NonNullable<Reality["checkSnapshots"]>;
  readAsStranger(imvu: ImvuId): ReturnType<NonNullable<Reality["readAsStranger"]>>;
  /** Notes of this log that were kept before: at least the one published when the platform started. */
  readonly keptCheckpoints: readonly string[];
}

/** What the seventeen probes ask. Units come from the log's own bodies; everything else from engines. */
export function realityOf(deps: RealityDeps): Reality {
  return {
    fabrics: deps.fabrics,
    log: logReality(deps),
    imvus: async () => (await deps.units()).map((imvu) => imvu.id),
    servedZones: () => deps.servedZones(),
    boundZones: async () => (await deps.units()).map(({ zone, id }) => ({ zone, imvu: id })),
    readMeters: (imvu) => deps.readMeters(imvu),
    recordMeters: (imvu) => deps.recordMeters(imvu),
    answeredConsents: (imvu) => deps.answeredConsents(imvu),
    rehearseExit: (imvu) => deps.rehearseExit(imvu),
    checkSnapshots: (imvu) => deps.checkSnapshots(imvu),
    readAsStranger: (imvu) => deps.readAsStranger(imvu),
  };
}

function logReality({ ledger, keptCheckpoints }: RealityDeps): LogReality {
  let told: Promise<KeyHistory> | undefined;
  const history = () => {
    told ??= keyHistory(ledger);
    return told;
  };
  const streamOf = (imvu: ImvuId | undefined) => (imvu === undefined ? {} : { stream: imvu });
  return {
    fsck: async () => {
      const { ok, entries, failures } = await ledger.fsck();
      const first = failures[0];
      return { ok, detail: first ? `entry ${first.index}: ${first.what}` : `${entries} entries recomputed from bodies to checkpoint` };
    },
    checkpointConsistent: async () => {
      const now = ledger.checkpoint();
      if (now === undefined) return { ok: false, detail: "the log has no checkpoint" };
      for (const kept of keptCheckpoints) {
        const [from, to] = [sizeOf(kept), sizeOf(now)];
        const proof = (await ledger.consistencyProof(Math.min(from, to), Math.max(from, to))).map((hash) => hash.toString("base64"));
        const checked = verifyCheckpoints(kept, now, proof, ledger.verifierKey);
        if (!checked.ok) return { ok: false, detail: checked.message };
      }
      return { ok: true, detail: `${keptCheckpoints.length} kept checkpoints are all of the log of ${sizeOf(now)} entries` };
    },
    async *acceptedCommands(imvu) {
      for await (const entry of ledger.entries(streamOf(imvu)))
        if (entry.type === "command.accepted") yield { index: entry.index, signed: (entry.data as unknown as CommandRecord).jws };
    },
    async *entries(imvu) {
      for await (const entry of ledger.entries(streamOf(imvu))) {
        if (entry.type === "erased") continue;
        const digest = (entry.data as { digest?: unknown } | null)?.digest;
        yield { index: entry.index, type: entry.type, command: typeof digest === "string" && entry.type !== "platform.law" ? digest : undefined };
      }
    },
    keyAt: async (kid, index) => (await history()).at(kid, index),
  };
}

/** One pass over the log tells all keys of all times. */
async function keyHistory(ledger: Ledger): Promise<KeyHistory> {
  const history = new KeyHistory();
  for await (const entry of ledger.entries()) {
    if (entry.type === "erased") continue;
    const { type, index, time, data } = entry;
    if (type === "identity.registered") {
      const { name, publicKey } = data as { name: IdentityName; publicKey: string };
      history.registered(name, publicKey, index);
    }
    const opened = type === "command.accepted" ? openCommand((data as unknown as CommandRecord).jws) : undefined;
    if (opened?.ok) history.follow(opened.value, index, Date.parse(time));
  }
  return history;
}

/** The second line of a checkpoint is its size (C2SP tlog-checkpoint). */
function sizeOf(note: string): number {
  return Number(note.split("\n")[1]);
}
