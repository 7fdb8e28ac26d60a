import { readFileSync } from "node:fs";

/** A process told apart from a later one that got the same pid: pid and start time in clock ticks since boot. */
export interface ProcessMark {
  readonly pid: number;
  readonly startTicks: string;
}

/** proc(5) /proc/PID/stat field 22; the command name in field 2 may hold spaces and parentheses. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not noticed yet.
    if (fields[0] === "Z") return undefined;
    const startTicks = fields[19];
    return startTicks === undefined ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

export function isAlive(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.startTicks === mark.startTicks;
}

/** Parses what was written down earlier; undefined for anything else. */
export function parseMark(text: string): ProcessMark | undefined {
  try {
    const value = JSON.parse(text) as { pid?: unknown; startTicks?: unknown };
    return typeof value.pid === "number" && typeof value.startTicks === "string" ? { pid: value.pid, startTicks: value.startTicks } : undefined;
  } catch {
    return undefined;
  }
}
