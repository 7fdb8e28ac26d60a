import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESERVED_LABELS } from "../kernel/index.ts";
import { RESOURCES } from "./meter.ts";
import { COMMAND_BYTES_MAX, COMMAND_PARAMS, ENV_ENTRIES_MAX, ENV_VALUE_CHARS_MAX, GIB, MIB, type Op, RECORD_VALUE_CHARS_MAX, RECORD_VALUES_MAX, ROUTE_PATH_CHARS_MAX, TTL_SECONDS_MAX, TTL_SECONDS_MIN, zCommandPayload, zEnvelope, zSignedCommand } from "./command.ts";

const digest = "0123456789abcdef".repeat(4);
const envelope = { cpuMillis: 1_000, memoryBytes: 512 * MIB, storageBytes: 2 * GIB, iops: 1_000, bandwidthBps: 100_000_000, processes: 256, burst: { factor: 2, seconds: 300 } };
const publicKey = "A".repeat(43);

/** One good command of every kind. */
const GOOD: { readonly [O in Op]: Readonly<Record<string, unknown>> } = {
  "identity.register": { name: "creator-8891", publicKey },
  "identity.key.add": { publicKey, device: "laptop" },
  "identity.key.rotate": { publicKey },
  "identity.key.revoke": { kid: publicKey },
  "identity.recovery.set": { recoveryKey: publicKey },
  "identity.recovery.begin": { name: "creator-8891", publicKey, device: "laptop" },
  "identity.recovery.object": {},
  "identity.recovery.complete": { name: "creator-8891" },
  "platform.operator.add": { identity: "creator-8891" },
  "platform.operator.remove": { identity: "creator-8891" },
  "imvu.create": { name: "Art Gallery", owner: "creator-8891", jurisdiction: "EU-GDPR", envelope, runtime: "static", mailboxPasswordHash: digest },
  "imvu.scale": { envelope },
  "imvu.exit": { encryptTo: `age1${"q".repeat(58)}` },
  "imvu.import": { bundle: digest, manifest: digest, name: "Art Gallery", jurisdiction: "EU-GDPR", sourceId: "IMVU-001", zone: "imvu001.world" },
  "imvu.member.set": { identity: "creator-7702", role: "maintainer" },
  "imvu.member.remove": { identity: "creator-7702" },
  "service.deploy": { name: "web", source: { kind: "runtime", runtime: "node", content: digest }, port: 8080, env: { GREETING: "grüße $(id)" } },
  "service.restart": { name: "web" },
  "service.remove": { name: "web" },
  "dns.set": { name: "www.imvu001.world", type: "A", ttl: 300, values: ["192.0.2.1"] },
  "dns.remove": { name: "www.imvu001.world", type: "A" },
  "mail.mailbox.create": { address: "hello@imvu001.world", passwordHash: digest, quotaBytes: MIB },
  "mail.mailbox.password": { address: "hello@imvu001.world", passwordHash: digest },
  "mail.mailbox.remove": { address: "hello@imvu001.world" },
  "route.set": { class: "public", host: "www.imvu001.world", path: "/a/b", service: "web", port: 8080, role: null, ratePerMinute: 60 },
  "route.remove": { host: "www.imvu001.world", path: "/" },
  "consent.record": { subject: "user-17", purpose: "newsletter", text: digest, state: "given" },
  "revenue.record": { sourceId: "order-17", amount: "12.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" },
  "revenue.reverse": { sourceId: "refund-17", reverses: "order-17", amount: "2.34", currency: "EUR", at: "2026-11-23T12:00:00.000Z" },
  "imvu.payout.account": { account: { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000", bic: "COBADEFFXXX" } },
  "platform.payout.execute": { imvu: "IMVU-001", payout: "IMVU-001-1", reference: "bank-17", at: "2026-12-02T00:00:00.000Z" },
  "platform.payout.return": { imvu: "IMVU-001", payout: "IMVU-001-1", reason: "AC04 account closed", at: "2026-12-02T00:00:00.000Z" },
  "imvu.snapshot.create": { label: "before the sale" },
  "imvu.snapshot.restore": { id: "S1" },
  "imvu.snapshot.remove": { id: "S12" },
  "imvu.budget.set": { amount: "50.00", currency: "EUR", thresholds: [50, 80, 100] },
  "imvu.erase": { index: 4, commitment: digest, order: digest },
  "platform.erase": { index: 4, commitment: digest, order: digest },
  "platform.billing.set": { name: "Nexus GmbH", street: "Hauptstr. 1", postalCode: "10115", city: "Berlin", country: "DE", vatId: "DE123456789", email: "billing@nexus.example", vat: { scheme: "standard", rate: "19.00" }, prefix: "NX" },
  "imvu.billing.set": { name: "Łódź & Söhne", street: "Rue 1", postalCode: "75001", city: "Paris", country: "FR", email: "books@art.example" },
  "platform.tariff.publish": { currency: "EUR", validFrom: "2027-01-01T00:00:00.000Z", prices: Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0.000001000"])) },
};
const OPS = Object.keys(COMMAND_PARAMS) as Op[];
const OPTIONAL: ReadonlySet<string> = new Set(["identity.register recoveryKey", "identity.register device", "identity.recovery.begin device"]);

function issuesOf(op: Op, params: unknown) {
  const parsed = COMMAND_PARAMS[op].safeParse(params);
  return parsed.success ? [] : parsed.error.issues.map((issue) => ({ at: issue.path.join("."), message: issue.message }));
}

function refused(op: Op, field: string, value: unknown): string {
  const issues = issuesOf(op, { ...GOOD[op], [field]: value });
  const why = `${op} ${field} = ${JSON.stringify(value)?.slice(0, 80)}`;
  assert.ok(issues.length > 0, `taken: ${why}`);
  assert.ok(issues.every(({ at }) => at === field || at.startsWith(`${field}.`)), `blames ${issues.map(({ at }) => at).join()} for ${why}`);
  return issues.map(({ message }) => message).join("; ");
}

/** Appended to a good name, each of these makes one that deceives a shell, a path, a file's lines, a reader's eye. */
const POISON = ["'", '"', "`", "\\", "\n", "\r\nBcc: x", "\0", "/../../etc/passwd", "/../x", "$(id)", "$\u007bHOME}", "; id", "|id", "&&id", "<script>", "%2e%2e", "\u202egpj", "\u200f", "\u200b", "\ufeff", "\u0430", "\u0301", "💥", "\u001b[2J"];
const LONG = "a".repeat(10_240);

/** Every field of text that names something, wherever it lies. */
const NAMES: readonly (readonly [Op, string])[] = [
  ["identity.register", "name"],
  ["identity.register", "publicKey"],
  ["identity.key.add", "publicKey"],
  ["identity.key.add", "device"],
  ["identity.key.rotate", "publicKey"],
  ["identity.key.revoke", "kid"],
  ["platform.payout.execute", "imvu"],
  ["platform.payout.execute", "payout"],
  ["platform.payout.execute", "reference"],
  ["platform.payout.execute", "at"],
  ["platform.payout.return", "imvu"],
  ["platform.payout.return", "payout"],
  ["platform.payout.return", "reason"],
  ["platform.payout.return", "at"],
  ["identity.recovery.set", "recoveryKey"],
  ["identity.recovery.begin", "name"],
  ["identity.recovery.begin", "publicKey"],
  ["identity.recovery.begin", "device"],
  ["identity.recovery.complete", "name"],
  ["platform.operator.add", "identity"],
  ["platform.operator.remove", "identity"],
  ["imvu.create", "name"],
  ["imvu.create", "owner"],
  ["imvu.create", "jurisdiction"],
  ["imvu.create", "runtime"],
  ["imvu.create", "mailboxPasswordHash"],
  ["imvu.exit", "encryptTo"],
  ["imvu.member.set", "identity"],
  ["imvu.member.set", "role"],
  ["imvu.member.remove", "identity"],
  ["imvu.import", "bundle"],
  ["imvu.import", "manifest"],
  ["imvu.import", "name"],
  ["imvu.import", "jurisdiction"],
  ["imvu.import", "sourceId"],
  ["imvu.import", "zone"],
  ["service.deploy", "name"],
  ["service.restart", "name"],
  ["service.remove", "name"],
  ["dns.set", "name"],
  ["dns.set", "type"],
  ["dns.remove", "name"],
  ["dns.remove", "type"],
  ["mail.mailbox.create", "address"],
  ["mail.mailbox.create", "passwordHash"],
  ["mail.mailbox.password", "address"],
  ["mail.mailbox.password", "passwordHash"],
  ["mail.mailbox.remove", "address"],
  ["route.set", "class"],
  ["route.set", "host"],
  ["route.set", "path"],
  ["route.set", "service"],
  ["route.remove", "host"],
  ["route.remove", "path"],
  ["consent.record", "subject"],
  ["consent.record", "purpose"],
  ["consent.record", "text"],
  ["consent.record", "state"],
  ["imvu.snapshot.create", "label"],
  ["imvu.snapshot.restore", "id"],
  ["imvu.snapshot.remove", "id"],
  ["imvu.budget.set", "amount"],
  ["imvu.budget.set", "currency"],
  ["imvu.erase", "commitment"],
  ["imvu.erase", "order"],
  ["revenue.record", "sourceId"],
  ["revenue.record", "amount"],
  ["revenue.record", "currency"],
  ["revenue.record", "at"],
  ["revenue.reverse", "sourceId"],
  ["revenue.reverse", "reverses"],
  ["revenue.reverse", "amount"],
  ["revenue.reverse", "currency"],
  ["revenue.reverse", "at"],
  ["imvu.billing.set", "country"],
  ["imvu.billing.set", "email"],
  ["platform.billing.set", "vatId"],
  ["platform.billing.set", "country"],
  ["platform.billing.set", "email"],
  ["platform.billing.set", "prefix"],
  ["platform.tariff.publish", "currency"],
  ["platform.tariff.publish", "validFrom"],
  ["platform.erase", "commitment"],
  ["platform.erase", "order"],
];

describe("a command's parameters", () => {
  for (const op of OPS) {
    test(`${op}: a good one is taken, and comes out as it went in`, () => assert.deepEqual(COMMAND_PARAMS[op].parse(GOOD[op]), GOOD[op]));

    test(`${op}: a field too many or one too few is refused, so that nothing signed is ignored`, () => {
      assert.match(issuesOf(op, { ...GOOD[op], surplus: 1 })[0]?.message ?? "", /surplus/);
      for (const field of Object.keys(GOOD[op])) {
        const { [field]: _, ...rest } = GOOD[op];
        if (OPTIONAL.has(`${op} ${field}`)) continue;
        assert.deepEqual(issuesOf(op, rest).map(({ at }) => at), [field]);
      }
      for (const value of [null, [], "text", 1]) assert.ok(issuesOf(op, value).length > 0);
    });
  }

  test("every field that names something is tried below", () => {
    const named = NAMES.map(([op, field]) => `${op} ${field}`);
    const texts = OPS.flatMap((op) => Object.entries(GOOD[op]).filter(([, value]) => typeof value === "string").map(([field]) => `${op} ${field}`));
    // Lines for people have a test of their own, in billing.test.ts: an apostrophe is none of their poisons.
    const lines = ["name", "street", "postalCode", "city"].flatMap((field) => [`imvu.billing.set ${field}`, `platform.billing.set ${field}`]);
    assert.deepEqual([...named].sort(), texts.filter((text) => !lines.includes(text)).sort());
  });

  for (const [op, field] of NAMES)
    test(`${op}: a hostile ${field} is refused by a message on one short line that points at ${field}`, () => {
      const good = String(GOOD[op][field]);
      for (const poison of POISON)
        for (const text of [good + poison, poison + good, poison]) {
          const message = refused(op, field, text);
          assert.ok(!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(message), JSON.stringify(message));
        }
      for (const text of ["", " ", "../x", LONG, good + LONG, ` ${good}`, `${good} `, "аrt-gallery"]) assert.ok(refused(op, field, text).length < 400);
      for (const value of [7, true, [good], { good }]) refused(op, field, value);
    });

  test("a name whose slug the zone needs itself is refused with the word that says so", () => {
    for (const op of ["imvu.create", "imvu.import"] as const) for (const label of RESERVED_LABELS) assert.match(refused(op, "name", label), /^name "[^"]*": .*reserved label/);
    for (const name of ["root", "admin", "platform", "operator", "nexus", "all"]) assert.match(refused("identity.register", "name", name), /^identity name .*reserved word/);
  });

  test("a domain name keeps to the lengths of DNS, label by label", () => {
    for (const name of [`${"a".repeat(64)}.world`, `${"a.".repeat(127)}aa`, "www.imvu001.world.", "..", "a..b", "xn--\u00fc.world"]) refused("dns.set", "name", name);
  });
});

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

describe("steps of a price", () => {
  const step = { above: "1000", price: "0.000000100" };
  const withSteps = (tiers: unknown) => issuesOf("platform.tariff.publish", { ...GOOD["platform.tariff.publish"], tiers });

  test("of some resources, and none at all", () => {
    assert.deepEqual(withSteps({ "dns.answers": [step, { ...step, above: "1001" }] }), []);
    assert.deepEqual(withSteps(undefined), []);
  });

  test("nothing else: every figure exact, each above the one before, no field too many", () => {
    const wrong = [null, {}, [], { fee: [step] }, { "dns.answers": [] }, { "dns.answers": [step, step] }, { "dns.answers": [{ ...step, above: "1.5" }] }, { "dns.answers": [{ ...step, price: "-0.000000100" }] }, { "dns.answers": [{ ...step, fee: "1" }] }];
    // Of a resource that need not be named: its first price must be said where its steps are.
    const { "network.private.out": price, ...prices } = (GOOD["platform.tariff.publish"] as { prices: Record<string, string> }).prices;
    const private_ = (more: object) => issuesOf("platform.tariff.publish", { ...GOOD["platform.tariff.publish"], prices: { ...prices, ...more }, tiers: { "network.private.out": [{ above: "1.000000000", price: "0.000000001" }] } });
    assert.deepEqual([private_({ "network.private.out": price }), private_({}).map(({ at }) => at)], [[], ["tiers"]]);
    for (const tiers of wrong) assert.match(withSteps(tiers)[0]?.at ?? "", /^tiers/, JSON.stringify(tiers));
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

describe("the signed payload", () => {
  const payload = { op: "service.restart", imvu: "IMVU-001", params: { name: "web" }, nonce: "A".repeat(22), iat: 1, exp: 2 };

  test("is taken whole, also without an IMVU", () => {
    assert.deepEqual(zCommandPayload.parse(payload), payload);
    assert.equal(zCommandPayload.parse({ ...payload, imvu: null }).imvu, null);
  });

  test("names the field that is wrong", () => {
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      op: ["", "imvu.destroy", "__proto__", "toString", 7],
      imvu: ["", "IMVU-000", "imvu-001", "IMVU-001\n", undefined, 1],
      params: [null, "text", [1], { a: undefined, b: () => 1 }],
      nonce: ["", "A".repeat(21), "A".repeat(23), `${"A".repeat(21)}=`, `${"A".repeat(21)}\n`],
      iat: [-1, 0.5, "1", null],
      exp: [-1, 0.5, "1", null],
    };
    for (const [field, values] of Object.entries(wrong))
      for (const value of values) {
        const parsed = zCommandPayload.safeParse({ ...payload, [field]: value });
        assert.ok(!parsed.success, `${field}: ${String(value)}`);
        assert.ok(parsed.error.issues.every((issue) => issue.path[0] === field));
      }
    assert.ok(!zCommandPayload.safeParse({ ...payload, more: 1 }).success);
  });

  test("an envelope of signatures is bounded before anything in it is read", () => {
    const signature = { protected: "e30", signature: "AA" };
    assert.ok(zSignedCommand.safeParse({ payload: "a".repeat(COMMAND_BYTES_MAX), signatures: Array(8).fill(signature) }).success);
    for (const signed of [
      { payload: "a".repeat(COMMAND_BYTES_MAX + 1), signatures: [signature] },
      { payload: "a", signatures: [] },
      { payload: "a", signatures: Array(9).fill(signature) },
      { payload: "a", signatures: [{ ...signature, header: {} }] },
      { payload: "a", signatures: [{ ...signature, protected: "a".repeat(513) }] },
      { payload: "a", signatures: [{ ...signature, signature: "a".repeat(129) }] },
      { payload: "a", signatures: [signature], header: {} },
      null,
    ])
      assert.ok(!zSignedCommand.safeParse(signed).success);
  });
});

test("an amount has the decimals of its currency, no more and no fewer; a currency is one of ISO 4217, and a clock a place", () => {
  for (const op of ["revenue.record", "revenue.reverse"] as const) {
    for (const [currency, amount] of [["JPY", "500"], ["KWD", "1.234"], ["CLF", "1.2345"], ["USD", "0.01"]] as const) assert.deepEqual(issuesOf(op, { ...GOOD[op], currency, amount }), [], currency);
    for (const [currency, amount] of [["JPY", "500.00"], ["KWD", "1.23"], ["CLF", "1.23"], ["EUR", "500"], ["EUR", "1.2345"]] as const) assert.match(issuesOf(op, { ...GOOD[op], currency, amount })[0]?.message ?? "", /decimals/, currency);
    refused(op, "currency", "DEM");
  }
  for (const op of ["imvu.create", "imvu.import"] as const) {
    assert.deepEqual(issuesOf(op, { ...GOOD[op], timeZone: "Europe/Berlin", currency: "USD" }), []);
    for (const wrong of ["+01:00", "Asia/Calcutta", "europe/berlin", "", null, "../Berlin"]) refused(op, "timeZone", wrong);
    for (const wrong of ["usd", "XAU", "", null]) refused(op, "currency", wrong);
  }
});

test("an account is named in one spelling: a holder on one line, an IBAN that is one, and nothing beside", () => {
  const account = { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000" };
  for (const good of [null, account, { ...account, bic: "COBADEFF" }, { ...account, holder: "Š" }, { ...account, holder: "a".repeat(70) }, { ...account, kind: "company" }]) assert.deepEqual(issuesOf("imvu.payout.account", { account: good }), [], JSON.stringify(good));
  const bad = [
    { ...account, iban: "DE89370400440532013001" }, { ...account, iban: "de89370400440532013000" }, { ...account, iban: "DE89 3704 0044 0532 0130 00" }, { ...account, bic: "COBA" }, { ...account, bic: null }, { ...account, kind: "friend" },
    { ...account, holder: "" }, { ...account, holder: " Ada" }, { ...account, holder: "Ada " }, { ...account, holder: "Ada\nBcc: x" }, { ...account, holder: "Ada\u2028x" }, { ...account, holder: "\u202eadA" }, { ...account, holder: "a".repeat(71) }, { ...account, amount: "1.00" }, { holder: "Ada", kind: "person" }, "none", undefined,
  ];
  for (const wrong of bad) assert.notEqual(issuesOf("imvu.payout.account", { account: wrong }).length, 0, JSON.stringify(wrong));
});

test("no word of an operator about a payout names an amount or an account", () => {
  for (const op of ["platform.payout.execute", "platform.payout.return"] as const)
    for (const more of [{ amount: "1.00" }, { currency: "EUR" }, { iban: "DE89370400440532013000" }, { account: null }]) assert.notEqual(issuesOf(op, { ...GOOD[op], ...more }).length, 0, JSON.stringify(more));
  for (const at of ["2026-12-02", "2026-12-02T00:00:00Z", "yesterday"]) assert.notEqual(issuesOf("platform.payout.execute", { ...GOOD["platform.payout.execute"], at }).length, 0);
});

test("a budget is an amount and one to five percents of it that rise, or nothing and none", () => {
  const op = "imvu.budget.set";
  for (const good of [{ amount: "0.01", currency: "EUR", thresholds: [1] }, { amount: "500", currency: "JPY", thresholds: [1, 50, 100, 150, 200] }, { amount: null, currency: "EUR", thresholds: [] }]) assert.deepEqual(issuesOf(op, good), []);
  for (const wrong of [[], [0], [201], [50, 50], [80, 50], [1, 2, 3, 4, 5, 6], [50.5], ["50"], null]) refused(op, "thresholds", wrong);
  for (const wrong of ["0.00", "-1.00", "1", "1.000", 5]) refused(op, "amount", wrong);
  assert.ok(issuesOf(op, { amount: null, currency: "EUR", thresholds: [50] }).length > 0);
});
