import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../kernel/index.ts";
import { isAlive, markOf, parseMark, type ProcessMark } from "./supervision/index.ts";

/** Which process supervises a home, for `down`, `status` and `--detach`. Written when everything is ready. */
function pathOf(dir: string): string {
  return join(dir, "run", "supervisor.json");
}

export async function announceSupervisor(dir: string): Promise<void> {
  await writeFileAtomic(pathOf(dir), `${JSON.stringify(markOf(process.pid))}\n`, 0o644);
}

export async function withdrawSupervisor(dir: string): Promise<void> {
  await rm(pathOf(dir), { force: true });
}

/** The living supervisor that is ready to serve; undefined when there is none. */
export async function readySupervisor(dir: string): Promise<ProcessMark | undefined> {
  const mark = parseMark(await readFile(pathOf(dir), "utf8").catch(() => ""));
  return mark && isAlive(mark) ? mark : undefined;
}
