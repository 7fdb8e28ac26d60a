import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault, type FileOwner, runOk } from "../../kernel/index.ts";

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const MAJOR_MIN = 15;

/** The folder of the binaries that made the cluster in `data`, or of the newest ones when there is no cluster yet. */
export async function findBinaries(data: string): Promise<string> {
  const made = (await readFile(join(data, "PG_VERSION"), "utf8").catch(() => "")).trim();
  const majors = (await readdir(DEBIAN_FOLDER).catch(() => [] as string[]))
    .filter((name) => /^\d+$/.test(name) && Number(name) >= MAJOR_MIN)
    .sort((a, b) => Number(b) - Number(a));
  for (const major of majors) {
    if (made && major !== made) continue;
    const bin = join(DEBIAN_FOLDER, major, "bin");
    if (await stat(join(bin, "postgres")).catch(() => undefined)) return bin;
  }
  if (made)
    throw new Fault("POSTGRES_MISSING", `this platform's database was made by PostgreSQL ${made}, which is not installed`, {
      hint: `apt-get install postgresql-${made}`,
    });
  throw new Fault("POSTGRES_MISSING", `no PostgreSQL ${MAJOR_MIN} or newer in ${DEBIAN_FOLDER}`, { hint: "apt-get install postgresql" });
}

/** passwd(5) by way of getent: PostgreSQL refuses to run as root. */
export async function findUser(name: string): Promise<FileOwner> {
  const line = await runOk(["/usr/bin/getent", "passwd", name]).catch((cause: unknown) => {
    throw new Fault("POSTGRES_USER", `there is no OS user ${name}, which the database runs as`, { cause, hint: "apt-get install postgresql-common" });
  });
  const [, , uid, gid] = line.trim().split(":");
  return { uid: Number(uid), gid: Number(gid) };
}
