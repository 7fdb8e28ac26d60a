import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

const FALLBACK = "/var/lib/nexus";

/** `--home`, else NEXUS_HOME, else ~/.nexus when engines' users can reach it, else /var/lib/nexus (docs/adr/0002). */
export async function homeFolder(flag: string | undefined): Promise<string> {
  const named = flag ?? process.env.NEXUS_HOME;
  if (named) return resolve(named);
  const own = join(homedir(), ".nexus");
  return process.getuid?.() !== 0 || (await isReachable(own)) ? own : FALLBACK;
}

async function isReachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const mode = await stat(folder).then(
      (info) => info.mode,
      () => 0o001,
    );
    if ((mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
