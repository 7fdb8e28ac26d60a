import { readFile, rm } from "node:fs/promises";
import type { Blobs, ComputeDesired, FabricRoom, Site, SnapshotHands } from "../contract/index.ts";
import { ensureFolder, Fault, type ImvuId, imvuNumberOf, type ServiceName, writeFileAtomic } from "../kernel/index.ts";
import { examine } from "./doctor.ts";
import { Bursts } from "./envelopes/bursts.ts";
import { endProcesses } from "./envelopes/end-processes.ts";
import { hierarchyOf } from "./envelopes/hierarchy.ts";
import { unmountBelow } from "./envelopes/mounts.ts";
import { computeFabric } from "./fabric.ts";
import { podmanEngine } from "./fabric/podman/engine.ts";
import { tailOfLog } from "./fabric/podman/logs.ts";
import { settleEngine } from "./fabric/podman/remains.ts";
import { type Layout, logFileOf } from "./layout.ts";
import { makeParts, type Parts } from "./parts.ts";
import { snapshotHands } from "./snapshots/hands.ts";
import type { ComputeState } from "./state.ts";

export interface ComputeRoomDeps {
  readonly site: Site;
  readonly blobs: Blobs;
  /** What the ledger orders; without it the probes that compare are unproven, and an export holds nothing. */
  readonly desiredOf?: (imvu: ImvuId) => ComputeDesired | undefined;
  readonly say?: (line: string) => void;
}

export interface ComputeRoom extends FabricRoom<ComputeDesired, ComputeState> {
  /** Its last lines as `TIME text`. */
  serviceLogs(imvu: ImvuId, service: ServiceName, lines: number): Promise<string>;
  restartService(imvu: ImvuId, service: ServiceName): Promise<void>;
  readonly snapshots: SnapshotHands;
  /** Processes and threads in the envelope now. */
  processes(imvu: ImvuId): Promise<number>;
}

export async function openComputeRoom({ site, blobs, desiredOf = () => undefined, say = () => {} }: ComputeRoomDeps): Promise<ComputeRoom> {
  const hierarchy = hierarchyOf(await readFile("/proc/self/mounts", "utf8"));
  const parts = await makeParts({ site, blobs, hierarchy, desiredOf, say });
  const { layout, groups, keeper } = parts;
  const bursts = new Bursts(groups, desiredOf, say);
  return {
    fabric: computeFabric(parts),
    engines: [podmanEngine(site, layout, hierarchy.mode, () => keeper.look())],
    async open() {
      await makeFolders(layout, site.boot);
      keeper.open();
      bursts.open();
    },
    async close() {
      keeper.close();
      await bursts.close();
      await takeAway(parts);
    },
    doctor: () => examine(site),
    serviceLogs: (imvu, service, lines) => tailOfLog(logFileOf(layout, imvuNumberOf(imvu), service), lines),
    restartService: (imvu, service) => parts.services.restart(imvu, service),
    snapshots: snapshotHands(parts),
    async processes(imvu) {
      const number = imvuNumberOf(imvu);
      if (!groups.exists(number)) throw new Fault("NO_ENVELOPE", `${imvu} has no control group`, { hint: `nexus imvu show ${imvu}` });
      return (await groups.counters(number, null)).processes;
    },
  };
}

async function makeFolders(layout: Layout, boot: string): Promise<void> {
  for (const folder of [layout.dir, layout.volumes, layout.store]) await ensureFolder(folder, 0o711);
  for (const folder of [layout.run, layout.config, layout.incoming, layout.logs]) await ensureFolder(folder, 0o700);
  // What the engine remembers of running containers is false after the machine was started anew.
  if ((await readFile(layout.bootFile, "utf8").catch(() => "")) !== boot) for (const folder of [layout.runRoot, layout.tmp]) await rm(folder, { recursive: true, force: true });
  for (const folder of [layout.runRoot, layout.tmp, layout.exits]) await ensureFolder(folder, 0o711);
  await writeFileAtomic(layout.bootFile, boot);
}

/** Services end, volumes leave the machine and stay in the home, groups go. */
async function takeAway({ layout, groups, volumes }: Parts): Promise<void> {
  const numbers = [...new Set([...(await groups.numbers()), ...(await volumes.numbers())])];
  await Promise.all(numbers.map((number) => endProcesses(() => groups.members(number), true)));
  await settleEngine(layout);
  await unmountBelow(layout.store);
  const failures: unknown[] = [];
  for (const number of numbers) for (const leave of [() => groups.remove(number), () => volumes.detach(number)]) await leave().catch((error) => failures.push(error));
  for (const folder of [layout.dir, layout.runRoot]) await unmountBelow(folder);
  // Of containers that ran; none is left.
  for (const folder of [layout.runRoot, layout.tmp]) await rm(folder, { recursive: true, force: true });
  // Not before everything else was taken away.
  if (failures.length > 0) throw failures[0];
}
