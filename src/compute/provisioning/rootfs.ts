import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, plainEnvironment, runOk } from "../../kernel/index.ts";
import type { Recipe } from "./recipe.ts";

const BUSYBOX = "/usr/bin/busybox";
const DEBOOTSTRAP_TIMEOUT_MS = 300_000;
const PT_INTERP = 3;

const FIRST_FILES: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  "etc/httpd.conf": [".mjs:text/javascript", ".json:application/json", ".wasm:application/wasm", ".webp:image/webp", ".woff2:font/woff2", ".ico:image/x-icon", ".txt:text/plain; charset=utf-8", ""].join("\n"),
};
/** Where the engine mounts things; they exist so that a read-only root needs no writing. */
const MOUNT_POINTS = ["data", "srv", "dev", "proc", "sys", "run", "tmp", "var/tmp", "etc"];

/** Unpacks what a recipe names into an empty folder. */
export async function makeRootfs(recipe: Recipe, root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  if (recipe.packages.length > 0) await unpackDebian(recipe, root);
  else await onlyBusybox(root);
  for (const folder of MOUNT_POINTS) await mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of Object.entries(FIRST_FILES)) await writeFile(join(root, path), text);
  // Mount points for files that the engine brings.
  for (const path of ["etc/resolv.conf", "etc/hosts", "etc/hostname"]) {
    await rm(join(root, path), { force: true });
    await writeFile(join(root, path), "");
  }
  await applets(root);
}

/** `extract` unpacks packages without running anything of theirs: no dpkg, no apt, no shell scripts in the image, and a few seconds. */
async function unpackDebian(recipe: Recipe, root: string): Promise<void> {
  try {
    await runOk(
      [
        "/usr/bin/mmdebstrap", "--quiet", "--mode=root", "--variant=extract", "--format=directory", "--skip=output/dev",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", `--include=${recipe.packages.join(",")}`, recipe.suite, root,
      ],
      { timeout_ms: DEBOOTSTRAP_TIMEOUT_MS, env: plainEnvironment({ TMPDIR: "/tmp" }) },
    );
  } catch (cause) {
    throw new Fault("BASE_IMAGE", `the base image for ${recipe.runtime} could not be built from Debian packages: ${(cause as Error).message}`, {
      cause,
      hint: "check that apt-get update works on this machine",
      retry: true,
    });
  }
}

async function onlyBusybox(root: string): Promise<void> {
  const binary = await readFile(BUSYBOX).catch(() => undefined);
  if (!binary) throw new Fault("NO_BUSYBOX", `${BUSYBOX} is missing`, { hint: "apt-get install busybox-static" });
  if (needsInterpreter(binary)) throw new Fault("BUSYBOX_DYNAMIC", `${BUSYBOX} needs shared libraries and cannot stand alone`, { hint: "apt-get install busybox-static" });
  for (const folder of ["usr/bin", "usr/sbin"]) await mkdir(join(root, folder), { recursive: true });
  await symlink("usr/bin", join(root, "bin"));
  await symlink("usr/sbin", join(root, "sbin"));
  await writeFile(join(root, "usr/bin/busybox"), binary, { mode: 0o755 });
}

/** ELF, 64 bit, little endian: a program header of type PT_INTERP means dynamically linked. */
export function needsInterpreter(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) return true;
  const offset = Number(elf.readBigUInt64LE(32));
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  for (let at = 0; at < count; at += 1) if (elf.readUInt32LE(offset + at * size) === PT_INTERP) return true;
  return false;
}

/** `sh`, `sleep`, `ls` …: busybox under the names of what is not there already. */
async function applets(root: string): Promise<void> {
  for (const name of (await runOk([BUSYBOX, "--list"])).split("\n").filter((one) => /^[a-z0-9._[-]+$/.test(one) && one !== "busybox")) {
    if (!existsSync(join(root, "usr/bin", name)) && !existsSync(join(root, "usr/sbin", name))) await symlink("busybox", join(root, "usr/bin", name));
  }
}
