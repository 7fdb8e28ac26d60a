import type { Readable } from "node:stream";
import type { ImvuId, Json } from "../kernel/index.ts";
import type { Reading } from "./meter.ts";

/** One effect on an engine. Both halves are idempotent; undo also works when do never ran, or ran in part. */
export interface Step {
  /** Stable for the same desired state, e.g. `domains/zone/imvu001.world`. */
  readonly key: string;
  /** For people, imperative: "sign the zone imvu001.world". */
  readonly sentence: string;
  do(): Promise<void>;
  undo(): Promise<void>;
}

export type GateNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17;

/** What a probe saw. `unproven` when it could not look far enough; `detail` says what was asked and what answered. */
export interface Evidence {
  readonly verdict: "holds" | "broken" | "unproven";
  readonly detail: string;
}

/** Where an export writes. Paths are relative to the bundle, `/`-separated, and checked by the sink. */
export interface ExportSink {
  file(path: string, source: string | Uint8Array | Readable): Promise<void>;
  /** States honestly that something is not in the bundle, and why. */
  omit(what: string, why: string): void;
}

/** A bundle whose manifest, paths, sizes and digests were verified before anyone gets this object. */
export interface BundleReader {
  /** Every file under `prefix`, sorted. */
  list(prefix: string): readonly string[];
  read(path: string): Promise<Uint8Array>;
  stream(path: string): Readable;
}

/**
 * The shape all four fabrics share. `Desired` is plain data made from the ledger's projection;
 * `State` is plain data read from the engine itself, never from our tables.
 */
export interface Fabric<Desired, State extends Json> {
  readonly name: "compute" | "domains" | "mail" | "network";
  /** Pure: no engine is touched until a step's do. `undefined` desired means: nothing of this IMVU shall remain. */
  plan(imvu: ImvuId, desired: Desired | undefined, observed: State): readonly Step[];
  observe(imvu: ImvuId): Promise<State>;
  meter(imvu: ImvuId): Promise<readonly Reading[]>;
  /** Asks reality about one gate; `imvu` undefined: about the platform as a whole. Only for gates in `probes`. */
  probe(gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence>;
  readonly probes: readonly GateNumber[];
  export(imvu: ImvuId, sink: ExportSink): Promise<void>;
  /** Restores what `export` wrote that steps alone cannot (keys, messages, volume content); steps from plan ran before. */
  import(imvu: ImvuId, desired: Desired, bundle: BundleReader): Promise<void>;
}
