import type { Fabric, Imvu, Reading, ReadingSet } from "../contract/index.ts";
import type { CommandRecord } from "../core/command/index.ts";
import { openCommand, type PublicKey, publicKeyFromText } from "../core/identity/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { verifyCheckpoints } from "../core/ledger/pure.ts";
import type { LogReality, Reality } from "../core/policy-engine/index.ts";
import type { ImvuId } from "../kernel/index.ts";

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
    readAsStranger: (imvu) => deps.readAsStranger(imvu),
  };
}

function logReality({ ledger, keptCheckpoints }: RealityDeps): LogReality {
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
        if (entry.type === "command.accepted") yield { index: entry.index, at_ms: Date.parse(entry.time), signed: (entry.data as unknown as CommandRecord).jws };
    },
    async *entries(imvu) {
      for await (const entry of ledger.entries(streamOf(imvu))) {
        const digest = (entry.data as { digest?: unknown } | null)?.digest;
        yield { index: entry.index, type: entry.type, command: typeof digest === "string" && entry.type !== "platform.law" ? digest : undefined };
      }
    },
    keyLiveAt: async (kid, at_ms) => {
      for await (const entry of ledger.entries()) {
        if (Date.parse(entry.time) > at_ms) continue;
        const key = entry.type === "command.accepted" ? registeredKey((entry.data as unknown as CommandRecord).jws) : undefined;
        if (key?.kid === kid) return key;
      }
      return undefined;
    },
  };
}

function registeredKey(jws: unknown): PublicKey | undefined {
  const opened = openCommand(jws);
  if (!opened.ok || opened.value.command.op !== "identity.register") return undefined;
  const key = publicKeyFromText(opened.value.command.params.publicKey);
  return key.ok ? key.value : undefined;
}

/** The second line of a checkpoint is its size (C2SP tlog-checkpoint). */
function sizeOf(note: string): number {
  return Number(note.split("\n")[1]);
}
