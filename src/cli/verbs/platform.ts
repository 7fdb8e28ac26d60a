import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { parseServiceName, sleep, systemClock } from "../../kernel/index.ts";
import { Context, must } from "../context.ts";
import { EXIT, usageFailure } from "../failure.ts";
import { paint, print, say, table } from "../output.ts";
import { whole } from "../units.ts";

const FOLLOW_POLL_MS = 250;
const LOG_BYTES_MAX = 256 * 1024;

/** Verbs of whoever runs the machine. They work on the home itself, not through the API. */
export function platformVerbs(program: Command, main: string): void {
  program
    .command("up")
    .description("start the platform of this home and supervise its engines; Ctrl-C stops it in order")
    .option("--detach", "start it in the background and return when it is ready")
    .action(async (options: { detach?: boolean }, command: Command) => {
      const context = await Context.of(command);
      const { upDetached, upForeground } = await import("../../platform/index.ts");
      const cacheDir = cacheFolder();
      if (options.detach) {
        say(context.output, `starting a platform in ${context.home}`);
        await upDetached(context.home, { cacheDir, main });
        const status = await (await context.client()).get("/v1/platform");
        print(context.output, status, () => [`${paint("green", "running")}  ${context.home}`, "next: nexus status"]);
        return;
      }
      const line = (text: string) => say(context.output, `${new Date().toISOString().slice(11, 23)} ${text}`);
      await upForeground(context.home, { cacheDir }, line, (home) => line(`ready: API at http://${home.site.listenAddress}:${home.site.ports.api}`));
    });

  program
    .command("down")
    .description("stop the platform of this home in order")
    .option("--purge", "and remove its folder: units, mail, volumes, ledger; the machine is left as it was")
    .action(async (options: { purge?: boolean }, command: Command) => {
      const context = await Context.of(command);
      const { down } = await import("../../platform/index.ts");
      const answer = await down(context.home, { cacheDir: cacheFolder(), purge: options.purge === true }, (line) => say(context.output, line));
      print(context.output, answer, () => [answer.purged ? `removed  ${context.home}/platform` : answer.stopped ? `stopped  ${context.home}` : `nothing was running in ${context.home}`]);
    });

  program
    .command("backup")
    .description("copy the running platform's database, keys and configuration into a folder; who has it can sign as this log. It holds no volumes and no mail")
    .requiredOption("--to <dir>", "a folder that does not exist yet, and that the database's user can reach")
    .action(async (options: { to: string }, command: Command) => {
      const context = await Context.of(command);
      const { backup } = await import("../../platform/index.ts");
      const made = await backup(context.home, { cacheDir: cacheFolder() }, resolve(options.to), systemClock, (line) => say(context.output, line));
      print(context.output, made, () => [
        `${paint("green", "copied and verified")}  ${made.path}`,
        ...made.secrets.map((one) => `  ${paint("yellow", "in the clear")}  ${one}`),
        ...made.notHeld.map((one) => `  not in it     ${one}`),
      ]);
    });

  program
    .command("restore")
    .description("bring a backup back into a home whose platform is down, with all of the archived log, and recompute it")
    .requiredOption("--from <dir>", "what 'nexus backup' wrote")
    .option("--at <time>", "leave out what was committed after this instant (RFC 3339)")
    .option("--known <files...>", "checkpoints of this log that clients or witnesses have: what is brought back must contain them")
    .action(async (options: { from: string; at?: string; known?: string[] }, command: Command) => {
      const context = await Context.of(command);
      const known = await Promise.all((options.known ?? []).map((path) => readNote(path)));
      const { restore } = await import("../../platform/index.ts");
      const made = await restore(context.home, { cacheDir: cacheFolder(), ...(options.at === undefined ? {} : { at: options.at }), known }, resolve(options.from), systemClock, (line) => say(context.output, line));
      print(context.output, made, () =>
        made.ok
          ? [`${paint("green", "whole")}  ${made.entries} entries${made.before === null ? "" : `; what was there before: ${made.before}`}`, "next: nexus up"]
          : [...(made.failures as { index: number; what: string }[]).map((one) => `${paint("red", "NOT TAKEN")}  entry ${one.index}: ${one.what}`), `the copy lies in ${made.refused}; what was there before is back`],
      );
      if (!made.ok) process.exitCode = EXIT.notSo;
    });

  program.command("status").description("where everything listens, and how it is").action(async (_options, command: Command) => {
    const context = await Context.of(command);
    const status = (await (await context.client()).get("/v1/platform")) as unknown as Status;
    print(context.output, status, () => statusLines(status));
  });

  program.command("doctor").description("what could stand in the way, each with what to type; changes nothing").action(async (_options, command: Command) => {
    const context = await Context.of(command);
    const { doctor } = await import("../../platform/index.ts");
    const findings = await doctor(context.home, { cacheDir: cacheFolder() });
    print(context.output, { ok: findings.every((one) => one.ok), findings }, () =>
      findings.flatMap((one) => [`${one.ok ? paint("green", "✓") : paint("red", "✗")} ${one.what}: ${one.detail}`, ...(one.ok ? [] : [`  next: ${one.hint}`])]),
    );
    if (findings.some((one) => !one.ok)) process.exitCode = EXIT.notSo;
  });

  program
    .command("logs [engine]")
    .description("what an engine wrote (default: the platform itself)")
    .option("-f, --follow", "and what it goes on writing")
    .option("--lines <n>", "how many of the last lines", "50")
    .action(async (engine: string | undefined, options: { follow?: boolean; lines: string }, command: Command) => {
      const context = await Context.of(command);
      const path = join(context.home, "platform", "log", `${must(parseServiceName(engine ?? "platform"))}.log`);
      const info = await stat(path).catch(() => undefined);
      if (!info) throw usageFailure(`there is no log ${path}`, "nexus status names the engines", "NO_LOG");
      const text = await tail(path, info.size);
      const lines = text.trimEnd().split("\n").slice(-whole("lines", options.lines, 1, 10_000));
      print(context.output, { path, lines }, () => lines);
      for (let seen = info.size; options.follow; await sleep(FOLLOW_POLL_MS)) {
        const { size } = await stat(path);
        if (size < seen) seen = 0;
        if (size > seen) process.stdout.write(await tail(path, size, seen));
        seen = size;
      }
    });
}

async function tail(path: string, size: number, from = Math.max(0, size - LOG_BYTES_MAX)): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { start: from, end: Math.max(from, size - 1) })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** A checkpoint that somebody kept. */
async function readNote(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: Error) => {
    throw usageFailure(`--known: ${path} cannot be read: ${error.message}`, "name files with checkpoints of this log");
  });
}

/** Base images are the same for every home: the launcher names one place for them. */
function cacheFolder(): string {
  return process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../../.runtime/cache");
}

interface Status {
  readonly platform: { readonly name: string; readonly home: string; readonly origin: string; readonly suffix: string; readonly version: string };
  readonly listen: Readonly<Record<string, string>>;
  readonly engines: readonly { readonly name: string; readonly version: string; readonly state: string; readonly pid: number | null; readonly purpose: string }[];
  readonly ledger: { readonly size: number; readonly witnesses: { readonly required: number; readonly present: number; readonly alarms: readonly string[] } };
  readonly imvus: { readonly active: number; readonly exiting: number; readonly exited: number };
}

function statusLines(status: Status): string[] {
  const { platform, listen, engines, ledger, imvus } = status;
  return [
    `${paint("bold", platform.name)}  ${platform.home}  zones under ${platform.suffix}`,
    ...table(engines.map((engine) => [engine.state === "running" ? "  ✓" : "  ✗", engine.name, engine.version, engine.state, engine.pid === null ? "" : `pid ${engine.pid}`, engine.purpose])),
    ...table(Object.entries(listen).map(([name, address]) => [`  ${name}`, address])),
    `  ledger ${ledger.size} entries · IMVUs: ${imvus.active} active, ${imvus.exiting} exiting, ${imvus.exited} left`,
    ...witnessLines(ledger.witnesses),
  ];
}


/** Nothing where none are asked for; loud where the log does not look the same to everybody. */
function witnessLines({ required, present, alarms }: Status["ledger"]["witnesses"]): string[] {
  if (required === 0) return [];
  const line = `${present} of ${required} required witnesses cosigned the checkpoint that is shown`;
  return [`  ${present >= required ? line : paint("yellow", `UNWITNESSED: ${line}`)}`, ...alarms.map((alarm) => `  ${paint("red", `WITNESS ALARM: ${alarm}`)}`)];
}
