import { open } from "node:fs/promises";

/** The end of a service's log, read from the file its monitor writes. */
export const LOG_LINES_MAX = 10_000;
const TAIL_BYTES_MAX = 1024 * 1024;

/** Kubernetes' log format: `2026-11-23T08:00:00.1Z stdout F text`; P instead of F: the line goes on. Returns `TIME text` lines. */
export function parseLog(text: string, lines: number): string {
  const whole: string[] = [];
  let begun: string | undefined;
  for (const line of text.split("\n")) {
    const parts = /^(\S+) (?:stdout|stderr) ([FP]) (.*)$/.exec(line);
    if (!parts) continue;
    const [, time, kind, said] = parts as unknown as [string, string, string, string];
    begun = begun === undefined ? `${time} ${said}` : begun + said;
    if (kind === "P") continue;
    whole.push(begun);
    begun = undefined;
  }
  if (begun !== undefined) whole.push(begun);
  return whole.slice(-Math.max(1, Math.min(lines, LOG_LINES_MAX))).map((line) => `${line}\n`).join("");
}

export async function tailOfLog(path: string, lines: number): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return "";
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES_MAX));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    return parseLog(bytes.toString("utf8"), lines);
  } finally {
    await file.close();
  }
}
