import type { Witnessed } from "./witnesses.ts";

/** What is to be said of a log that was read where it is served. */
export interface LiveReport {
  readonly url: string;
  readonly origin: string | null;
  /** The signed note that everything was held against. */
  readonly checkpoint: string;
  /** Where the key came from: the reader, a kept file, or the very log that is checked. */
  readonly keyFrom: "given" | "kept" | "served";
  /** Whether the platform shows everybody what it says of itself. */
  readonly bodiesShown: boolean;
  readonly witnessed: Witnessed | null;
  readonly kept: readonly { readonly file: string; readonly size: number; readonly consistent: boolean }[];
  /** Files in which both sides of a broken promise were written down. */
  readonly evidence: readonly string[];
  /** The file in which this checkpoint is kept for next time. */
  readonly keptNow: string | null;
  readonly requests: number;
  readonly bytes: number;
  readonly ms: number;
}
