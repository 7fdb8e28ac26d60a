import { allImvus } from "../core/command/index.ts";
import type { Store } from "../core/store/index.ts";
import type { Imvu } from "../contract/index.ts";
import { type Desired, desiredOf } from "../imvu/imvu-manager/index.ts";
import type { Fqdn, ImvuId } from "../kernel/index.ts";
import { resolverAddressOf } from "../network/index.ts";
import type { Told } from "./rooms.ts";

/** The projection in memory, for probes that ask synchronously; refreshed before each round of probes. */
export class ToldUnits implements Told {
  private units: ReadonlyMap<ImvuId, Imvu> = new Map();

  async refresh(store: Store): Promise<readonly Imvu[]> {
    const all = await store.snapshot(allImvus);
    this.take(all);
    return all;
  }

  take(all: readonly Imvu[]): void {
    this.units = new Map(all.map((imvu) => [imvu.id, imvu]));
  }

  desiredOf(id: ImvuId): Desired | undefined {
    const imvu = this.units.get(id);
    return imvu && imvu.status !== "creating" ? desiredOf(imvu, resolverAddressOf(imvu.number)) : undefined;
  }

  zones(): ReadonlyMap<Fqdn, ImvuId> {
    return new Map([...this.units.values()].map((imvu) => [imvu.zone, imvu.id]));
  }
}
