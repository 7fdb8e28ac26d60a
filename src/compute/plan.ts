import type { ComputeDesired, Service, ServiceSource, Step } from "../contract/index.ts";
import { type ImvuId, imvuNumberOf, type Jurisdiction, type ServiceName } from "../kernel/index.ts";
import { differences } from "./envelopes/limits.ts";
import { sizeOf } from "./envelopes/volume.ts";
import { type Order, specDigest } from "./fabric/podman/container-spec.ts";
import { parseOrder } from "./fabric/podman/containers.ts";
import type { ComputeState, EnvelopeReading } from "./state.ts";

/** What steps do to the engine, each idempotent. The plan itself only puts them in order. */
export interface Hands {
  imageNameOf(source: ServiceSource): string;
  /** `jurisdiction` is written on a volume that is made; one that exists keeps its own. */
  ensureVolume(number: number, bytes: number, jurisdiction: Jurisdiction): Promise<void>;
  removeVolume(number: number): Promise<void>;
  /** Ends what a crash interrupted between two names: the data is there again, whole, as it was or as it was to be. */
  settleVolume(number: number): Promise<void>;
  applyEnvelope(desired: ComputeDesired): Promise<void>;
  /** Puts limits back as they were read. */
  restoreEnvelope(number: number, read: EnvelopeReading): Promise<void>;
  removeEnvelope(number: number): Promise<void>;
  ensureImage(source: ServiceSource, bytesMax: number): Promise<void>;
  /** Only where nobody uses it; base images stay. */
  discardImage(source: ServiceSource): Promise<void>;
  ensureContent(number: number, source: ServiceSource, bytesMax: number): Promise<void>;
  putService(imvu: ImvuId, order: Order): Promise<void>;
  removeService(imvu: ImvuId, name: ServiceName): Promise<void>;
  /** Its data, for good. */
  removeData(number: number, name: ServiceName): Promise<void>;
  /** Contents that no service uses any more, and images of `former` sources. */
  sweep(number: number, services: readonly Service[], former: readonly ServiceSource[]): Promise<void>;
}

/** Minimal steps from what is there to what shall be. Pure: nothing is touched until a step's do. */
export function planCompute(hands: Hands, imvu: ImvuId, desired: ComputeDesired | undefined, observed: ComputeState): readonly Step[] {
  return desired ? planPresent(hands, desired, observed) : planAbsent(hands, imvu, observed);
}

function planPresent(hands: Hands, desired: ComputeDesired, observed: ComputeState): Step[] {
  const { imvu, number, jurisdiction, envelope, services } = desired;
  const steps: Step[] = [];
  const { volume } = observed;
  if (!volume?.mounted || volume.sizeBytes !== sizeOf(envelope.storageBytes)) {
    steps.push({
      key: `compute/volume/${imvu}`,
      sentence: volume === null ? `make a volume of ${bytesForPeople(envelope.storageBytes)}` : volume.mounted ? `resize the volume to ${bytesForPeople(envelope.storageBytes)}` : "attach the volume",
      do: () => hands.ensureVolume(number, envelope.storageBytes, jurisdiction),
      undo: async () => {
        if (volume === null) await hands.removeVolume(number);
        else if (volume.mounted) await hands.ensureVolume(number, volume.sizeBytes, jurisdiction);
      },
    });
  }
  if (volume?.mounted && volume.unsettled) steps.push({ key: `compute/settle/${imvu}`, sentence: "end a restore that was interrupted", do: () => hands.settleVolume(number), undo: async () => {} });
  if (observed.envelope === null || differences(envelope, observed.envelope).length > 0) {
    const before = observed.envelope;
    steps.push({
      key: `compute/envelope/${imvu}`,
      sentence: `set the envelope: ${envelope.cpuMillis / 1_000} cores, ${bytesForPeople(envelope.memoryBytes)}, ${envelope.processes} processes, ${envelope.iops} operations per second`,
      do: () => hands.applyEnvelope(desired),
      undo: () => (before === null ? hands.removeEnvelope(number) : hands.restoreEnvelope(number, before)),
    });
  }
  const kept = new Set<string>(services.map((service) => service.name));
  const gone = observed.services.filter((service) => !kept.has(service.name));
  for (const one of gone) steps.push(removal(hands, imvu, number, one.name as ServiceName, one.order, envelope.storageBytes));
  let changed = gone.length > 0;
  for (const service of services) {
    const order: Order = { service, resolverAddress: desired.resolverAddress, jurisdiction };
    const found = observed.services.find((one) => one.name === service.name);
    if (found?.state === "running" && found.spec === specDigest(order, hands.imageNameOf(service.source))) continue;
    changed = true;
    steps.push(...serviceSteps(hands, desired, order, observed, found?.order));
  }
  const former = observed.services.flatMap((one) => parseOrder(one.order)?.service.source ?? []).filter((source) => !services.some((service) => sameSource(service.source, source)));
  const used = new Set(services.map(({ source }) => (source.kind === "runtime" ? source.content : "")).map(String));
  if (changed && (former.length > 0 || observed.contents.some((digest) => !used.has(digest)))) {
    steps.push({ key: `compute/sweep/${imvu}`, sentence: "take away what is deployed no longer", do: () => hands.sweep(number, services, former), undo: async () => {} });
  }
  return steps;
}

function serviceSteps(hands: Hands, desired: ComputeDesired, order: Order, observed: ComputeState, before: string | undefined): Step[] {
  const { imvu, number, envelope } = desired;
  const { name, source, port } = order.service;
  const steps: Step[] = [];
  if (!observed.images.includes(hands.imageNameOf(source))) {
    steps.push({
      key: `compute/image/${hands.imageNameOf(source)}`,
      sentence: source.kind === "runtime" ? `prepare the base image for ${source.runtime}` : source.kind === "oci" ? "take in the image of the archive" : `pull ${source.ref}`,
      do: () => hands.ensureImage(source, envelope.storageBytes),
      undo: () => hands.discardImage(source),
    });
  }
  if (source.kind === "runtime" && !observed.contents.includes(source.content)) {
    steps.push({
      key: `compute/content/${imvu}/${source.content.slice(0, 16)}`,
      sentence: `unpack the content of ${name}`,
      do: () => hands.ensureContent(number, source, envelope.storageBytes),
      // It counts against the volume; the sweep after the next deployment takes it.
      undo: async () => {},
    });
  }
  const previous = parseOrder(before ?? "");
  steps.push({
    key: `compute/service/${imvu}/${name}`,
    sentence: `${previous ? "replace" : "start"} ${name}, and wait until port ${port} answers`,
    do: () => hands.putService(imvu, order),
    undo: async () => {
      if (previous) return await putBack(hands, imvu, number, previous, envelope.storageBytes);
      await hands.removeService(imvu, name);
      // Data of an earlier service of this name stays; where the volume was not mounted nobody knows, and it stays too.
      if ((observed.volume === null || observed.volume.mounted) && !observed.data.includes(name)) await hands.removeData(number, name);
    },
  });
  return steps;
}

function sameSource(a: ServiceSource, b: ServiceSource): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}

/** Its data stays on the volume: a service that comes back finds it, and an export holds it. */
function removal(hands: Hands, imvu: ImvuId, number: number, name: ServiceName, before: string, bytesMax: number): Step {
  const previous = parseOrder(before);
  return {
    key: `compute/service/${imvu}/${name}`,
    sentence: `stop and remove ${name}`,
    do: () => hands.removeService(imvu, name),
    undo: async () => {
      if (previous) await putBack(hands, imvu, number, previous, bytesMax);
    },
  };
}

async function putBack(hands: Hands, imvu: ImvuId, number: number, order: Order, bytesMax: number): Promise<void> {
  await hands.ensureImage(order.service.source, bytesMax);
  await hands.ensureContent(number, order.service.source, bytesMax);
  await hands.putService(imvu, order);
}

function planAbsent(hands: Hands, imvu: ImvuId, observed: ComputeState): Step[] {
  const number = imvuNumberOf(imvu);
  const steps = observed.services.map((one) => removal(hands, imvu, number, one.name as ServiceName, one.order, observed.volume?.sizeBytes ?? 0));
  const brought = observed.services.flatMap((one) => parseOrder(one.order)?.service.source ?? []).filter(({ kind }) => kind !== "runtime");
  if (brought.length > 0) {
    const discard = async () => {
      for (const source of brought) await hands.discardImage(source);
    };
    // The undo of a removed service brings its image again.
    steps.push({ key: `compute/sweep/${imvu}`, sentence: "take away its images", do: discard, undo: async () => {} });
  }
  if (observed.envelope !== null) {
    const before = observed.envelope;
    steps.push({ key: `compute/envelope/${imvu}`, sentence: "take the envelope away", do: () => hands.removeEnvelope(number), undo: () => hands.restoreEnvelope(number, before) });
  }
  // Last: what is on it cannot be brought back.
  if (observed.volume !== null) steps.push({ key: `compute/volume/${imvu}`, sentence: "remove the volume with everything on it", do: () => hands.removeVolume(number), undo: async () => {} });
  return steps;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

export function bytesForPeople(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
