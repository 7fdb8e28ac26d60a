import { mkdir, readdir, readFile, rm, rmdir, truncate, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { runOk } from "../../src/kernel/index.ts";

export interface RawCreateOrder {
  /** The platform's folder of a running home: its engines are the ones that are called. */
  readonly home: string;
  readonly homeId: string;
  readonly round: number;
}

const MEBIBYTE = 1024 ** 2;
const CONTROLLERS = ["cpu", "memory", "pids", "blkio", "devices", "freezer", "cpuset", "systemd"];

/**
 * What a unit consists of, made by hand: stock tools and the engines' own sockets, one call after the other, as a careful
 * administrator's script would. No judging, no ledger, no reading back, no undo. Returns milliseconds; takes everything away again.
 */
export async function rawCreate({ home, homeId, round }: RawCreateOrder): Promise<number> {
  const number = 900 + round;
  const name = `nxb${homeId}-${number}`;
  const zone = `raw${number}.world.`;
  const work = join(home, `raw-${number}`);
  const raw: Raw = { number, name, zone, work, group: `/nxb${homeId}/${number}`, podman: join(home, "compute/run/podman.sock"), knot: join(home, "domains/knot/run/k.sock"), loop: "" };
  await mkdir(work);
  const began = performance.now();
  try {
    await keys(raw);
    await network(raw);
    await volume(raw);
    await envelope(raw);
    await container(raw);
    await dns(raw);
    await mailbox(raw);
    return performance.now() - began;
  } finally {
    await clear(raw);
  }
}

interface Raw {
  readonly number: number;
  readonly name: string;
  readonly zone: string;
  readonly work: string;
  readonly group: string;
  readonly podman: string;
  readonly knot: string;
  loop: string;
}

async function keys({ work }: Raw): Promise<void> {
  await runOk(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", join(work, "rsa.pem")]);
  await runOk(["openssl", "genpkey", "-algorithm", "ED25519", "-out", join(work, "ed25519.pem")]);
  await runOk(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=raw", "-keyout", join(work, "tls.key"), "-out", join(work, "tls.pem")]);
}

async function network({ name, number, work }: Raw): Promise<void> {
  const [outside, inside] = [`rb${number}`, "eth0"];
  await runOk(["ip", "netns", "add", name]);
  await runOk(["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name]);
  await runOk(["ip", "netns", "add", `${name}r`]);
  await runOk(["ip", "link", "set", outside, "netns", `${name}r`]);
  await runOk(["ip", "-n", `${name}r`, "addr", "add", "10.99.0.1/30", "dev", outside]);
  await runOk(["ip", "-n", `${name}r`, "link", "set", outside, "up"]);
  await runOk(["ip", "-n", name, "addr", "add", "10.99.0.2/30", "dev", inside]);
  await runOk(["ip", "-n", name, "link", "set", inside, "up"]);
  await runOk(["ip", "-n", name, "link", "set", "lo", "up"]);
  await runOk(["ip", "-n", name, "route", "add", "default", "via", "10.99.0.1"]);
  const rules = join(work, "rules.nft");
  await writeFile(rules, "table inet raw { counter in {} \n counter out {} \n chain forward { type filter hook forward priority 0; policy drop; } \n chain input { type filter hook input priority 0; policy drop; counter name in accept; } \n chain output { type filter hook output priority 0; counter name out accept; } \n }\n");
  await runOk(["ip", "netns", "exec", name, "nft", "-f", rules]);
  for (const [namespace, device] of [[name, inside], [`${name}r`, outside]] as const) {
    await runOk(["tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "handle", "1:", "htb", "default", "1"]);
    await runOk(["tc", "-n", namespace, "class", "add", "dev", device, "parent", "1:", "classid", "1:1", "htb", "rate", "100mbit"]);
  }
}

async function volume(raw: Raw): Promise<void> {
  const image = join(raw.work, "volume.img");
  await writeFile(image, "");
  await truncate(image, 256 * MEBIBYTE);
  await runOk(["mkfs.btrfs", "--quiet", "--nodiscard", "--mixed", "--metadata", "single", "--data", "single", image]);
  raw.loop = (await runOk(["losetup", "--find", "--show", image])).trim();
  await mkdir(join(raw.work, "volume"));
  await runOk(["mount", raw.loop, join(raw.work, "volume")]);
  await runOk(["btrfs", "subvolume", "create", join(raw.work, "volume/data")]);
}

async function envelope({ group }: Raw): Promise<void> {
  const set = async (controller: string, file: string, value: string) => {
    await mkdir(join("/sys/fs/cgroup", controller, group), { recursive: true });
    await writeFile(join("/sys/fs/cgroup", controller, group, file), value);
  };
  if (await readFile("/sys/fs/cgroup/cgroup.controllers").catch(() => undefined)) {
    await mkdir(join("/sys/fs/cgroup", group), { recursive: true });
    for (const above of ["", group.slice(0, group.lastIndexOf("/"))]) await writeFile(join("/sys/fs/cgroup", above, "cgroup.subtree_control"), "+cpu +memory +pids +io");
    await set("", "cpu.max", "50000 100000");
    await set("", "memory.max", String(256 * MEBIBYTE));
    await set("", "pids.max", "256");
    return;
  }
  await set("cpu", "cpu.cfs_quota_us", "50000");
  await set("memory", "memory.limit_in_bytes", String(256 * MEBIBYTE));
  await set("pids", "pids.max", "256");
}

async function container({ podman, name, number, group, work }: Raw): Promise<void> {
  const images = (await rest(podman, "GET", "/images/json")) as readonly { RepoTags?: readonly string[] }[];
  const image = images.flatMap((one) => one.RepoTags ?? []).find((tag) => tag.includes("/nexus/static"));
  if (image === undefined) throw new Error("no warm image: create a unit first");
  await mkdir(join(work, "site"), { mode: 0o755 });
  await writeFile(join(work, "site/index.html"), "raw\n");
  const ids = [{ container_id: 0, host_id: 3_000_000_000, size: 65_536 }];
  await rest(podman, "POST", "/containers/create", {
    name: `raw-${number}`, image, entrypoint: [], command: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"], cgroup_parent: group, cgroups_mode: "no-conmon",
    userns: { nsmode: "private" }, idmappings: { HostUIDMapping: false, HostGIDMapping: false, UIDMap: ids, GIDMap: ids }, netns: { nsmode: "path", value: `/run/netns/${name}` },
    cap_drop: ["all"], no_new_privileges: true, read_only_filesystem: true,
    r_limits: [{ type: "nofile", soft: 1024, hard: 4096 }, { type: "nproc", soft: 256, hard: 256 }],
    mounts: [{ type: "bind", source: join(work, "site"), destination: "/srv", options: ["bind", "ro"] }],
  });
  await rest(podman, "POST", `/containers/raw-${number}/start`);
  const { State } = (await rest(podman, "GET", `/containers/raw-${number}/json`)) as { State: { Pid: number } };
  while (!/:1F90 .* 0A /.test(`${await readFile(`/proc/${State.Pid}/net/tcp`, "utf8")}${await readFile(`/proc/${State.Pid}/net/tcp6`, "utf8")}`)) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function dns({ knot, zone }: Raw): Promise<void> {
  const control = (...argv: string[]) => runOk(["knotc", "-s", knot, ...argv]);
  await control("conf-begin");
  await control("conf-set", "zone.domain", zone);
  await control("conf-commit");
  await control("zone-begin", zone);
  await control("zone-set", zone, "@", "300", "SOA", `ns.world. hostmaster.world. 1 3600 600 1209600 30`);
  await control("zone-set", zone, "@", "300", "NS", "ns.world.");
  for (const host of ["@", "www", "stage", "mail"]) await control("zone-set", zone, host, "300", "A", "127.0.0.1");
  await control("zone-set", zone, "@", "300", "MX", `10 mail.${zone}`);
  await control("zone-commit", zone);
  while (!(await control("zone-read", zone)).includes(" RRSIG ")) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function mailbox({ work }: Raw): Promise<void> {
  for (const folder of ["cur", "new", "tmp"]) await mkdir(join(work, "Maildir", folder), { recursive: true, mode: 0o700 });
}

async function clear({ podman, knot, zone, number, name, group, work, loop }: Raw): Promise<void> {
  const quietly = (promise: Promise<unknown>) => promise.catch(() => undefined);
  await quietly(rest(podman, "DELETE", `/containers/raw-${number}?force=true&timeout=0`));
  await quietly(runOk(["knotc", "-s", knot, "-f", "zone-purge", zone]));
  await quietly(runOk(["knotc", "-s", knot, "conf-begin"]));
  await quietly(runOk(["knotc", "-s", knot, "conf-unset", "zone.domain", zone]));
  await quietly(runOk(["knotc", "-s", knot, "conf-commit"]));
  for (const one of [name, `${name}r`]) await quietly(runOk(["ip", "netns", "delete", one]));
  await quietly(runOk(["umount", join(work, "volume")]));
  if (loop !== "") await quietly(runOk(["losetup", "--detach", loop]));
  for (const tree of ["", ...CONTROLLERS, ...(await readdir("/sys/fs/cgroup"))])
    for (const path of [group, group.slice(0, group.lastIndexOf("/"))]) await quietly(rmdir(join("/sys/fs/cgroup", tree, path)));
  await rm(work, { recursive: true, force: true });
}

function rest(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const call = request({ socketPath, method, path: `/v4.0.0/libpod${path}`, agent: false, headers: sent ? { "content-type": "application/json", "content-length": sent.length } : {} }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString("utf8");
      if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      else resolve(text === "" ? undefined : JSON.parse(text));
    });
    call.on("error", reject);
    call.end(sent);
  });
}
