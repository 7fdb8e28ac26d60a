import { isAllowed, judge } from "../../src/core/policy-engine/index.ts";
import { factsFor, OPS, opened } from "../../src/core/policy-engine/gate.fixture.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const ROUNDS = 9;
const JUDGED = 20_000;

export const ledgerVerdicts: Part = {
  name: "ledger-verdicts",
  title: "Verdicts",
  about: `Seventeen verdicts on a command that all gates let pass, facts checked for their form first, as \`judge\` does for every command; each of the ${OPS.length} commands in turn, ${JUDGED} judged ${ROUNDS} times, medians. The raw side parses the same facts from JSON: what anyone must do who is given them.`,
  async measure() {
    const cases = OPS.map((op) => {
      const command = opened(op);
      const facts = factsFor(command);
      if (!isAllowed(judge(command, facts))) throw new TypeError(`${op} is refused`);
      return { command, facts, text: JSON.stringify(facts) };
    });
    const [ours, parse]: [number[], number[]] = [[], []];
    for (let at = 0; at <= ROUNDS; at += 1) {
      const judged = each(cases, ({ command, facts }) => judge(command, facts));
      const parsed = each(cases, ({ text }) => JSON.parse(text));
      // The first round compiles.
      if (at > 0) ours.push(judged) && parse.push(parsed);
    }
    const figure: Figure = {
      name: "seventeen verdicts / parsing their facts", ours: round(median(ours)), baseline: round(median(parse)), unit: "µs",
      ratio: round(median(ours.map((value, at) => value / (parse[at] ?? 1)))), goal: "under 10 µs", met: median(ours) < 10,
    };
    return [figure];
  },
};

/** Microseconds for one. */
function each<T>(cases: readonly T[], work: (one: T) => unknown): number {
  const began = performance.now();
  for (let n = 0; n < JUDGED; n += 1) work(cases[n % cases.length] as T);
  return ((performance.now() - began) * 1_000) / JUDGED;
}
