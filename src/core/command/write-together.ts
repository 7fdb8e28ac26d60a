import { Fault } from "../../kernel/index.ts";
import { STORE_LOST } from "../store/index.ts";

export type Written<P> = P | { readonly fault: unknown };

/**
 * Writes all with one append. When the log or the database refuses one of them, none stands; then each is tried alone, so that it fails for
 * itself only. What says nothing about the entries – the log cannot be written, or nobody knows whether it was – is every one's fault.
 */
export async function writeTogether<T, P>(all: readonly T[], write: (some: readonly T[]) => Promise<readonly P[]>): Promise<readonly Written<P>[]> {
  if (all.length === 0) return [];
  try {
    return await write(all);
  } catch (fault) {
    if (all.length === 1 || isOfTheLog(fault)) return all.map(() => ({ fault }));
    const written: Written<P>[] = [];
    for (const one of all) written.push(...(await writeTogether([one], write)));
    return written;
  }
}

function isOfTheLog(fault: unknown): boolean {
  return fault instanceof Fault && (fault.code === STORE_LOST || (fault.code.startsWith("LEDGER_") && !fault.code.startsWith("LEDGER_BAD_") && fault.code !== "LEDGER_BODY_TOO_LARGE"));
}
