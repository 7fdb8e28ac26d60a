import { type ImvuId, imvuNumberOf } from "../kernel/index.ts";
import type { Parts } from "./parts.ts";
import type { ComputeState } from "./state.ts";

/** One IMVU as the engine, the control groups, the mount table and the file system show it. */
export async function observeCompute(parts: Pick<Parts, "groups" | "volumes" | "contents" | "images" | "containers">, imvu: ImvuId): Promise<ComputeState> {
  const number = imvuNumberOf(imvu);
  const volume = await parts.volumes.observe(number);
  const mounted = volume?.mounted === true;
  const [envelope, services, contents, data, images] = await Promise.all([
    parts.groups.exists(number) ? parts.groups.read(number, volume?.device ?? null) : null,
    parts.containers.list(imvu),
    mounted ? parts.contents.list(number) : [],
    mounted ? parts.volumes.dataNames(number) : [],
    parts.images.names(),
  ]);
  return { number, envelope, volume, services, contents, data, images };
}
