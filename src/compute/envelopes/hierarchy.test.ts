import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../kernel/index.ts";
import { groupOf, hierarchyOf } from "./hierarchy.ts";
import { parseMountInfo } from "./mounts.ts";

const V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
const HYBRID = ["cpu,cpuacct", "memory", "pids", "blkio", "freezer"].map((name) => `cgroup /sys/fs/cgroup/${name} cgroup rw,relatime,${name} 0 0`).concat("cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0", "tmpfs /tmp tmpfs rw 0 0").join("\n");

test("a unified tree", () => {
  const { mode, trees, controllers } = hierarchyOf(`proc /proc proc rw 0 0\n${V2}`);
  assert.deepEqual([mode, trees, controllers.memory, controllers.blkio], ["v2", ["/sys/fs/cgroup"], "/sys/fs/cgroup", "/sys/fs/cgroup"]);
});

test("a tree per controller, with the empty unified one beside them", () => {
  const { mode, trees, controllers } = hierarchyOf(HYBRID);
  assert.equal(mode, "v1");
  assert.deepEqual(controllers, { cpu: "/sys/fs/cgroup/cpu,cpuacct", cpuacct: "/sys/fs/cgroup/cpu,cpuacct", memory: "/sys/fs/cgroup/memory", pids: "/sys/fs/cgroup/pids", blkio: "/sys/fs/cgroup/blkio" });
  assert.deepEqual(trees, ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/blkio", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/unified"]);
});

test("no tree, or one without a controller that limits need, is a fault that names it", () => {
  assert.throws(() => hierarchyOf("proc /proc proc rw 0 0\n"), (error) => error instanceof Fault && error.code === "NO_CGROUPS");
  assert.throws(() => hierarchyOf(HYBRID.replace(/^.*pids.*\n/m, "")), (error) => error instanceof Fault && error.code === "NO_CONTROLLER" && /pids/.test(error.message));
});

test("groups begin with the home's mark", () => assert.equal(groupOf({ homeId: "abcdef" }, 7), "/nxabcdef/imvu-7"));

test("mountinfo: optional fields, octal escapes, subvolumes, and lines that are none", () => {
  const text = ["36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue", "90 36 0:44 /data/web /data rw - btrfs /dev/loop3 rw", "91 36 0:45 / /a\\011b\\134c rw - tmpfs tmp\\040fs rw", ""].join("\n");
  assert.deepEqual(parseMountInfo(text), [
    { device: "98:0", root: "/mnt1", target: "/mnt 2", type: "ext3", source: "/dev/root" },
    { device: "0:44", root: "/data/web", target: "/data", type: "btrfs", source: "/dev/loop3" },
    { device: "0:45", root: "/", target: "/a\tb\\c", type: "tmpfs", source: "tmp fs" },
  ]);
  assert.deepEqual(parseMountInfo("broken\n"), [{ device: "", root: "", target: "", type: "", source: "" }]);
});
