import { readdir, readFile, readlink } from "node:fs/promises";
import { run } from "../../../kernel/index.ts";

/** Who listens on a TCP port in a process's network namespace, by the kernel's own table: no traffic is needed to ask. */
export interface Listener {
  /** True when only the namespace itself can reach it. */
  readonly loopbackOnly: boolean;
  readonly inode: string;
}

const LISTEN = "0A";
const CONNECT_TIMEOUT_MS = 3_000;
/** The fixed script opens a connection and nothing else; address and port are arguments. */
const CONNECT = 'exec 3<>"/dev/tcp/$1/$2"';

/** proc(5), /proc/net/tcp and tcp6: local address and port in hexadecimal, state, …, inode. */
export function parseListeners(table: string, port: number): readonly Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address, hexPort] = (local ?? "").split(":");
    if (state !== LISTEN || inode === undefined || Number.parseInt(hexPort ?? "", 16) !== port) return [];
    return [{ loopbackOnly: isLoopback(address ?? ""), inode }];
  });
}

/** The kernel prints each 32-bit word in the machine's byte order. */
function isLoopback(hex: string): boolean {
  return /^.{6}7F$/.test(hex) || hex === "00000000000000000000000001000000" || /^0000000000000000FFFF0000.{6}7F$/.test(hex);
}

export async function listenersIn(pid: number, port: number): Promise<readonly Listener[]> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")));
  return tables.flatMap((table) => parseListeners(table, port));
}

/** True when one of these processes holds one of the sockets. All services of an IMVU share a namespace: another may have the port. */
export async function holdsSocket(pids: readonly number[], inodes: ReadonlySet<string>): Promise<boolean> {
  for (const pid of pids)
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [] as string[])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  return false;
}

/** One real connection inside the namespace. */
export async function connects(namespacePath: string, port: number): Promise<boolean> {
  const argv = ["/usr/bin/nsenter", `--net=${namespacePath}`, "--", "/bin/bash", "-c", CONNECT, "connect"] as const;
  for (const address of ["127.0.0.1", "::1"]) {
    const ran = await run([...argv, address, String(port)], { timeout_ms: CONNECT_TIMEOUT_MS }).catch(() => undefined);
    if (ran?.code === 0) return true;
  }
  return false;
}
