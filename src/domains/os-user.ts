import { type FileOwner, Fault, runOk } from "../kernel/index.ts";

/** uid and gid of a user its Debian package made. */
export async function osUser(name: "knot" | "unbound"): Promise<FileOwner> {
  const line = await runOk(["getent", "passwd", name]).catch((cause: unknown) => {
    throw new Fault("NO_OS_USER", `this machine has no user ${name}`, { cause, hint: `apt-get install ${name}` });
  });
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}
