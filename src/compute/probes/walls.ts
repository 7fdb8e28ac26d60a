import { readFile, readlink, stat } from "node:fs/promises";
import { type Evidence, imvuUidBase, namespaceNameOf, namespacePathOf } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { mountsOf } from "../envelopes/mounts.ts";
import type { Parts } from "../parts.ts";
import { broken, holds, unproven } from "./asked.ts";

const UID_RANGE = 65_536;
/** Namespaces that no service may share with the machine. */
const NAMESPACES = ["user", "pid", "mnt", "ipc", "uts", "net", "cgroup"] as const;

type Seen = Pick<Parts, "site" | "containers" | "volumes" | "groups">;

/** Gate 2: what the kernel says of each service's first process – whose ids, which namespaces, what privileges, which mounts. */
export async function probeWalls(parts: Seen, imvu: ImvuId, number: number): Promise<Evidence> {
  const services = (await parts.containers.list(imvu)).filter((service) => service.state === "running");
  if (services.length === 0) return unproven("none of its services runs");
  const others = await otherDevices(parts, number);
  const members = await parts.groups.members(number);
  for (const { name, pid } of services) {
    const wrong = await wrongWith(parts, number, pid, others);
    if (!members.has(pid)) wrong.push("it runs outside of the envelope's control group");
    if (wrong.length > 0) return broken(`${name} (process ${pid}): ${wrong.join("; ")}`);
  }
  return holds(`${services.length} service(s) in user ids of their own, namespaces of their own, without capabilities, and with no other IMVU's volume mounted`);
}

async function wrongWith({ site, volumes }: Seen, number: number, pid: number, others: ReadonlySet<string>): Promise<string[]> {
  const wrong: string[] = [];
  const base = imvuUidBase(site, number);
  const [uidMap, status, mounts] = await Promise.all([readFile(`/proc/${pid}/uid_map`, "utf8"), readFile(`/proc/${pid}/status`, "utf8"), mountsOf(pid)]);
  if (uidMap.trim().split(/\s+/).join(" ") !== `0 ${base} ${UID_RANGE}`) wrong.push(`its user ids are ${uidMap.trim()}`);
  for (const set of ["CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    const bits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "unknown";
    if (!/^0+$/.test(bits)) wrong.push(`${set} is ${bits}`);
  }
  if (!/^NoNewPrivs:\s*1$/m.test(status)) wrong.push("it may gain privileges");
  if (!/^Seccomp:\s*2$/m.test(status)) wrong.push("no system call filter is on");
  for (const kind of NAMESPACES) {
    const [own, machine] = await Promise.all([readlink(`/proc/${pid}/ns/${kind}`), readlink(`/proc/self/ns/${kind}`)]);
    if (own === machine) wrong.push(`it shares the machine's ${kind} namespace`);
  }
  const [net, given] = await Promise.all([stat(`/proc/${pid}/ns/net`), stat(namespacePathOf(namespaceNameOf(site, number))).catch(() => undefined)]);
  if (net.ino !== given?.ino) wrong.push("it is not in its IMVU's network namespace");
  const data = mounts.find((mount) => mount.target === "/data");
  const loop = await volumes.loop(number);
  if (data?.source !== loop?.path) wrong.push(`its /data is ${data?.source ?? "not mounted"}, not ${loop?.path ?? "a volume"}`);
  const foreign = mounts.filter((mount) => others.has(mount.source));
  if (foreign.length > 0) wrong.push(`it mounts other IMVUs' volumes: ${foreign.map((mount) => mount.target).join(", ")}`);
  return wrong;
}

async function otherDevices({ volumes }: Seen, number: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const other of await volumes.numbers()) {
    const loop = other === number ? undefined : await volumes.loop(other);
    if (loop) found.add(loop.path);
  }
  return found;
}
