import type { Verdict } from "../contract/index.ts";
import type { Json } from "../kernel/index.ts";
import { paint } from "./output.ts";

interface Rehearsed {
  readonly allowed: boolean;
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly verdicts: readonly Verdict[];
}

/** Not a failure: the way a dry run leaves a verb. */
export class DryRun extends Error {
  readonly answer: Json;

  constructor(answer: Json) {
    super("dry run");
    this.answer = answer;
  }

  get allowed(): boolean {
    return (this.answer as unknown as Rehearsed).allowed;
  }

  /** What the seventeen would say, for people. */
  lines(): readonly string[] {
    const { allowed, refusal, verdicts } = this.answer as unknown as Rehearsed;
    const gates = (is: Verdict["verdict"]) => verdicts.filter(({ verdict }) => verdict === is).map(({ gate }) => gate);
    const [pass, deny, not] = [gates("pass"), gates("deny"), gates("not-applicable")];
    return [
      allowed ? `${paint("green", "would be done")}  nothing was changed` : `${paint("red", "would be refused")}  ${refusal?.message} [${refusal?.code}]`,
      `  pass            ${pass.join(", ") || "none"}`,
      ...(deny.length > 0 ? [`  deny            ${deny.join(", ")}`] : []),
      `  not applicable  ${not.join(", ") || "none"}`,
    ];
  }
}
