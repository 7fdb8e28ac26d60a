import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ComputeDesired, Envelope, Service } from "../contract/index.ts";
import { imvuIdOf, type Jurisdiction, type ServiceName, sha256Hex } from "../kernel/index.ts";
import { limitsOf } from "./envelopes/limits.ts";
import { orderJson, specDigest } from "./fabric/podman/container-spec.ts";
import { bytesForPeople, type Hands, planCompute } from "./plan.ts";
import type { ComputeState, EnvelopeReading, ServiceReading } from "./state.ts";

const MIB = 1024 ** 2;
const IMVU = imvuIdOf(7);
const ENVELOPE: Envelope = { cpuMillis: 500, memoryBytes: 256 * MIB, storageBytes: 256 * MIB, iops: 100, bandwidthBps: 1_000_000, processes: 64, burst: null };

/** Hands that only write down what they are told. */
function recorder(): { hands: Hands; calls: string[] } {
  const calls: string[] = [];
  const note = (name: string) => async (...args: readonly unknown[]) => {
    calls.push([name, ...args.map((one) => (typeof one === "object" && one !== null ? "…" : String(one)))].join(" "));
  };
  const hands: Hands = {
    imageNameOf: (source) => (source.kind === "runtime" ? `base/${source.runtime}` : source.kind === "oci" ? `oci/${source.archive}` : source.ref),
    ensureVolume: note("ensureVolume"),
    removeVolume: note("removeVolume"),
    settleVolume: note("settleVolume"),
    applyEnvelope: note("applyEnvelope"),
    restoreEnvelope: note("restoreEnvelope"),
    removeEnvelope: note("removeEnvelope"),
    ensureImage: note("ensureImage"),
    discardImage: note("discardImage"),
    ensureContent: note("ensureContent"),
    putService: async (_imvu, order) => {
      calls.push(`putService ${order.service.name}:${order.service.port}`);
    },
    removeService: note("removeService"),
    removeData: note("removeData"),
    sweep: async (_number, services, former) => {
      calls.push(`sweep keep=${services.map((one) => one.name).join()} former=${former.length}`);
    },
  };
  return { hands, calls };
}

function service(name: string, text = name, port = 8080): Service {
  return { name: name as ServiceName, source: { kind: "runtime", runtime: "node", content: sha256Hex(text) }, port, env: {} };
}

function desired(services: readonly Service[], envelope: Partial<Envelope> = {}): ComputeDesired {
  return { imvu: IMVU, number: 7, jurisdiction: "EU-GDPR" as Jurisdiction, envelope: { ...ENVELOPE, ...envelope }, services, resolverAddress: "10.64.0.29" };
}

const EMPTY: ComputeState = { number: 7, envelope: null, volume: null, services: [], contents: [], data: [], images: [] };

function readingOf({ cpuMillis, iops, ...envelope }: Envelope): EnvelopeReading {
  const { memoryBytes, processes } = limitsOf({ cpuMillis, iops, ...envelope });
  return { cpuMillis, memoryBytes, processes, readIops: iops, writeIops: iops, burstUs: 0 };
}

/** What the machine shows when all of it is there. */
function standing(wanted: ComputeDesired, more: Partial<ServiceReading> = {}): ComputeState {
  return {
    number: 7,
    envelope: readingOf(wanted.envelope),
    volume: { mounted: true, sizeBytes: wanted.envelope.storageBytes, usedBytes: 0, device: "7:0", unsettled: false },
    services: wanted.services.map((one) => {
      const order = { service: one, resolverAddress: wanted.resolverAddress, jurisdiction: wanted.jurisdiction };
      return {
        imvu: IMVU, name: one.name, container: `imvu-7-${one.name}`, state: "running", exitCode: 0, pid: 1, image: "base/node", startedAt: null,
        content: one.source.kind === "runtime" ? one.source.content : "", jurisdiction: "EU-GDPR", spec: specDigest(order, "base/node"), order: orderJson(order), ...more,
      };
    }),
    contents: wanted.services.map((one) => (one.source.kind === "runtime" ? one.source.content : "")),
    data: wanted.services.map((one) => one.name),
    images: ["base/node"],
  };
}

/** Does and undoes a whole plan, and tells what hands were told. */
async function carriedOut(wanted: ComputeDesired | undefined, seen: ComputeState) {
  const { hands, calls } = recorder();
  const steps = planCompute(hands, IMVU, wanted, seen);
  assert.deepEqual(calls, [], "a plan touches nothing");
  for (const step of steps) await step.do();
  const done = calls.splice(0);
  for (const step of steps.toReversed()) await step.undo();
  return { keys: steps.map((step) => step.key), sentences: steps.map((step) => step.sentence), done, undone: calls };
}

describe("from nothing to an IMVU", () => {
  test("volume, envelope, image, content, service: in this order, and back in reverse", async () => {
    const web = service("web");
    const { keys, sentences, done, undone } = await carriedOut(desired([web]), EMPTY);
    const content = sha256Hex("web");
    assert.deepEqual(keys, ["compute/volume/IMVU-007", "compute/envelope/IMVU-007", "compute/image/base/node", `compute/content/IMVU-007/${content.slice(0, 16)}`, "compute/service/IMVU-007/web"]);
    assert.deepEqual(done, [`ensureVolume 7 ${256 * MIB} EU-GDPR`, "applyEnvelope …", `ensureImage … ${256 * MIB}`, `ensureContent 7 … ${256 * MIB}`, "putService web:8080"]);
    assert.deepEqual(undone, ["removeService IMVU-007 web", "removeData 7 web", "discardImage …", "removeEnvelope 7", "removeVolume 7"]);
    assert.equal(sentences[1], "set the envelope: 0.5 cores, 256 MiB, 64 processes, 100 operations per second");
  });

  test("data of an earlier service of the name survives the undo", async () => {
    const wanted = desired([service("web")]);
    const { undone } = await carriedOut(wanted, { ...standing(desired([])), data: ["web"] });
    assert.deepEqual(undone, ["removeService IMVU-007 web"]);
  });
});

describe("from one state to another", () => {
  test("what stands needs nothing", async () => {
    const wanted = desired([service("web"), service("api")]);
    assert.deepEqual((await carriedOut(wanted, standing(wanted))).keys, []);
  });

  test("another envelope is one or two steps, undone to what was read", async () => {
    const before = desired([service("web")]);
    const { done, undone } = await carriedOut(desired([service("web")], { cpuMillis: 900, storageBytes: 512 * MIB }), standing(before));
    assert.deepEqual(done, [`ensureVolume 7 ${512 * MIB} EU-GDPR`, "applyEnvelope …"]);
    assert.deepEqual(undone, ["restoreEnvelope 7 …", `ensureVolume 7 ${256 * MIB} EU-GDPR`]);
  });

  test("a burst's raised quota is no difference; any other quota is", async () => {
    const wanted = desired([], { burst: { factor: 3, seconds: 9 } });
    const seen = standing(wanted);
    const at = (cpuMillis: number): ComputeState => ({ ...seen, envelope: { ...(seen.envelope as EnvelopeReading), cpuMillis, burstUs: null } });
    assert.deepEqual((await carriedOut(wanted, at(1_500))).keys, []);
    assert.deepEqual((await carriedOut(wanted, at(1_000))).keys, ["compute/envelope/IMVU-007"]);
  });

  test("a new version replaces the container and sweeps; its undo puts the old one back", async () => {
    const { sentences, done, undone } = await carriedOut(desired([service("web", "new")]), standing(desired([service("web", "old")])));
    assert.deepEqual(done, [`ensureContent 7 … ${256 * MIB}`, "putService web:8080", "sweep keep=web former=1"]);
    assert.deepEqual(undone, [`ensureImage … ${256 * MIB}`, `ensureContent 7 … ${256 * MIB}`, "putService web:8080"]);
    assert.match(sentences.join(), /replace web/);
  });

  test("a removed service goes, its data stays, and its undo brings it back", async () => {
    const { done, undone } = await carriedOut(desired([service("web")]), standing(desired([service("web"), service("api", "api", 9_000)])));
    assert.deepEqual(done, ["removeService IMVU-007 api", "sweep keep=web former=1"]);
    assert.deepEqual(undone, [`ensureImage … ${256 * MIB}`, `ensureContent 7 … ${256 * MIB}`, "putService api:9000"]);
  });

  test("one that does not run, or was made otherwise, is made again", async () => {
    const wanted = desired([service("web")]);
    assert.deepEqual((await carriedOut(wanted, standing(wanted, { state: "exited" }))).done, ["putService web:8080"]);
    assert.deepEqual((await carriedOut(wanted, standing(wanted, { spec: "0".repeat(64) }))).done, ["putService web:8080"]);
  });

  test("a volume that is only not attached is attached, and an undo leaves it", async () => {
    const wanted = desired([]);
    const { sentences, undone } = await carriedOut(wanted, { ...standing(wanted), volume: { mounted: false, unsettled: false, sizeBytes: 256 * MIB, usedBytes: 0, device: null } });
    assert.deepEqual([sentences, undone], [["attach the volume"], []]);
  });
});

describe("from an IMVU to nothing", () => {
  test("services, envelope, and the volume last", async () => {
    const { done, undone } = await carriedOut(undefined, standing(desired([service("api"), service("web")])));
    assert.deepEqual(done, ["removeService IMVU-007 api", "removeService IMVU-007 web", "removeEnvelope 7", "removeVolume 7"]);
    assert.equal(undone[0], "restoreEnvelope 7 …");
    assert.deepEqual((await carriedOut(undefined, EMPTY)).keys, []);
  });

  test("an image that was brought goes after its service", async () => {
    const web: Service = { ...service("web"), source: { kind: "oci", archive: sha256Hex("x") } };
    const { done, undone } = await carriedOut(undefined, standing(desired([web])));
    assert.deepEqual(done, ["removeService IMVU-007 web", "discardImage …", "removeEnvelope 7", "removeVolume 7"]);
    assert.deepEqual(undone, ["restoreEnvelope 7 …", `ensureImage … ${256 * MIB}`, `ensureContent 7 … ${256 * MIB}`, "putService web:8080"]);
  });
});

test("bytes for people", () => {
  assert.deepEqual([0, 1_023, 1_024, 1_536, 256 * MIB, 5 * 1024 ** 4, 2_048 * 1024 ** 4].map(bytesForPeople), ["0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "256 MiB", "5 TiB", "2048 TiB"]);
});
