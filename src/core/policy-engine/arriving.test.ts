import assert from "node:assert/strict";
import test from "node:test";
import { type Imvu, MIB } from "../../contract/index.ts";
import { flawsOf } from "./arriving.ts";
import { ENVELOPE, ZONE } from "./gate.fixture.ts";

type Unit = Parameters<typeof flawsOf>[0];

const service = (name: string, ref?: string) => ({ name, source: ref === undefined ? { kind: "runtime", runtime: "static", content: "ab".repeat(32) } : { kind: "image", ref }, port: 8_080, env: {} });
const record = (name: string, type: string) => ({ name, type, ttl: 300, values: ["x"] });
const mailbox = (address: string, quotaBytes = 64 * MIB) => ({ address, passwordHash: "ab".repeat(32), quotaBytes });
const route = (change: object = {}) => ({ class: "public", host: `www.${ZONE}`, path: "/", service: "web", port: 8_080, role: null, ratePerMinute: null, ...change });
const unit = (change: object = {}): Unit =>
  ({ zone: ZONE, envelope: ENVELOPE, services: [service("web")], records: [record(`www.${ZONE}`, "A"), record(ZONE, "MX"), record(`lab.${ZONE}`, "NS")], mailboxes: [mailbox(`hello@${ZONE}`)], routes: [route()], ...change }) as unknown as Pick<Imvu, keyof Unit>;
const told = (change: object) => flawsOf(unit(change)).map(({ gate, code }) => `${gate} ${code}`);

test("a unit as the platform's own exports hold it has nothing against it", () => assert.deepEqual(told({}), []));

for (const [what, change, expected] of [
  ["an image of this machine's own store", { services: [service("web"), service("x", "localhost/nx-2-web:latest")] }, "2 LOCAL_IMAGE"],
  ["an image at an inside address", { services: [service("web"), service("x", "127.0.0.1/x")] }, "2 LOCAL_IMAGE"],
  ["NS at the apex", { records: [record(ZONE, "NS")] }, "4 APEX_PROTECTED"],
  ["CNAME at the apex", { records: [record(ZONE, "CNAME")] }, "4 APEX_PROTECTED"],
  ["a name outside the zone", { records: [record("www.imvu002.world", "A")] }, "4 FOREIGN_NAME"],
  ["a mailbox at a name under the zone", { mailboxes: [mailbox(`a@sub.${ZONE}`)] }, "5 FOREIGN_DOMAIN"],
  ["two mailboxes of one address", { mailboxes: [mailbox(`a@${ZONE}`), mailbox(`a@${ZONE}`)] }, "5 ADDRESS_BOUND"],
  ["a mailbox larger than the storage", { mailboxes: [mailbox(`a@${ZONE}`, ENVELOPE.storageBytes + 1)] }, "7 QUOTA_EXCEEDED"],
  ["mailboxes that are too large together", { mailboxes: [mailbox(`a@${ZONE}`, ENVELOPE.storageBytes), mailbox(`b@${ZONE}`, MIB)] }, "7 QUOTA_EXCEEDED"],
  ["one mailbox too many", { mailboxes: Array.from({ length: 513 }, (_, at) => mailbox(`m${at}@${ZONE}`, MIB)) }, "7 QUOTA_EXCEEDED"],
  ["more services than processes allow", { envelope: { ...ENVELOPE, processes: 8 }, services: [service("web"), ...["a", "b", "c", "d"].map((name) => service(name))] }, "7 QUOTA_EXCEEDED"],
  ["one record set too many", { records: Array.from({ length: 2_001 }, (_, at) => record(`r${at}.${ZONE}`, "A")) }, "7 QUOTA_EXCEEDED"],
  ["one route too many", { routes: Array.from({ length: 257 }, (_, at) => route({ path: `/${at}` })) }, "7 QUOTA_EXCEEDED"],
  ["a restricted route without a role", { routes: [route({ class: "restricted" })] }, "8 ROLE_MISSING"],
  ["a public route with a role", { routes: [route({ role: "owner" })] }, "8 ROLE_UNUSED"],
  ["a wildcard host", { routes: [route({ host: `*.${ZONE}` })] }, "8 NOT_A_HOST"],
  ["a host outside the zone", { routes: [route({ host: "www.imvu002.world" })] }, "8 FOREIGN_HOST"],
  ["a route to a service that is not there", { routes: [route({ service: "none" })] }, "8 SERVICE_UNKNOWN"],
] as const)
  test(`${what}: gate ${expected}`, () => assert.deepEqual(told(change), [expected]));

test("however much is wrong, little is told, and of each gate something", () => {
  const flaws = told({
    services: Array.from({ length: 40 }, (_, at) => service(`s${at}`, "nginx")),
    records: Array.from({ length: 40 }, (_, at) => record(`x${at}.evil.com`, "A")),
    routes: [route({ class: "restricted", service: "s1" })],
  });
  assert.ok(flaws.length <= 16, String(flaws.length));
  for (const gate of ["2 LOCAL_IMAGE", "4 FOREIGN_NAME", "7 QUOTA_EXCEEDED", "8 ROLE_MISSING"]) assert.ok(flaws.includes(gate), gate);
});
