import { readFile } from "node:fs/promises";

/** Pid and start time of the engine, as the supervisor wrote them down: the server's counters begin with its process. */
export async function processStart(markFile: string): Promise<string> {
  const { pid, startTicks } = JSON.parse(await readFile(markFile, "utf8")) as { pid: number; startTicks: string };
  return `${pid}-${startTicks}`;
}
