import type { Reading, Resource } from "../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf } from "../kernel/index.ts";
import type { Parts } from "./parts.ts";

/**
 * Absolute counters of the IMVU's parent group, which live through restarts of its containers, and the levels of memory and volume.
 * Operations and bytes are those of the volume's own device: base images are shared, and whoever reads a page of one first must not pay.
 */
export async function readMeters({ site, groups, volumes }: Pick<Parts, "site" | "groups" | "volumes">, imvu: ImvuId): Promise<readonly Reading[]> {
  const number = imvuNumberOf(imvu);
  const volume = await volumes.observe(number);
  const loop = await volumes.loop(number);
  if (!volume?.mounted || !loop || !groups.exists(number)) throw new Fault("NO_METER", `${imvu} has no envelope and volume to be read`, { hint: `nexus imvu show ${imvu}` });
  const counters = await groups.counters(number, loop.device);
  const [cpu, memory, blkio] = await Promise.all([groups.epoch(number, "cpuacct"), groups.epoch(number, "memory"), groups.epoch(number, "blkio")]);
  // A device attached anew counts from zero.
  const io = `${blkio}-loop-${loop.sequence}`;
  const reading = (resource: Resource, value: bigint, epoch: string): Reading => ({ resource, value: value.toString(), boot: site.boot, epoch });
  return [
    reading("compute.cpu", counters.cpuNs, cpu),
    reading("compute.memory", counters.memoryBytes, memory),
    reading("compute.storage", BigInt(volume.usedBytes), `volume-${loop.sequence}`),
    reading("compute.io.read.operations", counters.readOperations, io),
    reading("compute.io.write.operations", counters.writeOperations, io),
    reading("compute.io.read.bytes", counters.readBytes, io),
    reading("compute.io.write.bytes", counters.writeBytes, io),
  ];
}
