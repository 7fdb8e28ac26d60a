import type { Reading, Resource } from "../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf, inSlices, together } from "../kernel/index.ts";
import { type Attached, readAttached } from "./envelopes/attached.ts";
import type { Parts } from "./parts.ts";

type Metered = Pick<Parts, "site" | "layout" | "groups" | "volumes">;

/** The machine's tables of devices and mounts are read once for all who ask together; then a unit's own files, a few system calls each. */
export function computeMeter(parts: Metered): (imvu: ImvuId) => Promise<readonly Reading[]> {
  const attached = together(async () => readAttached(parts.layout.volumes));
  const slice = inSlices();
  return async (imvu) => {
    const seen = await attached();
    return await slice(() => readMeters(parts, seen, imvu));
  };
}

/**
 * Absolute counters of the IMVU's parent group, which live through restarts of its containers, and the levels of memory and volume.
 * Operations and bytes are those of the volume's own device: base images are shared, and whoever reads a page of one first must not pay.
 */
function readMeters({ site, groups, volumes }: Metered, attached: Attached, imvu: ImvuId): readonly Reading[] {
  const number = imvuNumberOf(imvu);
  const volume = volumes.readNow(number, attached);
  if (!volume || !groups.exists(number)) throw new Fault("NO_METER", `${imvu} has no envelope and volume to be read`, { hint: `nexus imvu show ${imvu}` });
  const { usedBytes, loop } = volume;
  const counters = groups.countersNow(number, loop.device);
  const [cpu, memory, blkio] = [groups.epoch(number, "cpuacct"), groups.epoch(number, "memory"), groups.epoch(number, "blkio")];
  // A device attached anew counts from zero.
  const io = `${blkio}-loop-${loop.sequence}`;
  const reading = (resource: Resource, value: bigint, epoch: string): Reading => ({ resource, value: value.toString(), boot: site.boot, epoch });
  return [
    reading("compute.cpu", counters.cpuNs, cpu),
    reading("compute.memory", counters.memoryBytes, memory),
    reading("compute.storage", BigInt(usedBytes), `volume-${loop.sequence}`),
    reading("compute.io.read.operations", counters.readOperations, io),
    reading("compute.io.write.operations", counters.writeOperations, io),
    reading("compute.io.read.bytes", counters.readBytes, io),
    reading("compute.io.write.bytes", counters.writeBytes, io),
  ];
}
