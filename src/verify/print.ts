import type { LiveReport } from "./live/report.ts";
import { COUNTED, type Verification } from "./verify-bundle.ts";

/** `entries 1204/1204 · commands 88/88 · verdicts 1496/1496 · statements 3/3 · files 412/412` */
export function countsLine({ counts, of }: Pick<Verification, "counts" | "of">): string {
  return COUNTED.map((name) => `${name} ${counts[name]}/${of[name]}`).join(" · ");
}

/** What a person reads: the counts, and the first thing that is wrong. */
export function verificationText(verification: Verification): string {
  const { ok, imvu, createdAt, logKey, failures, failuresTotal, counts, bodies, live } = verification;
  const lines = [countsLine(verification)];
  const [first] = failures;
  if (ok && bodies !== undefined) lines.push(`verified: a log of ${counts.entries} entries, ${bodies} of them with their bodies, signed by ${logKey}`);
  else if (ok) lines.push(`verified: ${imvu} as of ${createdAt}, by the log ${logKey}`);
  if (first) lines.push(`WRONG: ${first.what}`, `  expected: ${first.expected}`, `  found:    ${first.found}`);
  if (failuresTotal > 1) lines.push(`and ${failuresTotal - 1} more (--json shows up to ${failures.length})`);
  if (live) lines.push(...liveLines(live, ok));
  return `${lines.map(printable).join("\n")}\n`;
}

/** Text from a bundle or a server must not move the reader's cursor: control characters and bidirectional marks are shown as escapes. */
export function printable(line: string): string {
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What a reader must know about how a live log was read. */
function liveLines({ url, keyFrom, bodiesShown, witnessed, kept, evidence, keptNow, requests, bytes, ms }: LiveReport, ok: boolean): string[] {
  const lines = [`read: ${url}, ${requests} requests, ${(bytes / 1000).toFixed(1)} kB in ${(ms / 1000).toFixed(1)} s`];
  if (keyFrom === "served") lines.push("key: taken on trust from the log itself, which proves no more than that it agrees with itself; give the one you know with --log-key");
  else lines.push(keyFrom === "given" ? "key: the one you gave" : "key: the one kept from before");
  for (const { file, size, consistent } of kept) if (consistent) lines.push(`history: begins with the ${size} entries of ${file}`);
  if (kept.length === 0) lines.push("history: held against no older checkpoint; --keep FILE remembers this one for next time");
  if (witnessed) lines.push(`witnesses: ${witnessed.present.length} of ${witnessed.given} have cosigned, ${witnessed.required} required${witnessed.present.map(({ name, time }) => `; ${name} at ${timeText(time)}`).join("")}`);
  else lines.push("witnesses: none were asked for; others may be shown another log");
  if (ok && !bodiesShown) lines.push("bodies: none are shown to everybody here");
  if (keptNow !== null) lines.push(`kept: this checkpoint in ${keptNow}`);
  for (const file of evidence) lines.push(`EVIDENCE: both sides are in ${file}; keep it and show it to others`);
  return lines;
}

/** A witness may write any number. */
function timeText(time_s: number): string {
  const date = new Date(time_s * 1000);
  return Number.isNaN(date.getTime()) ? `second ${time_s}` : date.toISOString();
}

/** While a live log is being read. */
export function progressLine(entries: number, size: number): string {
  return `${entries} of ${size} entries`;
}
