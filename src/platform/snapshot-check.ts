import type { Evidence, Imvu } from "../contract/index.ts";
import type { CommandBus } from "../core/command/index.ts";
import { desiredOf, type Fabrics } from "../imvu/imvu-manager/index.ts";
import { Fault, type ImvuId } from "../kernel/index.ts";

export interface SnapshotCheckDeps {
  readonly fabrics: Pick<Fabrics, "snapshots" | "resolverAddressOf">;
  readonly bus: Pick<CommandBus, "still">;
  /** Every unit as the log's own bodies tell it; `anew`: as they do now. */
  units(anew: boolean): Promise<readonly Imvu[]>;
}

/**
 * Gate 12's look at one unit. A command that is at work has changed the volume before its entry says so: what seems broken
 * is looked at once more while the unit stands still.
 */
export async function checkSnapshots({ fabrics, bus, units }: SnapshotCheckDeps, id: ImvuId): Promise<Evidence> {
  const look = async (anew: boolean): Promise<Evidence> => {
    const imvu = (await units(anew)).find((one) => one.id === id);
    if (!imvu) throw new Fault("LEDGER_BROKEN", `the log tells of no ${id}`, { hint: "nexus ledger replay --check" });
    return await fabrics.snapshots.check(desiredOf(imvu, fabrics.resolverAddressOf(imvu.number)).compute, imvu.snapshots?.kept ?? []);
  };
  const seen = await look(false);
  return seen.verdict === "broken" ? await bus.still(id, () => look(true)) : seen;
}
