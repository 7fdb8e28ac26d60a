import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESERVED_LABELS } from "../kernel/index.ts";
import { GOOD, issuesOf, LONG, refused } from "./command.fixture.ts";
import { COMMAND_PARAMS, type Op } from "./command-params.ts";

const OPS = Object.keys(COMMAND_PARAMS) as Op[];
const OPTIONAL: ReadonlySet<string> = new Set(["identity.register recoveryKey", "identity.register device", "identity.recovery.begin device"]);

/** Appended to a good name, each of these makes one that deceives a shell, a path, a file's lines, a reader's eye. */
const POISON = ["'", '"', "`", "\\", "\n", "\r\nBcc: x", "\0", "/../../etc/passwd", "/../x", "$(id)", "$\u007bHOME}", "; id", "|id", "&&id", "<script>", "%2e%2e", "\u202egpj", "\u200f", "\u200b", "\ufeff", "\u0430", "\u0301", "💥", "\u001b[2J"];

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
