import { join } from "node:path";
import { ensureFolder, writeFileAtomic } from "../kernel/index.ts";

/** The one place a password is kept: its owner's home. */
export async function keepPassword(home: string, address: string, password: string): Promise<string> {
  const folder = join(home, "mailboxes");
  await ensureFolder(folder, 0o700);
  const path = join(folder, address);
  await writeFileAtomic(path, `${password}\n`, 0o600);
  return path;
}
