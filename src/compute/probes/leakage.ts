import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Evidence, imvuUidBase } from "../../contract/index.ts";
import { type ImvuId, run } from "../../kernel/index.ts";
import { logFileOf } from "../layout.ts";
import type { Parts } from "../parts.ts";
import { broken, holds, unproven } from "./asked.ts";

/** Gate 16: its files, tried as its neighbour's user and as its own, and the modes that decide it. */
export async function probeLeakage({ site, layout, volumes, containers }: Pick<Parts, "site" | "layout" | "volumes" | "containers">, imvu: ImvuId, number: number): Promise<Evidence> {
  const [own, stranger] = [imvuUidBase(site, number), imvuUidBase(site, number - 1)];
  const root = volumes.mountPoint(number);
  if ((await volumes.observe(number))?.mounted !== true) return unproven("its volume is not mounted");
  const { uid, mode } = await stat(root);
  if (uid !== own || (mode & 0o077) !== 0) return broken(`its volume belongs to user ${uid} with mode ${(mode & 0o777).toString(8)}`);
  for (const name of ["data", "content"]) if ((await list(join(root, name), stranger)) === 0) return broken(`user ${stranger} could list its ${name}`);
  for (const { name } of await containers.list(imvu)) {
    const log = await stat(logFileOf(layout, number, name as Parameters<typeof logFileOf>[2])).catch(() => undefined);
    if (log && (log.mode & 0o077) !== 0 && (await list(layout.logs, stranger)) === 0) return broken(`user ${stranger} could read the log of ${name}`);
  }
  return holds(`user ${stranger} was refused its volume; it is closed to all but user ${own}`);
}

/** Exit code of a real attempt. */
async function list(path: string, uid: number): Promise<number> {
  return (await run(["/bin/ls", "-A", path], { uid, gid: uid, cwd: "/" })).code;
}
