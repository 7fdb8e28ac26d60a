import type { StepSeen } from "./client.ts";
import type { Failure } from "./failure.ts";

/** Two streams: what was asked for on stdout, everything said meanwhile on stderr. Colour only where a terminal reads. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
}

const COLOURS = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 } as const;

export function paint(colour: keyof typeof COLOURS, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env.NO_COLOR ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

/** Prints the answer: one JSON document, or the lines for people. */
export function print(output: Output, document: unknown, lines: () => readonly string[]): void {
  if (output.json) process.stdout.write(`${JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0)}\n`);
  else process.stdout.write(`${lines().map(printable).join("\n")}\n`);
}

export function say(output: Output, line: string): void {
  if (!output.quiet) process.stderr.write(`${printable(line)}\n`);
}

export function stepPrinter(output: Output): (step: StepSeen) => void {
  const err = process.stderr;
  return ({ sentence, state, ms, detail }) => {
    if (output.quiet || state === "start") return;
    const sign = state === "done" ? paint("green", "✓", err) : state === "undone" ? paint("yellow", "↶", err) : paint("red", "✗", err);
    const more = detail ? `\n    ${detail.split("\n").join("\n    ")}` : "";
    err.write(`${printable(`  ${sign} ${sentence} ${paint("dim", `${Math.round(ms)} ms`, err)}${more}`)}\n`);
  };
}

export function printFailure(output: Output, failure: Failure): void {
  const { document } = failure;
  if (output.json) {
    process.stdout.write(`${JSON.stringify({ error: document })}\n`);
    return;
  }
  process.stderr.write(`${paint("red", "error", process.stderr)} ${printable(document.message)} ${paint("dim", `[${document.code}]`, process.stderr)}\n`);
  if (typeof document.ledgerIndex === "number") process.stderr.write(`  recorded in ledger entry ${document.ledgerIndex}\n`);
  if (document.hint) process.stderr.write(`next: ${printable(document.hint)}\n`);
}

/** Columns as wide as their widest cell; those of figures with their decimal points below each other. */
export function table(rows: readonly (readonly string[])[], figures: readonly number[] = []): string[] {
  const placed = figures.reduce(pointsAligned, rows);
  const widths: number[] = [];
  for (const row of placed) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const padded = (cell: string, at: number) => (figures.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0));
  return placed.map((row) => row.map((cell, at) => (at === row.length - 1 && !figures.includes(at) ? cell : padded(cell, at))).join("  ").trimEnd());
}

/** What is no figure, like a head, ends where the figures end. */
function pointsAligned(rows: readonly (readonly string[])[], column: number): readonly (readonly string[])[] {
  const after = rows.map((row) => /^(?:× )?-?\d+(\.\d+)?$/.exec(row[column] ?? ""));
  const most = after.reduce((widest, found) => Math.max(widest, found?.[1]?.length ?? 0), 0);
  return rows.map((row, at) => row.map((cell, nth) => (nth === column && after[at] ? cell + " ".repeat(most - (after[at]?.[1]?.length ?? 0)) : cell)));
}

/** The same decimal figure without the zeros at its end. */
export function plainFigure(figure: string): string {
  return figure.includes(".") ? figure.replace(/\.?0+$/, "") : figure;
}

export function many(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

export function bytesText(bytes: number): string {
  for (const [unit, size] of [["TiB", 1024 ** 4], ["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const) if (bytes >= size) return `${Math.round((bytes / size) * 100) / 100} ${unit}`;
  return `${bytes} B`;
}

/** Text from elsewhere must not move a terminal's cursor: control characters and bidirectional marks are shown as escapes; the colours that paint makes pass. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\u001b(?!\[(?:0|1|2|31|32|33)m)/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
