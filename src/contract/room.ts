import type { Json } from "../kernel/index.ts";
import type { EngineSpec } from "./engine.ts";
import type { Fabric } from "./fabric.ts";

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to type when it is not ok; empty otherwise. */
  readonly hint: string;
}

/** A fabric with its engines and its beginning and end: what platform/ composes. */
export interface FabricRoom<Desired, State extends Json> {
  readonly fabric: Fabric<Desired, State>;
  readonly engines: readonly EngineSpec[];
  /** Before the engines start: folders, namespaces, in-process servers. Idempotent; copes with what a kill -9 left. */
  open(): Promise<void>;
  /** After the engines stopped: leaves nothing outside the home. Idempotent, also when open never ran in this process. */
  close(): Promise<void>;
  doctor(): Promise<readonly Finding[]>;
}
