import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Two changes nearer to one another than this may leave the same time on a folder, on whatever file system. */
const SETTLED_MS_MIN = 2_000;

export interface BoxStamp {
  readonly text: string;
  /** False just after a change: a further one could leave the same stamp. */
  readonly settled: boolean;
}

/**
 * What changes whenever a message comes into a box, leaves it or becomes another: the names of its folders, and inode and times of the two places where the
 * messages of each lie (Maildir++: `new` and `cur`; messages are never written to in place). A few system calls, at once.
 */
export function boxStamp(home: string, now_ms: number): BoxStamp {
  const root = join(home, "Maildir");
  const folders = ["", ...namesIn(root).filter((name) => name.startsWith(".")).sort()];
  let newest_ns = 0n;
  const texts = folders.map((folder) => {
    const places = ["new", "cur"].map((place) => {
      const seen = statSync(join(root, folder, place), { bigint: true, throwIfNoEntry: false });
      if (!seen) return "-";
      for (const time of [seen.mtimeNs, seen.ctimeNs]) if (time > newest_ns) newest_ns = time;
      return `${seen.dev}.${seen.ino}.${seen.mtimeNs}.${seen.ctimeNs}`;
    });
    return `${folder}/${places.join("/")}`;
  });
  return { text: texts.join("\n"), settled: Number(newest_ns / 1_000_000n) <= now_ms - SETTLED_MS_MIN };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Dovecot makes a box when it is first used.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
