import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSpec } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";
import { Engine, type EngineView } from "./engine.ts";
import { engineGroup, homeGroupPath } from "./engine-group.ts";

export interface RunningEngines {
  views(): readonly EngineView[];
  /** In the reverse of the start's order. Never gives up on the others when one will not stop. */
  stop(): Promise<void>;
}

/**
 * Starts engines, those with nothing to wait for at once and the others after the ones they name.
 * When one cannot start, all that were started are stopped again and its Fault is thrown.
 */
export async function superviseEngines(
  home: { readonly homeId: string; readonly dir: string },
  specs: readonly EngineSpec[],
  say: (line: string) => void,
): Promise<RunningEngines> {
  const engines = new Map(specs.map((spec) => [spec.name, new Engine(spec, home, say)]));
  const started: Engine[] = [];
  const starting = new Map<string, Promise<void>>();
  const startOne = (name: string): Promise<void> => {
    const known = starting.get(name);
    if (known) return known;
    const engine = engines.get(name);
    if (!engine) return Promise.reject(new Fault("ENGINE_UNKNOWN", `no engine is called ${name}`));
    const promise = (async () => {
      await Promise.all((engine.spec.after ?? []).map(startOne));
      started.push(engine);
      await engine.start();
    })();
    starting.set(name, promise);
    return promise;
  };
  const stop = async () => {
    const failures: unknown[] = [];
    for (const engine of started.toReversed()) await engine.stop().catch((error) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, "some engines did not stop");
  };
  const results = await Promise.allSettled(specs.map((spec) => startOne(spec.name)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) {
    await stop().catch((error) => say(String(error)));
    throw failed.reason;
  }
  return { views: () => specs.map((spec) => (engines.get(spec.name) as Engine).view()), stop };
}

/** True while any engine of a home runs, supervised or left over. */
export async function enginesAlive(homeId: string): Promise<boolean> {
  const home = homeGroupPath(homeId);
  for (const name of await readdir(home).catch(() => [] as string[])) if (name.startsWith("engine-") && (await engineGroup(join(home, name)).members()).length > 0) return true;
  return false;
}

/** Ends every engine group a home left behind and removes the groups; for `down --purge` and after crashes. */
export async function endEngineGroups(homeId: string): Promise<void> {
  const home = homeGroupPath(homeId);
  for (const name of await readdir(home).catch(() => [] as string[])) {
    if (!name.startsWith("engine-")) continue;
    const group = engineGroup(join(home, name));
    await group.end();
    await group.remove();
  }
  await rmdir(home).catch((error: NodeJS.ErrnoException) => {
    // The compute room's groups live beside the engines'; whoever comes last removes the folder.
    if (error.code !== "ENOENT" && error.code !== "EBUSY" && error.code !== "ENOTEMPTY") throw error;
  });
}
