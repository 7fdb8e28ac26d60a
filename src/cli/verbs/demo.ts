import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { messageOf } from "../../kernel/index.ts";
import { Context } from "../context.ts";
import { EXIT } from "../failure.ts";
import { paint, print } from "../output.ts";

interface StepReport {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly detail: string;
}

export function demoVerb(program: Command): void {
  program
    .command("demo")
    .description("the whole life of two units on real engines in a scratch home; leaves the bundle and a report")
    .option("--keep <dir>", "where bundle and report are left; default: a new folder for temporary files")
    .action(async (options: { keep?: string }, command: Command) => {
      const context = await Context.of(command);
      // Mail clients and all: loaded by whoever asks for the demo, and by nobody else.
      const [{ LIFE }, { openWorld }] = await Promise.all([import("../demo/life.ts"), import("../demo/world.ts")]);
      const root = options.keep ?? (await mkdtemp(join(tmpdir(), "nexus-demo-")));
      await chmod(root, 0o711);
      const world = await openWorld(root);
      const steps: StepReport[] = [];
      const began = performance.now();
      try {
        for (const [at, step] of LIFE.entries()) {
          const started = performance.now();
          if (!context.output.quiet && process.stderr.isTTY) process.stderr.write(`  … ${step.name}`);
          let ok = true;
          let detail: string;
          try {
            detail = await step.run(world);
          } catch (error) {
            ok = false;
            detail = messageOf(error);
          }
          const ms = Math.round(performance.now() - started);
          steps.push({ name: step.name, ok, ms, detail });
          if (!context.output.quiet) {
            const sign = ok ? paint("green", "✓", process.stderr) : paint("red", "✗", process.stderr);
            process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${sign} ${String(at + 1).padStart(2)}  ${step.name} ${paint("dim", `${(ms / 1_000).toFixed(1)} s`, process.stderr)}\n      ${detail}\n`);
          }
          if (!ok) break;
        }
      } finally {
        for (const platform of [world.operator, world.elsewhere]) await platform.call("down", "--purge");
        for (const folder of ["a", "b", "work", "artist", "artisan"]) await rm(join(root, folder), { recursive: true, force: true });
      }
      const ok = steps.length === LIFE.length && steps.every((step) => step.ok);
      const report = join(root, "report.md");
      await writeFile(report, reportText(steps, performance.now() - began));
      print(context.output, { ok, steps, bundle: world.bundle, report }, () => [
        ok ? `${paint("green", "all of it worked")}  ${steps.length} steps in ${((performance.now() - began) / 1_000).toFixed(0)} s` : paint("red", "it did not all work"),
        ...(world.bundle ? [`  bundle  ${world.bundle}`] : []),
        `  report  ${report}`,
        ...(ok ? [`next: node ${join(world.bundle, "verify.mjs")}`] : []),
      ]);
      if (!ok) process.exitCode = EXIT.notSo;
    });
}

function reportText(steps: readonly StepReport[], total_ms: number): string {
  const rows = steps.map((step, at) => `| ${at + 1} | ${step.ok ? "✓" : "✗"} | ${step.name} | ${(step.ms / 1_000).toFixed(1)} | ${step.detail.replaceAll("|", "\\|").replaceAll("\n", " ")} |`);
  return [`# The life of an IMVU`, "", `${steps.length} steps in ${(total_ms / 1_000).toFixed(0)} s, on real engines.`, "", "| | | step | seconds | what was seen |", "|---:|---|---|---:|---|", ...rows, ""].join("\n");
}
