import type { Evidence } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { differences, limitsOf } from "../envelopes/limits.ts";
import { sizeOf } from "../envelopes/volume.ts";
import type { Parts } from "../parts.ts";
import { broken, holds, unproven } from "./asked.ts";

type Seen = Pick<Parts, "groups" | "volumes" | "desiredOf">;

/** Gate 7: every limit as the kernel holds it now, and what is in use, against the envelope. */
export async function probeQuotas({ groups, volumes, desiredOf }: Seen, imvu: ImvuId, number: number): Promise<Evidence> {
  const desired = desiredOf(imvu);
  if (!desired) return unproven("nobody told compute what its envelope is");
  const { envelope } = desired;
  const volume = await volumes.observe(number);
  if (!groups.exists(number) || !volume?.mounted) return broken("it has no control group or no volume: nothing limits it");
  const wrong = [...differences(envelope, await groups.read(number, volume.device))];
  if (volume.sizeBytes !== sizeOf(envelope.storageBytes)) wrong.push(`volume bytes: ${volume.sizeBytes} instead of ${sizeOf(envelope.storageBytes)}`);
  const { processes } = await groups.counters(number, volume.device);
  if (processes > envelope.processes) wrong.push(`${processes} processes run, ${envelope.processes} are allowed`);
  return wrong.length > 0 ? broken(wrong.join("; ")) : holds(`the kernel holds ${envelope.cpuMillis / 1_000} cores, ${envelope.memoryBytes} bytes, ${envelope.processes} processes, ${envelope.iops} operations/s and a volume of ${volume.sizeBytes} bytes`);
}

/** Gate 15: nothing the kernel holds is below what the owner last agreed to. */
export async function probeThrottling({ groups, volumes, desiredOf }: Seen, imvu: ImvuId, number: number): Promise<Evidence> {
  const desired = desiredOf(imvu);
  if (!desired) return unproven("nobody told compute what its envelope is");
  const volume = await volumes.observe(number);
  if (!groups.exists(number) || !volume?.mounted) return broken("it has no control group or no volume");
  const want = limitsOf(desired.envelope);
  const read = await groups.read(number, volume.device);
  const below = (what: string, agreed: number, held: number | null) => (held !== null && held < agreed ? [`${what}: ${held} instead of ${agreed}`] : []);
  const wrong = [
    ...below("CPU in thousandths of a core", desired.envelope.cpuMillis, read.cpuMillis),
    ...below("memory bytes", want.memoryBytes, read.memoryBytes),
    ...below("processes", want.processes, read.processes),
    ...below("read operations per second", want.iops, read.readIops),
    ...below("write operations per second", want.iops, read.writeIops),
    ...below("volume bytes", sizeOf(desired.envelope.storageBytes), volume.sizeBytes),
  ];
  return wrong.length > 0 ? broken(`held below what was agreed: ${wrong.join("; ")}`) : holds("no limit is below what was agreed");
}
