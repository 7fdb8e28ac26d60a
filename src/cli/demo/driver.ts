import { join } from "node:path";
import { Fault, plainEnvironment, run } from "../../kernel/index.ts";

const COMMAND_TIMEOUT_MS = 300_000;
const MAIN = join(import.meta.dirname, "../main.ts");

// biome-ignore lint/suspicious/noExplicitAny: the driver reads other programs' JSON; every use is checked where it is used.
export type Printed = any;

export interface Called {
  readonly code: number;
  readonly printed: Printed;
  readonly said: string;
  readonly ms: number;
}

/** Calls the real command line in a process of its own, as a person in her own home would. */
export class Caller {
  readonly home: string;
  private readonly platform: string | undefined;

  constructor(home: string, platform?: string) {
    this.home = home;
    this.platform = platform;
  }

  /** Runs `nexus ARGS --json` and parses what it prints. Never throws for an exit code. */
  async call(...args: string[]): Promise<Called> {
    const began = performance.now();
    const environment: Record<string, string> = { NEXUS_HOME: this.home };
    if (this.platform) environment.NEXUS_PLATFORM = this.platform;
    for (const kept of ["NEXUS_CACHE", "NEXUS_PASSPHRASE_FILE", "NEXUS_RECOVERY_KEY_FILE", "NODE_COMPILE_CACHE"]) if (process.env[kept]) environment[kept] = process.env[kept];
    const ran = await run([process.execPath, MAIN, "--json", "--no-input", ...args], { env: plainEnvironment(environment), timeout_ms: COMMAND_TIMEOUT_MS });
    const text = ran.stdout.toString("utf8");
    let printed: Printed;
    try {
      printed = text.trim() === "" ? undefined : JSON.parse(text);
    } catch (cause) {
      throw new Fault("NOT_JSON", `nexus ${args.join(" ")} printed no JSON: ${text.slice(0, 300)} ${ran.stderr.slice(-500)}`, { cause });
    }
    return { code: ran.code, printed, said: ran.stderr, ms: performance.now() - began };
  }

  /** Like call, but anything but exit code 0 is a Fault. */
  async ok(...args: string[]): Promise<Printed> {
    const called = await this.call(...args);
    if (called.code !== 0)
      throw new Fault("COMMAND_FAILED", `nexus ${args.join(" ")}: exit ${called.code}: ${JSON.stringify(called.printed?.error ?? called.printed)} ${called.said.slice(-1500)}`);
    return called.printed;
  }

  /** Expects a refusal: the exit code and the error's code. */
  async refused(code: number, errorCode: RegExp, ...args: string[]): Promise<Printed> {
    const called = await this.call(...args);
    const seen = called.printed?.error?.code ?? "";
    if (called.code !== code || !errorCode.test(seen))
      throw new Fault("NOT_REFUSED", `nexus ${args.join(" ")}: expected exit ${code} and ${errorCode}, saw exit ${called.code} and ${seen || "no error"} ${called.said.slice(-500)}`);
    return called.printed.error;
  }
}
