/** What one part of the benchmarks says: one row for each figure. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  readonly baseline: number | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
}

export interface Part {
  /** `./nexus bench NAME` chooses it, and so does a part of the name before a dash. */
  readonly name: string;
  readonly title: string;
  /** What was compared with what, in a sentence or two for the reader of the document. */
  readonly about: string;
  measure(): Promise<readonly Figure[]>;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
export const round = (value: number, places = 2): number => Math.round(value * 10 ** places) / 10 ** places;

const INTRODUCTION = `# Benchmarks

Ratios against a raw baseline, medians of pairs taken in turn in one run; single figures of a shared machine say little. Each section is written by
the command it names and by nothing else.
`;

/** A section of the document, between its heading and the next. */
export function section(part: Part, machine: string, figures: readonly Figure[]): string {
  const rows = figures.map((one) => `| ${one.name} | ${one.ours} ${one.unit} | ${one.baseline === null ? "" : `${one.baseline} ${one.unit}`} | ${one.ratio ?? ""} | ${one.goal} | ${one.goal === "" ? "" : one.met ? "yes" : "no"} |`);
  return `## ${part.title}\n\nMade by \`./nexus bench ${part.name}\` on ${machine}. ${part.about}\n\n| what | ours | raw | ratio | goal | met |\n|---|---:|---:|---:|---|---|\n${rows.join("\n")}\n`;
}

/** The document with one section replaced or, when it is new, added at the end; every other section stays as it is. */
export function withSection(document: string, title: string, text: string): string {
  const [first = "", ...rest] = document.split(/^(?=## )/m);
  const sections = first.startsWith("## ") ? [first, ...rest] : rest;
  const at = sections.findIndex((one) => one.startsWith(`## ${title}\n`));
  const kept = sections.map((one) => `${one.trimEnd()}\n`);
  if (at < 0) kept.push(text);
  else kept[at] = text;
  return [INTRODUCTION, ...kept].join("\n");
}
