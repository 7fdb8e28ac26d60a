import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, run, runOk, sleep } from "../../kernel/index.ts";

/** An image file as a block device. Everything is asked of the kernel; nothing is remembered. */
export interface Loop {
  readonly name: string;
  readonly path: string;
  /** `major:minor`, as limits and counters name it. */
  readonly device: string;
  /** Another number each time a device is attached: the device's counters began then. */
  readonly sequence: string;
}

export const SYS_BLOCK = "/sys/block";
const ATTACH_TRIES_MAX = 5;
const DETACH_TIMEOUT_MS = 3_000;
const DETACH_POLL_MS = 10;

export async function loopOf(image: string): Promise<Loop | undefined> {
  for (const name of (await readdir(SYS_BLOCK)).filter((one) => one.startsWith("loop"))) {
    const backing = (await readFile(join(SYS_BLOCK, name, "loop", "backing_file"), "utf8").catch(() => "")).replace(/\n$/, "");
    if (backing === image) return await described(name);
  }
  return undefined;
}

/** The image behind a device; undefined for a free one. Not awaited: who meters looks at every device of the machine. */
export function loopBehind(name: string): string | undefined {
  try {
    return readFileSync(join(SYS_BLOCK, name, "loop", "backing_file"), "utf8").replace(/\n$/, "");
  } catch (error) {
    // Also when it is let go while it is read.
    if (["ENOENT", "ENXIO", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

async function described(name: string): Promise<Loop> {
  const text = async (file: string) => (await readFile(join(SYS_BLOCK, name, file), "utf8").catch(() => "")).trim();
  return { name, path: `/dev/${name}`, device: await text("dev"), sequence: await text("diskseq") };
}

/** Direct IO where the file system below can: pages are cached once, and the limit on the device meets real operations. */
export async function attach(image: string): Promise<Loop> {
  const there = await loopOf(image);
  if (there) return there;
  let said = "";
  for (let tries = 0; tries < ATTACH_TRIES_MAX; tries += 1) {
    // The engine may take the same free device for somebody else between looking and taking; then it fails and is asked again.
    const ran = await run(["/usr/sbin/losetup", "--find", "--show", "--direct-io=on", "--nooverlap", image]);
    if (ran.code === 0) return await described(ran.stdout.toString("utf8").trim().replace("/dev/", ""));
    said = ran.stderr.trim();
  }
  throw new Fault("NO_LOOP", `no loop device for ${image}: ${said}`, { hint: "modprobe loop; 'losetup --list' shows what is taken" });
}

/**
 * The kernel takes the word and lets go when nobody has the device open any more. That can be long after the unmount: whoever made a mount
 * namespace of his own in between, as building a base image does, holds a copy of every mount. It is marked to go then, and that is enough.
 */
export async function detach(image: string): Promise<void> {
  for (const deadline = Date.now() + DETACH_TIMEOUT_MS; ; await sleep(DETACH_POLL_MS)) {
    const loop = await loopOf(image);
    if (!loop) return;
    const ran = await run(["/usr/sbin/losetup", "--detach", loop.path]);
    if (Date.now() < deadline) continue;
    if ((await readFile(join(SYS_BLOCK, loop.name, "loop/autoclear"), "utf8").catch(() => "")).trim() === "1") return;
    throw new Fault("LOOP_BUSY", `cannot detach ${loop.path} from ${image}: ${ran.stderr.trim() || "it is in use"}`, { retry: true });
  }
}

/** Tells the kernel that the image's length changed. */
export async function refresh(loop: Loop): Promise<void> {
  await runOk(["/usr/sbin/losetup", "--set-capacity", loop.path]);
}
