import { type ComputeDesired, imvuUidBase, type SnapshotHands } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";
import type { Order } from "../fabric/podman/container-spec.ts";
import type { Parts } from "../parts.ts";
import { Captures, type Place } from "./captures.ts";
import { Check } from "./check.ts";
import * as swap from "./swap.ts";

/** Captures on the real volume, and the services that run on it. */
export function snapshotHands({ site, layout, volumes, services }: Parts): SnapshotHands {
  const captures = new Captures(site, layout, volumes);
  const check = new Check(captures);
  const placeOf = ({ number, envelope }: ComputeDesired): Place => ({ number, storageBytes: envelope.storageBytes });
  /** A service that has no data here begins with an empty folder. */
  const whileStopped = (desired: ComputeDesired, work: () => Promise<void>) => services.whileStopped(desired, ordersOf(desired), work);

  return {
    take: (desired, id, document) => captures.take(placeOf(desired), id, document),
    remove: ({ number }, id) => captures.remove(number, id),

    async verify(desired, snapshot) {
      const [flaw] = await captures.flaws(placeOf(desired), snapshot, "all");
      if (flaw !== undefined) throw new Fault("SNAPSHOT_ALTERED", `${flaw}; nothing was stopped, and nothing is put in place`, { hint: "'nexus verify gates' names what else is not as the ledger tells" });
    },

    async restore(desired, snapshot, token) {
      const root = volumes.mountPoint(desired.number);
      await whileStopped(desired, async () => {
        await swap.putInPlace(root, captures.dataOf(desired.number, snapshot.id), token, imvuUidBase(site, desired.number));
        const { digest } = await captures.list(placeOf(desired), `${root}/data`, snapshot.document);
        if (digest !== snapshot.digest) throw new Fault("SNAPSHOT_RESTORE", `what is in place has the digest ${digest} instead of ${snapshot.digest}`, { hint: "try again" });
      });
    },

    async putBack(desired, token) {
      const root = volumes.mountPoint(desired.number);
      if (swap.isSetAside(root, token)) await whileStopped(desired, () => swap.putBack(root, token));
      else await swap.settleRestore(root);
    },

    letGo: ({ number }, token) => swap.letGo(volumes.mountPoint(number), token),

    async check(desired, told) {
      if ((await volumes.observe(desired.number))?.mounted !== true) return { verdict: "unproven", detail: "its volume is not mounted" };
      return await check.of(placeOf(desired), volumes.mountPoint(desired.number), told);
    },
  };
}

function ordersOf({ services, resolverAddress, jurisdiction }: ComputeDesired): readonly Order[] {
  return services.map((service) => ({ service, resolverAddress, jurisdiction }));
}
