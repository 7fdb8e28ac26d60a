import { type Block, type Cell, DAYS, heightOf, type Report, type Row, type Section, tailsOf } from "./report.ts";

const CHART = { width: 620, height: 90, gap: 2 };
const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c1c1e;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ddd}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{padding:.2rem .6rem .2rem 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right}td.n{font-family:ui-monospace,monospace;font-size:.86em;overflow-wrap:anywhere}
tr:target{background:#fff3c4}.note{color:#5c5c66}.bar,.part0{fill:#2f6f9f}.part1{fill:#b7c9d6}svg text{font-size:11px;fill:#5c5c66}code{font-size:.88em}a{color:#1d5a88}@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}`;

/** One self-contained page: no script, no font, nothing fetched. */
export function htmlOf({ title, lead, sections }: Report): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="note">${escaped(lead)}</p>
${sections.map(section).join("\n")}
</body></html>
`;
}

function section({ title, anchor, minor, blocks }: Section): string {
  const level = minor ? "h3" : "h2";
  return `<${level}${idOf(anchor)}>${escaped(title)}</${level}>\n${blocks.map(block).join("\n")}`;
}

function block(one: Block): string {
  if (one.kind === "text") return `<p${one.small ? ' class="note"' : ""}>${escaped(one.text).replaceAll(/`([^`]+)`/g, "<code>$1</code>")}</p>`;
  if (one.kind === "list") return `<ul>${one.lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;
  if (one.kind === "parts") return parts(one);
  if (one.kind === "days") return chart(one);
  const head = one.heads.map(({ text, number }) => `<th${number ? ' class="n"' : ""}>${escaped(text)}</th>`).join("");
  const tails = one.heads.map(({ number }, at) => (number ? tailsOf(one.rows, at) : undefined));
  const row = ({ anchor, cells }: Row) => `<tr${idOf(anchor)}>${cells.map((cell, at) => `<td${one.heads[at]?.number ? ' class="n"' : ""}>${contentOf(cell, tails[at])}</td>`).join("")}</tr>`;
  return `<table><tr>${head}</tr>${one.rows.map(row).join("\n")}</table>`;
}

function contentOf({ lines, to }: Cell, tails: ReadonlyMap<string, number> | undefined): string {
  const text = lines.map((line) => escaped(line) + "\u00a0".repeat(tails?.get(line) ?? 0)).join("<br>");
  return to === undefined ? text : `<a href="#${escaped(to)}">${text}</a>`;
}

function parts({ says, parts: all }: Extract<Block, { kind: "parts" }>): string {
  let x = 0;
  const drawn = all.map(({ label, share }, at) => {
    const [left, width] = [x, CHART.width * share];
    x += width;
    return `<rect class="part${at}" x="${left}" width="${width}" height="16"/><text x="${left}" y="30">${escaped(label)}</text>`;
  });
  return `<svg viewBox="0 0 ${CHART.width} 34" role="img" aria-label="${escaped(says)}">${drawn.join("")}</svg>`;
}

/** A bar for each day of the month, with its figure as a title and a way to its readings. */
function chart({ says, unit, days }: Extract<Block, { kind: "days" }>): string {
  const step = CHART.width / DAYS;
  const bars = days.map(({ day, quantity }) => {
    const height = Math.max(heightOf(quantity, days) * CHART.height, 0.5);
    const x = (Number(day.slice(8)) - 1) * step;
    return `<a href="#${day}"><rect class="bar" x="${x.toFixed(1)}" y="${(CHART.height - height).toFixed(1)}" width="${(step - CHART.gap).toFixed(1)}" height="${height.toFixed(1)}"><title>${escaped(`${day}: ${quantity} ${unit}`)}</title></rect></a>`;
  });
  const ticks = [1, 10, 20, 30].map((day) => `<text x="${((day - 1) * step).toFixed(1)}" y="${CHART.height + 13}">${day}</text>`);
  return `<svg viewBox="0 0 ${CHART.width} ${CHART.height + 16}" role="img" aria-label="${escaped(says)}">${bars.join("")}${ticks.join("")}</svg>`;
}

function idOf(anchor: string | undefined): string {
  return anchor === undefined ? "" : ` id="${escaped(anchor)}"`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
