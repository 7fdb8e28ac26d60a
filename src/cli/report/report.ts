/** A report as paper and browsers show it: sections of tables and charts. What it says is decided once; html.ts and pdf.ts only draw. */
export interface Report {
  readonly title: string;
  readonly lead: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly title: string;
  /** Where references lead. */
  readonly anchor?: string;
  readonly minor?: boolean;
  readonly blocks: readonly Block[];
}

export type Block =
  /** What stands between backticks is typed into a terminal. */
  | { readonly kind: "text"; readonly text: string; readonly small?: boolean }
  | { readonly kind: "list"; readonly lines: readonly string[] }
  | { readonly kind: "table"; readonly heads: readonly Head[]; readonly rows: readonly Row[] }
  /** One bar in parts of a whole. */
  | { readonly kind: "parts"; readonly says: string; readonly parts: readonly { readonly label: string; readonly share: number }[] }
  | { readonly kind: "days"; readonly says: string; readonly unit: string; readonly days: readonly { readonly day: string; readonly quantity: string }[] };

export interface Head {
  readonly text: string;
  readonly number?: boolean;
}

export interface Row {
  readonly anchor?: string;
  readonly cells: readonly Cell[];
}

/** Lines of a cell, and where it leads. */
export interface Cell {
  readonly lines: readonly string[];
  readonly to?: string;
}

/** How many characters less than the longest of its column a figure has from its decimal point on: that far from the edge it ends, so that points stand below each other. */
export function tailsOf(rows: readonly Row[], at: number): ReadonlyMap<string, number> {
  const figures = rows.flatMap(({ cells }) => cells[at]?.lines ?? []).filter((text) => /^-?\d+(\.\d+)?$/.test(text));
  const after = (text: string) => (text.includes(".") ? text.length - text.indexOf(".") : 0);
  const most = figures.reduce((longest, text) => Math.max(longest, after(text)), 0);
  return new Map(figures.map((text) => [text, most - after(text)]));
}

/** Days of the longest month: bars stand where their day does. */
export const DAYS = 31;

/** Height of a bar, 0 to 1, of the highest there is. */
export function heightOf(quantity: string, days: readonly { readonly quantity: string }[]): number {
  return Number(quantity) / Math.max(...days.map((one) => Number(one.quantity)), Number.MIN_VALUE);
}
