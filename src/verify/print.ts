import { COUNTED, type Verification } from "./verify-bundle.ts";

/** `entries 1204/1204 · commands 88/88 · verdicts 1496/1496 · statements 3/3 · files 412/412` */
export function countsLine({ counts, of }: Pick<Verification, "counts" | "of">): string {
  return COUNTED.map((name) => `${name} ${counts[name]}/${of[name]}`).join(" · ");
}

/** What a person reads: the counts, and the first thing that is wrong. */
export function verificationText(verification: Verification): string {
  const { ok, imvu, createdAt, logKey, failures, failuresTotal, counts, bodies } = verification;
  const lines = [countsLine(verification)];
  const [first] = failures;
  if (ok && bodies !== undefined) lines.push(`verified: a log of ${counts.entries} entries, ${bodies} of them with their bodies, signed by ${logKey}`);
  else if (ok) lines.push(`verified: ${imvu} as of ${createdAt}, by the log ${logKey}`);
  if (first) lines.push(`WRONG: ${first.what}`, `  expected: ${first.expected}`, `  found:    ${first.found}`);
  if (failuresTotal > 1) lines.push(`and ${failuresTotal - 1} more (--json shows up to ${failures.length})`);
  return `${lines.join("\n")}\n`;
}
