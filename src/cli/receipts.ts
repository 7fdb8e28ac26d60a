import { join } from "node:path";
import { ensureFolder, writeFileAtomic } from "../kernel/index.ts";
import type { Done } from "./client.ts";

/** Both receipts of a command, intent and outcome: the platform can never deny them. */
export async function keepReceipt(home: string, done: Done): Promise<string> {
  const folder = join(home, "receipts");
  await ensureFolder(folder, 0o700);
  const path = join(folder, `${String(done.outcome.receipt.index).padStart(9, "0")}.json`);
  await writeFileAtomic(path, `${JSON.stringify({ intent: done.receipt, outcome: done.outcome.receipt }, null, 2)}\n`, 0o600);
  return path;
}
