import { imvuNumberOf } from "../kernel/index.ts";
import { endProcesses } from "./envelopes/end-processes.ts";
import type { Parts } from "./parts.ts";
import type { Hands } from "./plan.ts";

/** The plan's steps on the real engine. */
export function handsOf(parts: Parts): Hands {
  const { groups, volumes, contents, images, services } = parts;
  const deviceOf = async (number: number) => (await volumes.observe(number))?.device ?? null;
  return {
    imageNameOf: (source) => images.nameOf(source),
    ensureVolume: (number, bytes, jurisdiction) => volumes.ensure(number, bytes, jurisdiction),
    removeVolume: (number) => volumes.remove(number),
    settleVolume: (number) => volumes.settle(number),
    applyEnvelope: async ({ number, envelope }) => groups.apply(number, envelope, await deviceOf(number)),
    restoreEnvelope: async (number, read) => groups.restore(number, read, await deviceOf(number)),
    removeEnvelope: async (number) => {
      await endProcesses(() => groups.members(number), false);
      await groups.remove(number);
    },
    ensureImage: (source, bytesMax) => images.ensure(source, bytesMax),
    discardImage: (source) => images.discard(source),
    ensureContent: async (number, source, bytesMax) => {
      if (source.kind === "runtime") await contents.ensure(number, source.content, bytesMax);
    },
    putService: (imvu, order) => services.put({ imvu, number: imvuNumberOf(imvu) }, order),
    removeService: (imvu, name) => services.remove(imvuNumberOf(imvu), name),
    removeData: (number, name) => volumes.removeData(number, name),
    sweep: async (number, kept, former) => {
      await contents.sweep(number, new Set(kept.flatMap(({ source }) => (source.kind === "runtime" ? [source.content] : []))));
      for (const source of former) await images.discard(source);
    },
  };
}
