import { readFile } from "node:fs/promises";
import { Fault } from "../kernel/index.ts";

/** The operating system users that Debian's packages made for the engines. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

export async function osUser(name: string): Promise<OsUser> {
  for (const line of (await readFile("/etc/passwd", "utf8")).split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Fault("NO_OS_USER", `there is no operating system user ${name}`, { hint: "install the Debian packages postfix and dovecot-core" });
}

export async function osGroup(name: string): Promise<number> {
  for (const line of (await readFile("/etc/group", "utf8")).split("\n")) {
    const [group, , gid] = line.split(":");
    if (group === name) return Number(gid);
  }
  throw new Fault("NO_OS_GROUP", `there is no operating system group ${name}`, { hint: "install the Debian package postfix" });
}
