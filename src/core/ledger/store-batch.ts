import type { Bound } from "../store/index.ts";
import { putRows, type Settled, streamsOf } from "./batch.ts";
import { EntryWriter } from "./entry-writer.ts";
import type { Appended } from "./entry.ts";
import type { HeldLog } from "./held-log.ts";
import { insertEntries } from "./log-rows.ts";
import { insertRuns } from "./log-tree.ts";
import type { Request } from "./request-queue.ts";
import { leafHash } from "./tree.ts";

/**
 * In one round trip, and with it the checkpoint of what was committed before. False: PostgreSQL has something against it, nothing of it is
 * stored, and whose it is will be found in turn.
 */
export async function storeAtOnce(log: HeldLog, batch: readonly Request[], settled: Settled, rows: Appended[]): Promise<boolean> {
  const places = await log.places(streamsOf(batch));
  const beside: Bound[] = [];
  for (const request of batch) {
    try {
      const appended = places.give(request.entries);
      beside.push(...(request.beside?.(appended) ?? []));
      places.take(appended);
      rows.push(...appended);
      settled.set(request, { appended });
    } catch (error) {
      settled.set(request, { error });
    }
  }
  if (rows.length === 0) return true;
  const news = await log.nextCheckpoint();
  const runs = log.state.tree.append(rows.map((row) => leafHash(row.leaf)));
  try {
    await log.session.atOnce([...(news ? [news.row] : []), insertEntries(rows), insertRuns(runs), ...beside]);
    if (news) log.show(news.next);
    return true;
  } catch (error) {
    if (log.isLost(error)) throw error;
    settled.clear();
    rows.length = 0;
    await log.reload();
    return false;
  }
}

/** Each request apart, where one fails for itself only. */
export async function storeInTurn(log: HeldLog, batch: readonly Request[], settled: Settled, rows: Appended[]): Promise<void> {
  await log.session.transaction(async (tx) => {
    const places = await log.places(streamsOf(batch), (read) => read(tx));
    const writer = new EntryWriter(tx);
    for (const request of batch) {
      const withRows = request.also || request.beside;
      if (withRows) await writer.pause();
      let appended: readonly Appended[];
      try {
        appended = places.give(request.entries);
        // A request that is alone takes the transaction with it when it fails: nobody else is in it.
        if (withRows) await (batch.length === 1 ? putRows(tx, request, appended) : tx.savepoint(() => putRows(tx, request, appended)));
      } catch (error) {
        // What failed is not this request but the transaction that all of them share.
        if (log.isLost(error)) throw error;
        settled.set(request, { error });
        if (batch.length === 1) throw error;
        continue;
      }
      places.take(appended);
      rows.push(...appended);
      settled.set(request, { appended });
      await writer.add(appended);
    }
    if (rows.length === 0) return;
    const written = writer.finish();
    // While PostgreSQL takes the last rows.
    const { statement, params } = insertRuns(log.state.tree.append(rows.map((row) => leafHash(row.leaf))));
    await written;
    await tx.named(statement, params);
  });
}
