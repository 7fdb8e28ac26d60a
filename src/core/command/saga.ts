import type { Step } from "../../contract/index.ts";
import { messageOf } from "../../kernel/index.ts";

/** What people see of a command at work. */
export interface StepEvent {
  readonly key: string;
  readonly sentence: string;
  readonly state: "start" | "done" | "failed" | "undone" | "undo-failed";
  readonly ms: number;
  readonly detail?: string;
}

export interface StepTiming {
  readonly step: string;
  readonly ms: number;
}

export type AroundStep = (step: Step) => Step;

/**
 * Steps one after another; when one fails, it and everything before it are undone, newest first.
 * An undo that fails does not stop the others: what it left is found by the next converge, and is reported.
 */
export class Saga {
  private readonly done: Step[] = [];
  private readonly report: (event: StepEvent) => void;
  private readonly around: AroundStep;
  readonly timings: StepTiming[] = [];

  /** @param around lets a test put a fault into a step; the product passes none. */
  constructor(report: (event: StepEvent) => void, around: AroundStep = (step) => step) {
    this.report = report;
    this.around = around;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.runOne(this.around(step));
  }

  private async runOne(step: Step): Promise<void> {
    const began = performance.now();
    this.report({ key: step.key, sentence: step.sentence, state: "start", ms: 0 });
    // Listed before it runs: a step that fails half-way has something to undo.
    this.done.push(step);
    try {
      await step.do();
    } catch (error) {
      this.report({ key: step.key, sentence: step.sentence, state: "failed", ms: elapsed(began), detail: messageOf(error) });
      throw error;
    }
    const ms = elapsed(began);
    this.timings.push({ step: step.key, ms });
    this.report({ key: step.key, sentence: step.sentence, state: "done", ms });
  }

  /** Returns what could not be undone, in words. */
  async undo(): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const step of this.done.toReversed()) {
      const began = performance.now();
      try {
        await step.undo();
        this.report({ key: step.key, sentence: step.sentence, state: "undone", ms: elapsed(began) });
      } catch (error) {
        failures.push(`${step.sentence}: ${messageOf(error)}`);
        this.report({ key: step.key, sentence: step.sentence, state: "undo-failed", ms: elapsed(began), detail: messageOf(error) });
      }
    }
    this.done.length = 0;
    return failures;
  }
}

function elapsed(began: number): number {
  return Math.round((performance.now() - began) * 10) / 10;
}
