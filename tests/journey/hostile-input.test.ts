import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { commandFields, createIdentityKey, signCommand } from "../../src/core/identity/index.ts";
import { TestHouse } from "../harness/test-house.ts";

const HOSTILE = [
  `a"b`, "a'b", "a\nb", "../../etc/passwd", "$(touch /tmp/owned)", "`id`", "a;b", "a\u202eb", "a".repeat(10_000), "аrtgallery", "-rf", "", " ", "a b\tc", "www", "ns1", "xn--80ak6aa92e", "%00", "{{7*7}}", "a\\b",
];

/** Names that people and attackers type: each gets a usage error that names the field, and nothing happens. */
test("hostile names never reach an engine", async (t) => {
  await using house = await TestHouse.start();
  const artist = await house.creator("creator-8891");
  const unit = await house.unit(artist, "ArtGallery");
  const id = unit.imvu.id;
  const site = join(house.root, "site");
  await mkdir(site);
  await writeFile(join(site, "index.html"), "hello");
  const before = (await artist.call.ok("ledger", "checkpoint")).checkpoint;
  assert.ok(before);
  const attempts: Record<string, (name: string) => string[]> = {
    "imvu create --name": (name) => ["imvu", "create", `--name=${name}`, "--owner", "creator-8891", "--jurisdiction", "EU-GDPR"],
    "imvu create --jurisdiction": (name) => ["imvu", "create", "--name", "Fine", "--owner", "creator-8891", `--jurisdiction=${name}`],
    "identity create": (name) => ["identity", "create", "--", name],
    "dns set --type": (name) => ["dns", "set", "--imvu-id", id, "--name", "x", `--type=${name}`, "--value", "203.0.113.7"],
    "mail mailbox create": (name) => ["mail", "mailbox", "create", "--imvu-id", id, `--address=${name}@${unit.imvu.zone}`],
    "route set --path": (name) => ["route", "set", "--imvu-id", id, "--class", "public", "--host", unit.imvu.zone, `--path=${name}`, "--service", "web", "--port", "8080"],
    "deploy --service": (name) => ["deploy", "--imvu-id", id, "--dir", site, `--service=${name}`],
  };
  for (const [what, argv] of Object.entries(attempts)) {
    await t.test(what, async () => {
      for (const name of HOSTILE) {
        // Labels that are fine for this field are no attack on it.
        if (/^(www|ns1)$/.test(name) && !what.includes("--name") && !what.includes("--jurisdiction") && !what.includes("--type") && !what.includes("--path")) continue;
        if (name === "" && what.includes("--path")) continue;
        // A local part is no DNS label.
        if (name.startsWith("xn--") && what.startsWith("mail")) continue;
        const called = await artist.call.call(...argv(name));
        assert.equal(called.code, 2, `${what} ${JSON.stringify(name.slice(0, 40))}: exit ${called.code} ${JSON.stringify(called.printed)}`);
        assert.ok(called.printed.error.message.length > 0 && called.printed.error.message.length < 2_000 && called.printed.error.hint.length > 0);
      }
    });
  }
  await t.test("what is not there is not found, an address that is bound already is the law's matter", async () => {
    const { zone } = unit.imvu;
    const at = ["--imvu-id", id];
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [4, /^NO_SUCH_SERVICE$/, ["service", "remove", ...at, "nothing"]],
      [4, /^NO_SUCH_SERVICE$/, ["service", "restart", ...at, "nothing"]],
      [4, /^NO_SUCH_RECORD$/, ["dns", "remove", ...at, "--name", "nothing", "--type", "A"]],
      [4, /^NO_SUCH_ROUTE$/, ["route", "remove", ...at, "--host", zone, "--path", "/nothing"]],
      [4, /^NO_SUCH_MAILBOX$/, ["mail", "mailbox", "remove", ...at, "--address", `nobody@${zone}`]],
      [4, /^NO_SUCH_MAILBOX$/, ["mail", "mailbox", "password", ...at, "--address", `nobody@${zone}`]],
      [3, /^GATE_05_ADDRESS_BOUND$/, ["mail", "mailbox", "create", ...at, "--address", `hello@${zone}`]],
      [4, /./, ["imvu", "show", "IMVU-999"]],
      [2, /./, ["imvu", "show", "IMVU-1"]],
      [2, /./, ["deploy", ...at, "--dir", join(house.root, "absent")]],
      [2, /./, ["deploy", ...at, "--dir", site, "--port", "70000"]],
      [2, /./, ["imvu", "scale", ...at, "--cpu", "-1"]],
      [2, /./, ["no-such-verb"]],
    ];
    for (const [code, errorCode, argv] of cases) await artist.call.refused(code, errorCode, ...argv);
    assert.deepEqual((await artist.call.ok("mail", "mailbox", "list", ...at)).mailboxes.length, 1);
  });
  await t.test("a crowd of unregistered keys fills neither the ledger nor the way of those who are registered", async () => {
    const size = (await artist.call.ok("ledger", "checkpoint")).size;
    const crowd = Array.from({ length: 400 }, () => JSON.stringify(signCommand(commandFields("imvu.exit", id, { encryptTo: null }, Date.now()), createIdentityKey())));
    const answers = await Promise.all(crowd.map((body) => fetch(`${house.api}/v1/commands`, { method: "POST", body, headers: { "content-type": "application/json" } })));
    const many = (status: number) => answers.filter((answer) => answer.status === status).length;
    assert.equal(many(403) + many(429), 400);
    assert.ok(many(403) >= 100 && many(429) >= 150, `${many(403)} refused, ${many(429)} put off`);
    const entries = (await artist.call.ok("ledger", "checkpoint")).size - size;
    assert.ok(entries >= many(403) && entries < many(403) + 20, `${entries} entries for ${many(403)} refusals`);
    await artist.call.ok("dns", "set", "--imvu-id", id, "--name", "lab", "--type", "TXT", "--value", "still here");
    await artist.call.ok("dns", "remove", "--imvu-id", id, "--name", "lab", "--type", "TXT");
  });
  const shown = await artist.call.ok("imvu", "show", id);
  assert.deepEqual(shown.routes, unit.routes);
});
