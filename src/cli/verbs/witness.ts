import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type WitnessVerifier, parseWitnessKey } from "../../core/ledger/pure.ts";
import { systemClock } from "../../kernel/index.ts";
import { serveWitness, WitnessMemory } from "../../witness/index.ts";
import { Context, must } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { paint, print, say, table } from "../output.ts";
import { whole } from "../units.ts";

const WITNESSES_MAX = 32;

/** Witnesses: to run one for others, to see one's platform's, to demand them of a platform. */
export function witnessVerbs(program: Command): void {
  const witness = program.command("witness").description("who vouches that a log shows everybody the same");

  witness
    .command("serve")
    .description("run a witness for others' logs (C2SP tlog-witness) in the foreground; needs no platform")
    .requiredOption("--dir <dir>", "its key, whom it watches and what it saw; made on first use; losing it means a new key")
    .requiredOption("--listen <host:port>", "where it answers POST /add-checkpoint; port 0: any free one")
    .requiredOption("--name <name>", "what it signs as: a URL without scheme, like witness.example/w1")
    .action(async (options: { dir: string; listen: string; name: string }, command: Command) => {
      const context = await Context.of(command);
      const { host, port } = addressOf(options.listen);
      const running = await serveWitness({ dir: resolve(options.dir), host, port, name: options.name, clock: systemClock, say: (line) => say(context.output, `${new Date().toISOString()} ${line}`) });
      const ending = new Promise((end) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
      });
      print(context.output, { vkey: running.vkey, url: running.url }, () => [`${paint("green", "witnessing")}  ${running.url}`, running.vkey, `next: nexus witness add-log --dir ${options.dir} --vkey LOGKEY`]);
      await ending;
      await running.close();
    });

  witness
    .command("add-log")
    .description("let the witness in DIR watch a log; also while it runs")
    .requiredOption("--dir <dir>", "the witness's folder")
    .requiredOption("--vkey <key>", "the log's verifier key: platform.logKey of 'nexus status', or key at /log/")
    .action(async (options: { dir: string; vkey: string }, command: Command) => {
      const context = await Context.of(command);
      const log = must(await (await WitnessMemory.open(resolve(options.dir))).addLog(options.vkey));
      print(context.output, { log }, () => [`watching ${log.origin}, ${log.keys.length} ${log.keys.length === 1 ? "key" : "keys"}, ${log.size} entries seen`]);
    });

  witness
    .command("list")
    .description("the platform's witnesses: how far behind each is, what it said last; with --dir: the logs that a witness watches")
    .option("--dir <dir>", "a witness's folder")
    .action(async (options: { dir?: string }, command: Command) => {
      const context = await Context.of(command);
      if (options.dir !== undefined) {
        const logs = await (await WitnessMemory.open(resolve(options.dir))).logs();
        print(context.output, { logs }, () => table([["log", "entries seen", "keys"], ...logs.map((log) => [log.origin, String(log.size), String(log.keys.length)])]));
        return;
      }
      const status = (await (await context.client()).get("/v1/platform")) as unknown as { ledger: { size: number; witnesses: Shown } };
      const { witnesses } = status.ledger;
      print(context.output, { size: status.ledger.size, ...witnesses }, () => shownLines(witnesses));
    });

  witness
    .command("require <count>")
    .description("from now on believe this platform's log only with so many of these witnesses' cosignatures; 0: without")
    .option("--keys <file>", "the witnesses' verifier keys, one a line")
    .action(async (count: string, options: { keys?: string }, command: Command) => {
      const context = await Context.of(command);
      const required = whole("count", count, 0, WITNESSES_MAX);
      const keys = options.keys === undefined ? [] : keysIn(await readFile(resolve(options.keys), "utf8"));
      if (keys.length < required) throw usageFailure(`${required} witnesses are required, and ${keys.length} keys are given`, "nexus witness require 2 --keys FILE, one verifier key a line");
      const client = await context.client();
      const origin = await client.log.require(required, required === 0 ? [] : keys.map(({ vkey }) => vkey));
      print(context.output, { origin, required, witnesses: keys.map(({ name }) => name) }, () => [required === 0 ? `${origin}: no witnesses are required` : `${origin}: ${required} of ${keys.map(({ name }) => name).join(", ")}`]);
    });
}

interface Shown {
  readonly required: number;
  readonly present: number;
  readonly alarms: readonly string[];
  readonly list: readonly { readonly name: string; readonly url: string; readonly size: number; readonly behind: number; readonly answered: string | null; readonly lastAnswer: string | null; readonly lastError: string | null }[];
}

function shownLines({ required, present, alarms, list }: Shown): string[] {
  if (required === 0) return ["this platform asks no witnesses"];
  return [
    `${present} of ${required} required cosigned the checkpoint that is shown`,
    ...table([["witness", "behind", "answered", "last answer", "error"], ...list.map((one) => [one.name, String(one.behind), one.answered ?? "never", one.lastAnswer ?? "", one.lastError ?? ""])]),
    ...alarms.map((alarm) => paint("red", `WITNESS ALARM: ${alarm}`)),
  ];
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65_535) throw usageFailure(`--listen: ${JSON.stringify(text.slice(0, 80))} is not HOST:PORT`, "use something like --listen 127.0.0.1:8460");
  return { host: (match[1] ?? match[2]) as string, port: Number(match[3]) };
}

/** Two names of one key would be two votes of one will. */
function keysIn(text: string): WitnessVerifier[] {
  const keys = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => must(parseWitnessKey(line)));
  if (keys.length > WITNESSES_MAX) throw usageFailure(`--keys: ${keys.length} keys; at most ${WITNESSES_MAX}`, "keep those that you know");
  if (new Set(keys.map(({ publicKey }) => publicKey.export({ format: "jwk" }).x)).size < keys.length) throw usageFailure("--keys: one key stands there twice", "one line for each witness");
  return keys;
}
