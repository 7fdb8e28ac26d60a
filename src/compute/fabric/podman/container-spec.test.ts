import assert from "node:assert/strict";
import { test } from "node:test";
import { imvuIdOf, type Jurisdiction, type ServiceName, sha256Hex } from "../../../kernel/index.ts";
import { containerSpec, imageVolumeFolders, type Order, orderJson, type Placement, specDigest } from "./container-spec.ts";
import { parseOrder } from "./containers.ts";

const order: Order = {
  service: { name: "web" as ServiceName, source: { kind: "runtime", runtime: "node", content: sha256Hex("x") }, port: 8080, env: { GREETING: "grüße $(id) \"'", PORT: "1" } },
  resolverAddress: "10.64.0.5",
  jurisdiction: "EU-GDPR" as Jurisdiction,
};
const at: Placement = {
  imvu: imvuIdOf(1), number: 1, name: "imvu-1-web", image: "localhost/nexus/node:1", command: ["/usr/local/bin/node", "/srv/server.js"], uidBase: 100_065_536, cgroupParent: "/nxabcdef/imvu-1",
  namespacePath: "/run/netns/nxabcdef-1", logFile: "/home/logs/1-web.log", dataPath: "/home/volumes/1/data/web", contentPath: "/home/volumes/1/content/x", imageVolumes: { "/var/lib/db": "/home/volumes/1/data/web/.volumes/var%lib%db" },
  openFilesMax: 1_024, processesMax: 2_048,
};

test("the whole container, word for word: no privileges, its own ids, group, namespace and volume", () => {
  const bind = (source: string, destination: string, access: string) => ({ type: "bind", source, destination, options: ["bind", "private", access, "nosuid", "nodev"] });
  const tmpfs = (destination: string, ...more: string[]) => ({ type: "tmpfs", source: "tmpfs", destination, options: ["rw", "nosuid", "nodev", "size=67108864", "mode=1777", ...more] });
  const ids = [{ container_id: 0, host_id: 100_065_536, size: 65_536 }];
  assert.deepEqual(containerSpec(order, at), {
    name: "imvu-1-web",
    image: "localhost/nexus/node:1",
    hostname: "web",
    command: ["/usr/local/bin/node", "/srv/server.js"],
    entrypoint: [], init: true,
    work_dir: "/srv",
    env: { GREETING: "grüße $(id) \"'", PORT: "8080" },
    env_host: false,
    httpproxy: false,
    labels: { "nexus.imvu": "IMVU-001", "nexus.service": "web", "nexus.jurisdiction": "EU-GDPR", "nexus.order": orderJson(order), "nexus.spec": specDigest(order, at.image) },
    userns: { nsmode: "private" },
    idmappings: { HostUIDMapping: false, HostGIDMapping: false, UIDMap: ids, GIDMap: ids },
    netns: { nsmode: "path", value: "/run/netns/nxabcdef-1" },
    ipcns: { nsmode: "none" },
    cgroupns: { nsmode: "private" },
    cap_drop: ["all"],
    cap_add: [],
    no_new_privileges: true,
    privileged: false,
    read_only_filesystem: true,
    cgroup_parent: "/nxabcdef/imvu-1",
    cgroups_mode: "no-conmon",
    dns_server: ["10.64.0.5"],
    dns_search: ["."],
    log_configuration: { driver: "k8s-file", path: "/home/logs/1-web.log" },
    r_limits: [{ type: "nofile", soft: 1_024, hard: 1_024 }, { type: "nproc", soft: 2_048, hard: 2_048 }, { type: "core", soft: 0, hard: 0 }],
    image_volume_mode: "ignore",
    healthconfig: { Test: ["NONE"] },
    restart_policy: "no",
    stop_timeout: 5,
    mounts: [
      { type: "tmpfs", source: "tmpfs", destination: "/sys", options: ["ro", "nosuid", "nodev", "noexec", "size=4096", "mode=0555"] },
      tmpfs("/tmp"), tmpfs("/run"), tmpfs("/var/tmp"), tmpfs("/dev/shm", "noexec"),
      bind("/home/volumes/1/data/web", "/data", "rw"),
      bind("/home/volumes/1/content/x", "/srv", "ro"),
      bind("/home/volumes/1/data/web/.volumes/var%lib%db", "/var/lib/db", "rw"),
    ],
  });
});

test("an image's own command is left to it", () => {
  const spec = containerSpec(order, { ...at, command: null, contentPath: null }) as Record<string, unknown>;
  for (const key of ["command", "entrypoint", "work_dir"]) assert.ok(!(key in spec), key);
  assert.ok(!JSON.stringify(spec).includes('"/srv"'));
});

test("an order travels as a label and comes back; equal orders have equal digests, others have others", () => {
  assert.deepEqual(parseOrder(orderJson(order)), order);
  const turned = { jurisdiction: order.jurisdiction, resolverAddress: order.resolverAddress, service: { env: { PORT: "1", GREETING: order.service.env.GREETING ?? "" }, port: 8080, source: order.service.source, name: order.service.name } };
  assert.equal(specDigest(turned, "i"), specDigest(order, "i"));
  assert.notEqual(specDigest(order, "i"), specDigest(order, "j"));
  assert.notEqual(specDigest({ ...order, resolverAddress: "10.64.0.9" }, "i"), specDigest(order, "i"));
  assert.notEqual(specDigest({ ...order, service: { ...order.service, env: {} } }, "i"), specDigest(order, "i"));
  for (const text of ["", "{", "null", "{}", '{"service":{}}', "7"]) assert.equal(parseOrder(text), undefined, text);
});

test("an image's volume cannot cover what the walls consist of", () => {
  const taken = ["/", "/data", "/data/", "/data/x", "/proc", "/proc/sys", "/sys/fs", "/dev/shm", "/etc", "/etc/passwd", "/srv", "/tmp/x", "/run/secrets", "", "relative", "/a/../etc", "/a/./b", "//", "/a b", "/a,b", "/a:b", "/ä", "/a\n", `/${"a".repeat(201)}`, "/a".repeat(17)];
  assert.deepEqual(imageVolumeFolders(taken), []);
  const good = ["/var/lib/postgresql/data", "/database", "/etcetera", "/opt/a_b-c.d/"];
  assert.deepEqual(imageVolumeFolders(good), good);
});
