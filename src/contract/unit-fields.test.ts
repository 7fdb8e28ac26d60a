import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digest, GOOD, issuesOf, LONG, refused } from "./command.fixture.ts";
import type { Op } from "./command-params.ts";
import { ENV_ENTRIES_MAX, ENV_VALUE_CHARS_MAX, GIB, MIB, RECORD_VALUE_CHARS_MAX, RECORD_VALUES_MAX, ROUTE_PATH_CHARS_MAX, TTL_SECONDS_MAX, TTL_SECONDS_MIN, zEnvelope } from "./unit-fields.ts";

describe("numbers", () => {
  const bounds: readonly (readonly [Op, string, number, number])[] = [
    ["service.deploy", "port", 1, 65_535],
    ["route.set", "port", 1, 65_535],
    ["route.set", "ratePerMinute", 1, 10_000_000],
    ["dns.set", "ttl", TTL_SECONDS_MIN, TTL_SECONDS_MAX],
    ["mail.mailbox.create", "quotaBytes", MIB, 1_024 * GIB],
  ];
  for (const [op, field, low, high] of bounds)
    test(`${op}: ${field} goes from ${low} to ${high}, in whole numbers`, () => {
      for (const value of [low, high]) assert.deepEqual(issuesOf(op, { ...GOOD[op], [field]: value }), []);
      for (const value of [low - 1, high + 1, low + 0.5, -low, Number.NaN, Number.POSITIVE_INFINITY, String(low), 2 ** 53]) refused(op, field, value);
    });

  test("an envelope has a least and a most in each of its numbers, and its field is named", () => {
    const least = { cpuMillis: 50, memoryBytes: 16 * MIB, storageBytes: 128 * MIB, iops: 10, bandwidthBps: 1_000_000, processes: 8, burst: null };
    const most = { cpuMillis: 256_000, memoryBytes: 1_024 * GIB, storageBytes: 64 * 1_024 * GIB, iops: 1_000_000, bandwidthBps: 100_000_000_000, processes: 32_768, burst: { factor: 16, seconds: 3_600 } };
    for (const good of [least, most]) assert.deepEqual(zEnvelope.parse(good), good);
    for (const field of ["cpuMillis", "memoryBytes", "storageBytes", "iops", "bandwidthBps", "processes"] as const)
      for (const value of [least[field] - 1, most[field] + 1, most[field] - 0.5, 0, -1, `${least[field]}`, null]) {
        const parsed = zEnvelope.safeParse({ ...least, [field]: value });
        assert.deepEqual(parsed.error?.issues.map((issue) => issue.path.join(".")), [field]);
      }
    for (const burst of [{ factor: 1, seconds: 60 }, { factor: 17, seconds: 60 }, { factor: 2, seconds: 0 }, { factor: 2, seconds: 3_601 }, { factor: 2 }, "2x5m"]) assert.ok(!zEnvelope.safeParse({ ...least, burst }).success);
  });
});

describe("what a service is deployed from", () => {
  const from = (source: unknown) => issuesOf("service.deploy", { ...GOOD["service.deploy"], source });

  test("is content, an archive or an image, and never two of them", () => {
    assert.deepEqual(from({ kind: "oci", archive: digest }), []);
    for (const ref of ["docker.io/library/nginx:1.27", `registry.example:5000/a/b@sha256:${digest}`, "nginx"]) assert.deepEqual(from({ kind: "image", ref }), [], ref);
    for (const source of [{ kind: "oci", archive: digest, ref: "nginx" }, { kind: "oci" }, { kind: "git", ref: "nginx" }, { ref: "nginx" }, { kind: "runtime", runtime: "bash", content: digest }]) assert.ok(from(source).length > 0);
  });

  test("an image reference that a program could take for a flag or a path of its own is refused", () => {
    for (const ref of ["", "-v/:/host", "--privileged", "/etc/passwd", "nginx;id", "nginx $(id)", "NGINX", "nginx\n", "ngіnx", "nginx:", `n${"a".repeat(255)}`, LONG]) {
      const issues = from({ kind: "image", ref });
      assert.deepEqual(new Set(issues.map(({ at }) => at)), new Set(["source.ref"]), ref.slice(0, 40));
    }
  });

  test("environment values may say anything on one line; names are plain", () => {
    const env = (value: unknown) => issuesOf("service.deploy", { ...GOOD["service.deploy"], env: value });
    assert.deepEqual(env({ A: "$(id) '\"`\\ \t💥", _B2: "" }), []);
    for (const name of ["", "a", "1A", "A-B", "A=B", "A\n", "A ", "PATH\0", "Ａ", "A".repeat(65)]) assert.ok(env({ [name]: "x" }).every(({ at }) => at.startsWith("env")) && env({ [name]: "x" }).length > 0, JSON.stringify(name));
    for (const value of ["a\nb", "a\r", "a\0b", "a".repeat(ENV_VALUE_CHARS_MAX + 1), 7, null]) assert.ok(env({ A: value }).length > 0);
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, "x"]));
    assert.deepEqual(env(many(ENV_ENTRIES_MAX)), []);
    assert.ok(env(many(ENV_ENTRIES_MAX + 1)).length > 0);
  });
});

describe("routes and records", () => {
  test("a path is absolute and has one spelling only", () => {
    const good = ["/", "/a", "/a/", "/a/b.html", "/~me/_x-y/1.2", "/.well-known/x", "/...", `/${"a".repeat(ROUTE_PATH_CHARS_MAX - 1)}`];
    for (const path of good) assert.deepEqual(issuesOf("route.remove", { ...GOOD["route.remove"], path }), [], path);
    for (const path of ["", "a", "//", "/a//b", "/.", "/..", "/a/../b", "/a/./b", "/a/..", "/%2e%2e/", "/a?b", "/a#b", "/a b", "/a\\b", "/ä", "/a;b", "/a\n", `/${"a".repeat(ROUTE_PATH_CHARS_MAX)}`]) refused("route.remove", "path", path);
  });

  test("the longest hostile path is refused at once and not tried in every way", () => {
    const began = performance.now();
    for (const path of [`/${"a/".repeat(127)}!`, `/${"a".repeat(254)}!`, `${"/a".repeat(100_000)}!`]) refused("route.remove", "path", path);
    assert.ok(performance.now() - began < 250);
  });

  test("a record set has at least one value, at most so many, and none too long", () => {
    const values = (value: unknown) => issuesOf("dns.set", { ...GOOD["dns.set"], values: value });
    assert.deepEqual(values(Array(RECORD_VALUES_MAX).fill("x".repeat(RECORD_VALUE_CHARS_MAX))), []);
    for (const value of [[], [""], Array(RECORD_VALUES_MAX + 1).fill("x"), ["x".repeat(RECORD_VALUE_CHARS_MAX + 1)], [7], "192.0.2.1"]) assert.ok(values(value).length > 0);
    for (const type of ["SOA", "DS", "ANY", "a", "DNSKEY", "PTR"]) refused("dns.set", "type", type);
  });
});
