import type { Tx } from "../store/index.ts";
import type { Appended } from "./entry.ts";
import type { Request } from "./request-queue.ts";

/** More than these are sent by COPY while they are still being made. */
const ONE_TRIP_ENTRIES_MAX = 256;

/** What became of each request of a batch. */
export type Settled = Map<Request, { readonly error: unknown } | { readonly appended: readonly Appended[] }>;

/** Nothing in it depends on what PostgreSQL answers. */
export function fitsOneTrip(batch: readonly Request[]): boolean {
  let entries = 0;
  for (const request of batch) entries += request.also ? Number.POSITIVE_INFINITY : request.entries.length;
  return entries <= ONE_TRIP_ENTRIES_MAX;
}

/** What goes into the transaction of these entries beside them. */
export async function putRows(tx: Tx, { also, beside }: Request, appended: readonly Appended[]): Promise<void> {
  for (const { statement, params } of beside?.(appended) ?? []) await tx.named(statement, params);
  await also?.(tx, appended);
}

export function streamsOf(batch: readonly Request[]): ReadonlySet<string> {
  return new Set(batch.flatMap((request) => request.entries.map((entry) => entry.stream)));
}
