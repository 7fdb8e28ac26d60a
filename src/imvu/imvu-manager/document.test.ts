import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { extract } from "tar-stream";
import { type Command, COMMAND_PARAMS, type DkimKey, type Imvu, OPS_WITHOUT_IMVU } from "../../contract/index.ts";
import { type Fqdn, type IdentityName, imvuNumberOf, isWithinZone, type MailAddress, parseFqdn, parseMailAddress, type ServiceName, sha256Hex } from "../../kernel/index.ts";
import { blueprintTar, RUNTIMES } from "./blueprint.ts";
import { zoneOf } from "./defaults.ts";
import { desiredOf } from "./desired.ts";
import { allocation, command, createParams, digest, newImvu } from "./imvu.fixture.ts";
import { createdImvu, nextImvu, withDkim } from "./next.ts";

const imvu = newImvu();
const www = "www.imvu007.world" as Fqdn;
const web = "web" as ServiceName;
const hello = "hello@imvu007.world" as MailAddress;
const source = { kind: "oci", archive: digest("c") } as const;
const key = (selector: string): DkimKey => ({ selector, algorithm: "ed25519-sha256", txt: `v=DKIM1; k=ed25519; p=${selector}` });

/** A reducer that writes into what it was given would change history. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const member of Object.values(Object.freeze(value))) frozen(member);
  return value;
}

const next = (before: Imvu, after: Command) => nextImvu(frozen(structuredClone(before)), after);

describe("a new unit", () => {
  test("is its owner's, in a zone of its own, and runs from the beginning", () => {
    assert.equal(imvu.id, "IMVU-007");
    assert.equal(imvuNumberOf(imvu.id), imvu.number);
    assert.equal(imvu.zone, "imvu007.world");
    assert.equal(imvu.status, "active");
    assert.deepEqual(imvu.members, [{ identity: createParams.owner, role: "owner" }]);
    assert.deepEqual(imvu.services, [{ name: "web", source: { kind: "runtime", runtime: "node", content: allocation.content }, port: 8080, env: {} }]);
    assert.deepEqual(imvu.mailboxes.map(({ address, passwordHash }) => [address, passwordHash]), [[hello, createParams.mailboxPasswordHash]]);
  });

  test("has web, stage, mail and its own name in DNS, and says who may send its mail: nobody else", () => {
    const at = (name: string, type: string) => imvu.records.find((set) => set.name === name && set.type === type)?.values;
    for (const name of ["imvu007.world", "www.imvu007.world", "stage.imvu007.world", "art-gallery.imvu007.world", "mail.imvu007.world"]) assert.deepEqual(at(name, "A"), ["192.0.2.1"], name);
    assert.deepEqual(at("imvu007.world", "MX"), ["10 mail.imvu007.world."]);
    assert.deepEqual(at("imvu007.world", "TXT"), ["v=spf1 mx -all"]);
    assert.match(at("_dmarc.imvu007.world", "TXT")?.[0] ?? "", /p=reject/);
  });

  test("publishes the address family it has", () => {
    const records = createdImvu(createParams, { ...allocation, publicAddress: "2001:db8::1" }).records;
    assert.ok(records.every(({ type }) => type !== "A"));
    assert.deepEqual(records.find(({ type, name }) => type === "AAAA" && name === "imvu007.world")?.values, ["2001:db8::1"]);
  });

  test("every record, route and mailbox lies in its zone and could have been a command of its owner", () => {
    for (const { name } of imvu.records) assert.ok(parseFqdn(name).ok && isWithinZone(name, imvu.zone), name);
    for (const set of imvu.records) COMMAND_PARAMS["dns.set"].parse(set);
    for (const route of imvu.routes) COMMAND_PARAMS["route.set"].parse(route);
    for (const service of imvu.services) COMMAND_PARAMS["service.deploy"].parse(service);
    for (const box of imvu.mailboxes) COMMAND_PARAMS["mail.mailbox.create"].parse(box);
    for (const { address } of imvu.mailboxes) assert.ok(parseMailAddress(address).ok);
    const names = imvu.records.map(({ name, type }) => `${name} ${type}`);
    assert.equal(new Set(names).size, names.length);
  });

  test("zones are three digits wide and grow beyond a thousand units", () => assert.deepEqual([1, 42, 999, 1_000, 16_000].map((number) => zoneOf(number, "world" as Fqdn)), ["imvu001.world", "imvu042.world", "imvu999.world", "imvu1000.world", "imvu16000.world"]));
});

describe("signing keys", () => {
  test("stand in the document and in DNS, beside what was there", () => {
    const signed = withDkim(imvu, [key("a"), key("b")]);
    assert.deepEqual(signed.dkim, [key("a"), key("b")]);
    assert.deepEqual(signed.records.slice(0, imvu.records.length), imvu.records);
    assert.deepEqual(signed.records.slice(imvu.records.length).map(({ name, type, values }) => [name, type, values]), [
      ["a._domainkey.imvu007.world", "TXT", [key("a").txt]],
      ["b._domainkey.imvu007.world", "TXT", [key("b").txt]],
    ]);
  });

  test("learned twice, they stand there once", () => {
    const once = withDkim(imvu, [key("a")]);
    assert.deepEqual(withDkim(once, [key("a")]), once);
    const other = withDkim(once, [{ ...key("a"), txt: "v=DKIM1; p=new" }]);
    assert.deepEqual(other.records.filter(({ name }) => name.startsWith("a._domainkey")).map(({ values }) => values), [["v=DKIM1; p=new"]]);
  });
});

describe("the document after a command", () => {
  const cases: readonly { command: Command; changes: readonly (keyof Imvu)[] }[] = [
    { command: command("imvu.scale", { envelope: { ...imvu.envelope, cpuMillis: 2_000 } }), changes: ["envelope"] },
    { command: command("imvu.exit", { encryptTo: null }), changes: ["status"] },
    { command: command("imvu.member.set", { identity: "creator-7702" as IdentityName, role: "viewer" }), changes: ["members"] },
    { command: command("imvu.member.remove", { identity: "creator-4444" as IdentityName }), changes: [] },
    { command: command("service.deploy", { name: web, source, port: 3000, env: { A: "1" } }), changes: ["services"] },
    { command: command("service.restart", { name: web }), changes: [] },
    { command: command("service.remove", { name: web }), changes: ["services", "routes"] },
    { command: command("dns.set", { name: www, type: "TXT", ttl: 60, values: ["x"] }), changes: ["records"] },
    { command: command("dns.remove", { name: www, type: "A" }), changes: ["records"] },
    { command: command("mail.mailbox.create", { address: "post@imvu007.world" as MailAddress, passwordHash: digest("d"), quotaBytes: 1024 ** 2 }), changes: ["mailboxes"] },
    { command: command("mail.mailbox.password", { address: hello, passwordHash: digest("e") }), changes: ["mailboxes"] },
    { command: command("mail.mailbox.remove", { address: hello }), changes: ["mailboxes"] },
    { command: command("route.set", { class: "private", host: www, path: "/", service: web, port: 8080, role: null, ratePerMinute: 5 }), changes: ["routes"] },
    { command: command("route.remove", { host: www, path: "/" }), changes: ["routes"] },
    { command: command("imvu.payout.account", { account: null }), changes: [] },
    // What they change is told with what the platform decided; see snapshots.ts.
    { command: command("imvu.snapshot.create", { label: null }), changes: [] },
    { command: command("imvu.snapshot.restore", { id: "S1" }), changes: [] },
    { command: command("imvu.snapshot.remove", { id: "S1" }), changes: [] },
    { command: command("imvu.erase", { index: 4, commitment: digest("f"), order: digest("f") }), changes: [] },
    { command: command("imvu.budget.set", { amount: "50.00", currency: "EUR", thresholds: [50, 100] }), changes: [] },
    { command: command("revenue.record", { sourceId: "order-17", amount: "12.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" }), changes: [] },
    { command: command("revenue.reverse", { sourceId: "refund-17", reverses: "order-17", amount: "2.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" }), changes: [] },
    { command: command("imvu.billing.set", { name: "Art Gallery", street: "Rue 1", postalCode: "75001", city: "Paris", country: "FR", email: "books@art.example" as MailAddress }), changes: [] },
    { command: command("consent.record", { subject: "user-17", purpose: "newsletter", text: digest("f"), state: "given" }), changes: [] },
  ];

  for (const { command: one, changes } of cases)
    test(`${one.op} changes ${changes.join(" and ") || "nothing"}, and touches nothing else`, () => {
      const after = next(imvu, one);
      const changed = (Object.keys(imvu) as (keyof Imvu)[]).filter((field) => JSON.stringify(after[field]) !== JSON.stringify(imvu[field]));
      assert.deepEqual(changed.sort(), [...changes].sort());
      assert.deepEqual(Object.keys(after), Object.keys(imvu));
    });

  test("a member has one role, the last one given, and is gone when removed; the owner stays", () => {
    const identity = "creator-7702" as IdentityName;
    const owner = imvu.members[0];
    const viewer = next(imvu, command("imvu.member.set", { identity, role: "viewer" }));
    const billing = next(viewer, command("imvu.member.set", { identity, role: "billing" }));
    assert.deepEqual(billing.members, [owner, { identity, role: "billing" }]);
    assert.deepEqual(next(billing, command("imvu.member.remove", { identity })).members, [owner]);
  });

  test("every command on a unit is among them", () => {
    assert.deepEqual([...cases.map((one) => one.command.op), ...OPS_WITHOUT_IMVU].sort(), Object.keys(COMMAND_PARAMS).sort());
  });

  test("a second deploy replaces the service where it stands; another name comes to the end", () => {
    const second = next(next(imvu, command("service.deploy", { name: "api" as ServiceName, source, port: 1, env: {} })), command("service.deploy", { name: web, source, port: 2, env: {} }));
    assert.deepEqual(second.services.map(({ name, port }) => [name, port]), [["web", 2], ["api", 1]]);
  });

  test("a service that goes takes its routes with it, and no other's", () => {
    const api = "api" as ServiceName;
    const two = next(next(imvu, command("service.deploy", { name: api, source, port: 1, env: {} })), command("route.set", { class: "public", host: www, path: "/api", service: api, port: 1, role: null, ratePerMinute: null }));
    const left = next(two, command("service.remove", { name: web }));
    assert.deepEqual(left.routes.map(({ path, service }) => [path, service]), [["/api", "api"]]);
    assert.deepEqual(left.services.map(({ name }) => name), ["api"]);
  });

  test("records of another type, and routes of another path, stay", () => {
    const both = next(imvu, command("dns.set", { name: www, type: "TXT", ttl: 60, values: ["x"] }));
    assert.deepEqual(next(both, command("dns.remove", { name: www, type: "A" })).records.filter(({ name }) => name === www).map(({ type }) => type), ["TXT"]);
    const paths = next(imvu, command("route.set", { class: "public", host: www, path: "/deep", service: web, port: 8080, role: null, ratePerMinute: null }));
    assert.deepEqual(next(paths, command("route.remove", { host: www, path: "/deep" })), imvu);
  });

  test("a set record replaces the whole set, values and time to live", () => {
    const after = next(imvu, command("dns.set", { name: www, type: "A", ttl: 60, values: ["192.0.2.2", "192.0.2.3"] }));
    assert.deepEqual(after.records.filter(({ name }) => name === www), [{ name: www, type: "A", ttl: 60, values: ["192.0.2.2", "192.0.2.3"] }]);
    assert.equal(after.records.length, imvu.records.length);
  });
});

describe("what the fabrics are told", () => {
  test("is the document's own parts, about this unit alone", () => {
    const whole = withDkim(imvu, [key("a")]);
    const desired = desiredOf(frozen(structuredClone(whole)), "10.0.0.53");
    for (const order of Object.values(desired)) assert.equal(order.imvu, imvu.id);
    assert.deepEqual(desired.domains.records, whole.records);
    assert.deepEqual(desired.mail.dkim, whole.dkim);
    assert.equal(desired.mail.domain, imvu.zone);
    assert.deepEqual(desired.network.routes, imvu.routes);
    assert.equal(desired.network.bandwidthBps, imvu.envelope.bandwidthBps);
    assert.deepEqual(desired.compute.envelope, imvu.envelope);
    assert.equal(desired.compute.jurisdiction, imvu.jurisdiction);
    assert.equal(desired.compute.resolverAddress, "10.0.0.53");
  });

  test("is the same for the same document, to the byte: a plan from it is stable", () => assert.equal(JSON.stringify(desiredOf(newImvu(), "r")), JSON.stringify(desiredOf(newImvu(), "r"))));
});

describe("the first content", () => {
  for (const runtime of RUNTIMES)
    test(`${runtime}: is the same tar on every machine at every time, and serves its page`, async () => {
      const tar = await blueprintTar(runtime);
      assert.equal(sha256Hex(tar), sha256Hex(await blueprintTar(runtime)));
      const files: string[] = [];
      const reader = extract();
      reader.end(tar);
      for await (const entry of reader) {
        const { name, mtime, mode, uid, gid, type } = entry.header;
        assert.deepEqual([mtime?.getTime(), mode, uid, gid, type], [0, 0o644, 0, 0, "file"]);
        files.push(name);
        entry.resume();
      }
      assert.ok(files.includes("index.html"));
      if (runtime === "node") assert.ok(files.includes("package.json") && files.includes("server.js"));
      if (runtime === "python") assert.ok(files.includes("server.py"));
    });

  test("the page loads nothing from anywhere", async () => {
    const page = (await blueprintTar("static")).toString("utf8");
    assert.match(page, /It works/);
    assert.ok(!/(src|href)=|url\(|@import|:\/\//.test(page));
  });
});
