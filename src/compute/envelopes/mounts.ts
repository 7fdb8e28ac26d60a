import { readFile } from "node:fs/promises";
import { Fault, run, runOk, sleep } from "../../kernel/index.ts";

export interface Mount {
  readonly device: string;
  readonly source: string;
  readonly root: string;
  readonly target: string;
  readonly type: string;
}

const UNMOUNT_TRIES_MAX = 40;
const UNMOUNT_POLL_MS = 25;

/** proc(5), mountinfo: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; spaces and the like are octal escapes. */
export function parseMountInfo(text: string): readonly Mount[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [before, after] = line.split(" - ");
      const [, , device, root, target] = (before ?? "").split(" ");
      const [type, source] = (after ?? "").split(" ");
      return { device: device ?? "", root: unescaped(root), target: unescaped(target), type: type ?? "", source: unescaped(source) };
    });
}

function unescaped(text: string | undefined): string {
  return (text ?? "").replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export async function mountsOf(pid: number | "self"): Promise<readonly Mount[]> {
  return parseMountInfo(await readFile(`/proc/${pid}/mountinfo`, "utf8"));
}

export async function mountAt(target: string): Promise<Mount | undefined> {
  return (await mountsOf("self")).findLast((mount) => mount.target === target);
}

export async function unmount(target: string): Promise<void> {
  for (let tries = 0; await mountAt(target); tries += 1) {
    const ran = await run(["/usr/bin/umount", target]);
    if (ran.code === 0) continue;
    // A process that was just killed lets go a moment later.
    if (tries > UNMOUNT_TRIES_MAX) throw new Fault("UNMOUNT", `cannot unmount ${target}: ${ran.stderr.trim()}`, { retry: true });
    await sleep(UNMOUNT_POLL_MS);
  }
}

/** Every mount at or below `folder`, deepest first; what stays busy is detached, so that nothing of ours stays visible. */
export async function unmountBelow(folder: string): Promise<void> {
  const below = (await mountsOf("self")).filter((mount) => mount.target === folder || mount.target.startsWith(`${folder}/`));
  for (const { target } of below.toReversed()) {
    try {
      await unmount(target);
    } catch {
      await runOk(["/usr/bin/umount", "--lazy", target]);
    }
  }
}
