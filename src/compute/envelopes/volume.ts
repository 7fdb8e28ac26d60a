import { existsSync, statfsSync, statSync } from "node:fs";
import { chmod, chown, mkdir, open, readdir, rename, rm, stat, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type Site, imvuUidBase } from "../../contract/index.ts";
import { Fault, type Jurisdiction, messageOf, runOk, type ServiceName } from "../../kernel/index.ts";
import { dataOf, type Layout, mountPointOf, scratchOf, snapshotsOf, volumeImageOf } from "../layout.ts";
import type { VolumeReading } from "../state.ts";
import { type Attached, loopNow } from "./attached.ts";
import { attach, detach, type Loop, loopOf, refresh } from "./loop.ts";
import { mountAt, unmount } from "./mounts.ts";
import { isUnsettled, settleRestore } from "../snapshots/swap.ts";
import { createSubvolume, removeSubvolume, removeTree, snapshotOf } from "./subvolumes.ts";

/** Below this btrfs makes no file system (109 MiB, btrfs-progs 6.2); the smallest envelope is above. */
export const VOLUME_BYTES_MIN = 128 * 1024 ** 2;
/** Up to here data and metadata share their space: apart, a small volume would be full of unused metadata. */
const MIXED_BYTES_MAX = 1024 ** 3;
const SECTOR_BYTES = 4_096;
const MKFS_TIMEOUT_MS = 60_000;
const RESIZE_TIMEOUT_MS = 120_000;

/**
 * One btrfs file system in one image file per IMVU. Its size is the envelope's storage, so that what lies beyond is ENOSPC from the
 * kernel; its root belongs to the IMVU's own range of user ids and is closed to every other.
 */
export class Volumes {
  private readonly site: Pick<Site, "uidBase">;
  private readonly layout: Layout;

  constructor(site: Pick<Site, "uidBase">, layout: Layout) {
    this.site = site;
    this.layout = layout;
  }

  mountPoint(number: number): string {
    return mountPointOf(this.layout, number);
  }

  async observe(number: number): Promise<VolumeReading | null> {
    const image = volumeImageOf(this.layout, number);
    const file = await stat(image).catch(() => undefined);
    if (!file) return null;
    const loop = await loopOf(image);
    const mount = await mountAt(this.mountPoint(number));
    if (mount?.type !== "btrfs" || !loop || mount.source !== loop.path) return { mounted: false, sizeBytes: file.size, usedBytes: 0, device: loop?.device ?? null, unsettled: false };
    const { bsize, blocks, bfree } = await statfs(this.mountPoint(number));
    return { mounted: true, sizeBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, device: loop.device, unsettled: await isUnsettled(this.mountPoint(number)) };
  }

  /**
   * The volume's level and device, at once; undefined unless it is attached and mounted. `attached` says where to look; what is there now is asked anew, because
   * a place from which a volume has gone would answer with the level of the disk below.
   */
  readNow(number: number, attached: Attached): { readonly usedBytes: number; readonly loop: Loop } | undefined {
    const mountPoint = this.mountPoint(number);
    const [loop, mount] = [loopNow(attached, volumeImageOf(this.layout, number)), attached.mounts.get(mountPoint)];
    if (!loop || mount?.type !== "btrfs" || mount.source !== loop.path || statSync(mountPoint).dev === statSync(this.layout.volumes).dev) return undefined;
    const { bsize, blocks, bfree } = statfsSync(mountPoint);
    return { usedBytes: (blocks - bfree) * bsize, loop };
  }

  /** The tag that was written on it when it was made. */
  async jurisdiction(number: number): Promise<string> {
    return (await runOk(["/usr/bin/btrfs", "filesystem", "label", this.mountPoint(number)])).trim();
  }

  async loop(number: number): Promise<Loop | undefined> {
    return await loopOf(volumeImageOf(this.layout, number));
  }

  /** Makes it, or attaches what is there, and gives it this size: larger at once, smaller only as far as nothing is lost. */
  async ensure(number: number, bytes: number, jurisdiction: Jurisdiction): Promise<void> {
    const size = sizeOf(bytes);
    const image = volumeImageOf(this.layout, number);
    if (!existsSync(image)) await this.make(image, size, jurisdiction);
    const loop = await attach(image);
    const mountPoint = this.mountPoint(number);
    await mkdir(mountPoint, { recursive: true, mode: 0o700 });
    if (!(await mountAt(mountPoint))) await runOk(["/usr/bin/mount", "--types", "btrfs", "--options", "nosuid,nodev,noatime,discard=async", loop.path, mountPoint]);
    await this.settle(number);
    const now = await this.observe(number);
    if (now?.sizeBytes !== size) await this.resize(number, image, loop, size);
    const after = await this.observe(number);
    if (after?.sizeBytes !== size) throw new Fault("VOLUME_SIZE", `the volume of IMVU number ${number} is ${after?.sizeBytes ?? 0} bytes instead of ${size}`);
  }

  private async make(image: string, size: number, jurisdiction: Jurisdiction): Promise<void> {
    const beside = `${image}.new`;
    await rm(beside, { force: true });
    const file = await open(beside, "wx", 0o600);
    try {
      await file.truncate(size);
    } finally {
      await file.close();
    }
    const shared = size <= MIXED_BYTES_MAX ? ["--mixed"] : [];
    await runOk(["/usr/sbin/mkfs.btrfs", "--quiet", "--nodiscard", "--label", jurisdiction, ...shared, "--metadata", "single", "--data", "single", beside], { timeout_ms: MKFS_TIMEOUT_MS });
    await rename(beside, image);
  }

  /** Folders, owners, and nothing that an interrupted export or restore left half-done. */
  async settle(number: number): Promise<void> {
    const root = this.mountPoint(number);
    await settleRestore(root);
    const uid = imvuUidBase(this.site, number);
    await chown(root, uid, uid);
    await chmod(root, 0o700);
    for (const folder of ["data", "content"]) {
      await mkdir(join(root, folder), { recursive: true, mode: 0o700 });
      await chown(join(root, folder), uid, uid);
    }
    // Root's own: no user of the IMVU's has any business there.
    const [snapshots, scratch] = [snapshotsOf(this.layout, number), scratchOf(this.layout, number)];
    for (const folder of [snapshots, scratch]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chown(folder, 0, 0);
    }
    for (const name of await readdir(scratch)) await removeTree(join(scratch, name));
    // Captures that were not finished, and what an export of an earlier version left here.
    for (const name of await readdir(snapshots)) if (/^S\d+\.new$|-\d+-\d+$/.test(name)) await removeTree(join(snapshots, name));
  }

  private async resize(number: number, image: string, loop: Loop, size: number): Promise<void> {
    const length = (await stat(image)).size;
    try {
      if (size > length) {
        await truncate(image, size);
        await refresh(loop);
      }
      await runOk(["/usr/bin/btrfs", "filesystem", "resize", String(size), this.mountPoint(number)], { timeout_ms: RESIZE_TIMEOUT_MS });
      if (size < length) {
        await truncate(image, size);
        await refresh(loop);
      }
    } catch (cause) {
      const used = (await this.observe(number))?.usedBytes ?? 0;
      throw new Fault("VOLUME_RESIZE", `the volume cannot become ${size} bytes: ${used} are in use (${messageOf(cause)})`, { cause, hint: "free some first, or ask for more" });
    }
  }

  /** A service's own subvolume; its folder is open inside, because only that service's container ever sees it, under any user. */
  async ensureData(number: number, service: ServiceName): Promise<string> {
    const path = dataOf(this.layout, number, service);
    if (existsSync(path)) return path;
    await createSubvolume(path);
    const uid = imvuUidBase(this.site, number);
    await chown(path, uid, uid);
    await chmod(path, 0o777);
    return path;
  }

  async removeData(number: number, service: ServiceName): Promise<void> {
    await removeSubvolume(dataOf(this.layout, number, service));
  }

  /** Services that have data on the volume, whether they run or not. */
  async dataNames(number: number): Promise<readonly string[]> {
    return (await readdir(join(this.mountPoint(number), "data")).catch(() => [])).sort();
  }

  /** Calls `work` with a frozen copy of a service's data. */
  async withSnapshot<T>(number: number, service: ServiceName, work: (path: string) => Promise<T>): Promise<T> {
    const path = join(scratchOf(this.layout, number), `${service}-${process.pid}-${Date.now()}`);
    await snapshotOf(dataOf(this.layout, number, service), path, "read-only");
    try {
      return await work(path);
    } finally {
      await removeSubvolume(path);
    }
  }

  /** Takes it off the machine and keeps the image. */
  async detach(number: number): Promise<void> {
    await unmount(this.mountPoint(number));
    await detach(volumeImageOf(this.layout, number));
  }

  /** For good. */
  async remove(number: number): Promise<void> {
    await this.detach(number);
    await rm(volumeImageOf(this.layout, number), { force: true });
    await rm(this.mountPoint(number), { recursive: true, force: true });
  }

  async numbers(): Promise<readonly number[]> {
    const names = await readdir(this.layout.volumes).catch(() => [] as string[]);
    return names.flatMap((name) => (/^\d+\.img$/.test(name) ? [Number(name.slice(0, -4))] : [])).sort((a, b) => a - b);
  }
}

/** The file system counts in sectors; a part of one is not offered. */
export function sizeOf(bytes: number): number {
  if (bytes < VOLUME_BYTES_MIN) throw new Fault("VOLUME_SMALL", `storage: ${bytes} bytes; a volume is at least ${VOLUME_BYTES_MIN}`);
  return Math.floor(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}
