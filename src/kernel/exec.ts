import { Buffer } from "node:buffer";
export type { ChildProcess } from "node:child_process";
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { Fault } from "./fault.ts";

/** The only file that starts a process. Arguments are vectors; no shell reads a string of ours. */

export const RUN_TIMEOUT_MS = 30_000;
export const RUN_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export interface RunOptions {
  /** Bytes for standard input; without it standard input is empty. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** The whole environment of the child; default: PATH, LANG=C.UTF-8, HOME of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  readonly timeout_ms?: number;
  readonly output_bytes_max?: number;
  readonly signal?: AbortSignal;
}

export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function plainEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    HOME: process.env.HOME ?? "/",
    ...more,
  };
}

/** Runs to the end and returns code and output. Throws Fault when it cannot start, times out or floods. */
export function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Ran> {
  const [command, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
      env: options.env ?? plainEnvironment(),
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const limit = options.output_bytes_max ?? RUN_OUTPUT_BYTES_MAX;
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let failure: Fault | undefined;
    const stop = (fault: Fault) => {
      failure ??= fault;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(
      () => stop(new Fault("PROCESS_TIMEOUT", `${command} did not end within ${options.timeout_ms ?? RUN_TIMEOUT_MS} ms`, { retry: true })),
      options.timeout_ms ?? RUN_TIMEOUT_MS,
    );
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) stop(new Fault("PROCESS_OUTPUT", `${command} printed more than ${limit} bytes`));
      else into.push(chunk);
    };
    child.stdout.on("data", collect(out));
    child.stderr.on("data", collect(err));
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(new Fault("PROCESS_START", `cannot run ${command}: ${cause.message}`, { cause }));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (failure) return reject(failure);
      resolve({ code: code ?? 128 + (signal ? 9 : 0), stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
  });
}

/** Like run, but a non-zero exit code is a Fault that carries the end of what the program said. Returns standard output. */
export async function runOk(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const ran = await run(argv, options);
  if (ran.code !== 0) {
    const said = (ran.stderr || ran.stdout.toString("utf8")).trim().slice(-2000);
    throw new Fault("PROCESS_FAILED", `${argv.slice(0, 3).join(" ")}: exit ${ran.code}: ${said}`);
  }
  return ran.stdout.toString("utf8");
}

/** A long-running or streaming child; the caller owns its streams and its end. */
export function start(argv: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
  const [command, ...args] = argv;
  return spawn(command, args, { env: plainEnvironment(), ...options, shell: false });
}

/** Pipes `from` through a program into `to`; resolves when the program ended with 0. */
export async function pipeThrough(
  argv: readonly [string, ...string[]],
  from: Readable | undefined,
  to: Writable | undefined,
  timeout_ms: number,
): Promise<void> {
  const child = start(argv, { stdio: [from ? "pipe" : "ignore", to ? "pipe" : "ignore", "pipe"] });
  const said: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.length < 64 && said.push(chunk.toString("utf8")));
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout_ms);
  const { pipeline } = await import("node:stream/promises");
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 137));
  });
  try {
    await Promise.all([
      from && child.stdin ? pipeline(from, child.stdin) : undefined,
      to && child.stdout ? pipeline(child.stdout, to) : undefined,
      ended,
    ]);
    const code = await ended;
    if (code !== 0) throw new Fault("PROCESS_FAILED", `${argv[0]}: exit ${code}: ${said.join("").trim().slice(-2000)}`);
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}
