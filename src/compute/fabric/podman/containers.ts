import { readFile } from "node:fs/promises";
import { Fault, type ImvuId, type Json, messageOf } from "../../../kernel/index.ts";
import type { ServiceReading } from "../../state.ts";
import { LABEL_IMVU, LABEL_JURISDICTION, LABEL_ORDER, LABEL_SERVICE, LABEL_SPEC, type Order, STOP_GRACE_SECONDS } from "./container-spec.ts";
import type { PodmanRest } from "./rest.ts";

/** From `podman ps`, by its own names. */
interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly State: string;
  readonly Pid: number;
  readonly ExitCode: number;
  /** Seconds since the epoch; negative when it never started. */
  readonly StartedAt: number;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export interface Inspected {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly pid: number;
  readonly exitCode: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAt_ms: number;
  readonly finishedAt_ms: number;
}

const SIGTERM_BIT = 1n << 14n;

/** Containers by the engine's word. No table of ours is kept: labels say what each is for. */
export class Containers {
  private readonly rest: PodmanRest;

  constructor(rest: PodmanRest) {
    this.rest = rest;
  }

  /** Of one IMVU, or of the whole home. */
  async list(imvu: ImvuId | undefined): Promise<readonly ServiceReading[]> {
    const filters = JSON.stringify({ label: [imvu === undefined ? LABEL_IMVU : `${LABEL_IMVU}=${imvu}`] });
    const listed = await this.rest.json<readonly Listed[] | null>("GET", "/containers/json", { query: { all: "true", filters } });
    return (listed ?? []).map(readingOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async inspect(nameOrId: string): Promise<Inspected | undefined> {
    const { status, text } = await this.rest.call("GET", `/containers/${nameOrId}/json`, { also: [404] });
    if (status === 404) return undefined;
    const { Id, Name, State, Config } = JSON.parse(text) as { Id: string; Name: string; State: { Status: string; Pid: number; ExitCode: number; StartedAt: string; FinishedAt: string }; Config: { Labels: Record<string, string> | null } };
    return { id: Id, name: Name, state: State.Status, pid: State.Pid, exitCode: State.ExitCode, labels: Config.Labels ?? {}, startedAt_ms: Date.parse(State.StartedAt), finishedAt_ms: Date.parse(State.FinishedAt) };
  }

  async create(spec: Json): Promise<void> {
    await this.rest.call("POST", "/containers/create", { json: spec });
  }

  /** Its first process exists afterwards and waits. */
  async init(name: string): Promise<number> {
    await this.rest.call("POST", `/containers/${name}/init`);
    const made = await this.inspect(name);
    if (!made || made.pid <= 0) throw new Fault("PODMAN_INIT", `podman did not make the first process of ${name}`);
    return made.pid;
  }

  async start(name: string): Promise<void> {
    await this.rest.call("POST", `/containers/${name}/start`);
  }

  /** A first process without a handler for SIGTERM never hears it; then there is nothing to wait for. */
  async stop(name: string): Promise<void> {
    const seen = await this.inspect(name);
    if (seen?.state !== "running") return;
    await this.rest.call("POST", `/containers/${name}/stop`, { query: { timeout: String(await graceOf(seen.pid)) }, also: [404] });
  }

  async remove(name: string): Promise<void> {
    const seen = await this.inspect(name);
    if (!seen) return;
    const timeout = String(seen.state === "running" ? await graceOf(seen.pid) : 0);
    const remove = () => this.rest.call("DELETE", `/containers/${name}`, { query: { force: "true", v: "true", timeout }, also: [404] });
    try {
      await remove();
    } catch (error) {
      // The monitor's own clean-up may be at it in the same moment; the second time it is done.
      if (!(await this.inspect(name))) return;
      await remove().catch((again: unknown) => {
        throw new Fault("PODMAN_REMOVE", `podman cannot remove ${name}: ${messageOf(again)}`, { cause: error, retry: true });
      });
    }
  }
}

async function graceOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  // Caught by a handler, or blocked to be read from a descriptor as an init does.
  const heard = ["SigCgt", "SigBlk"].some((set) => (BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`) & SIGTERM_BIT) !== 0n);
  return heard ? STOP_GRACE_SECONDS : 0;
}

function readingOf(one: Listed): ServiceReading {
  const labels = one.Labels ?? {};
  const order = labels[LABEL_ORDER] ?? "";
  return {
    imvu: labels[LABEL_IMVU] ?? "",
    name: labels[LABEL_SERVICE] ?? "",
    container: one.Names[0] ?? one.Id,
    state: one.State,
    exitCode: one.ExitCode,
    pid: one.Pid,
    image: one.Image,
    startedAt: one.StartedAt > 0 ? new Date(one.StartedAt * 1_000).toISOString() : null,
    content: contentOfOrder(parseOrder(order)),
    jurisdiction: labels[LABEL_JURISDICTION] ?? "",
    spec: labels[LABEL_SPEC] ?? "",
    order,
  };
}

/** A label that we wrote; undefined when it is not one of ours. */
export function parseOrder(text: string): Order | undefined {
  try {
    const order = JSON.parse(text) as Order;
    return typeof order.resolverAddress === "string" && typeof order.service?.name === "string" ? order : undefined;
  } catch {
    return undefined;
  }
}

function contentOfOrder(order: Order | undefined): string {
  const source = order?.service.source;
  switch (source?.kind) {
    case "runtime":
      return source.content;
    case "oci":
      return source.archive;
    case "image":
      return source.ref;
    default:
      return "";
  }
}
