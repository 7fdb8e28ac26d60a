import assert from "node:assert/strict";
import test from "node:test";
import type { Command, Imvu } from "../../contract/index.ts";
import type { Fqdn, IdentityName, KeyId, MailAddress } from "../../kernel/index.ts";
import { factsFor, imvuOf, KEYS, OPS, OURS, opened, THEIRS, ZONE } from "./gate.fixture.ts";
import { imvuFactsOf } from "./imvu-facts.ts";
import { blobsIn, domainsIn, zoneClaimsFor } from "./named-domains.ts";
import { type RegisteredKey, signatureFactsHold, signatureFactsOf } from "./signature-facts.ts";

const registry = (status: RegisteredKey["status"] = "live") => (kid: KeyId): RegisteredKey | undefined =>
  kid === KEYS.owner.kid ? { publicKey: KEYS.owner.publicKey, identity: "owner" as IdentityName, status } : undefined;

test("signature facts say who signed, with which key, and whether it verifies", () => {
  const one = opened("dns.set", {}, ["owner", "operator"]);
  assert.deepEqual(signatureFactsOf(one, registry()), [
    { kid: KEYS.owner.kid, identity: "owner", publicKey: KEYS.owner.publicKey.text, status: "live", valid: true },
    { kid: KEYS.operator.kid, identity: null, publicKey: null, status: "unknown", valid: false },
  ]);
  assert.equal(signatureFactsOf(one, registry("revoked"))[0]?.status, "revoked");
});

test("a registration is verified by the key it brings, and by no other", () => {
  const good = signatureFactsOf(opened("identity.register"), registry());
  assert.deepEqual(good.map(({ valid, status, identity }) => ({ valid, status, identity })), [{ valid: true, status: "unknown", identity: null }]);
  const foreign = signatureFactsOf(opened("identity.register", {}, ["operator"]), registry());
  assert.equal(foreign[0]?.valid, false);
});

test("recorded signature facts that say otherwise than the signatures are found out", () => {
  const one = opened("dns.set", {}, ["owner"]);
  const facts = { signatures: signatureFactsOf(one, registry()) };
  const [first] = facts.signatures;
  assert.ok(first);
  assert.ok(signatureFactsHold(one, facts));
  for (const change of [{ valid: false }, { kid: KEYS.operator.kid }, { publicKey: KEYS.operator.publicKey.text }, { publicKey: null }]) {
    assert.ok(!signatureFactsHold(one, { signatures: [{ ...first, ...change }] }), JSON.stringify(change));
  }
  assert.ok(!signatureFactsHold(one, { signatures: [] }));
  const two = opened("dns.set", {}, ["maintainer", "owner"]);
  assert.ok(signatureFactsHold(two, factsFor(two)));
  assert.ok(!signatureFactsHold(two, { signatures: factsFor(two).signatures.toReversed() }));
  assert.ok(!signatureFactsHold({ ...one, signed: { ...one.signed, payload: opened("dns.remove").signed.payload } }, facts));
});

const imvu = {
  id: OURS, number: 1, name: "ArtGallery", slug: "artgallery", owner: "owner", jurisdiction: "EU-GDPR", status: "active", zone: ZONE, createdAt: "2026-11-23T04:15:00.000Z", envelope: imvuOf("dns.set").envelope,
  services: [{ name: "web", source: { kind: "image", ref: "x" }, port: 8080, env: { SECRET: "s".repeat(4_000) } }],
  records: [{ name: `www.${ZONE}`, type: "A", ttl: 300, values: ["203.0.113.7"] }],
  dkim: [],
  mailboxes: [{ address: `hello@${ZONE}`, passwordHash: "ab".repeat(32), quotaBytes: 5 }, { address: `b@${ZONE}`, passwordHash: "ab".repeat(32), quotaBytes: 6 }],
  routes: [{ class: "public", host: `www.${ZONE}`, path: "/", service: "web", port: 8080, role: null, ratePerMinute: 7 }],
  members: [{ identity: "owner", role: "owner" }, { identity: "viewer", role: "viewer" }],
} as unknown as Imvu;

test("the facts of an IMVU are those the command needs: signers' roles, sums, and what of the named exists", () => {
  const of = (one: { command: Command }) => imvuFactsOf(imvu, one.command, factsFor(opened("dns.set")).signatures);
  const route = of(opened("route.set"));
  assert.deepEqual(route.named, { service: true, recordSet: false, mailbox: false, member: false, route: { ratePerMinute: 7 } });
  assert.deepEqual(of(opened("route.set", { service: "api" as never, path: "/x" })).named, { service: false, recordSet: false, mailbox: false, member: false, route: null });
  assert.equal(of(opened("dns.set")).named.recordSet, true);
  assert.equal(of(opened("dns.set", { type: "AAAA" })).named.recordSet, false);
  assert.equal(of(opened("mail.mailbox.password")).named.mailbox, true);
  assert.equal(of(opened("mail.mailbox.create")).named.mailbox, false);
  assert.equal(of(opened("service.remove")).named.service, true);
  assert.equal(of(opened("imvu.member.remove", { identity: "viewer" as never })).named.member, true);
  assert.equal(of(opened("imvu.member.set")).named.member, false);
  assert.deepEqual(route.members, [{ identity: "owner", role: "owner" }]);
  assert.equal(route.mailQuotaBytes, 11);
  assert.deepEqual(route.counts, { services: 1, recordSets: 1, mailboxes: 2, routes: 1, members: 2 });
  assert.ok(JSON.stringify(route).length < 1_500, "an environment's values do not enter the ledger");
});

test("zone claims are those related to a name in the command or to the new zone", () => {
  const bound = ["imvu001.world", "imvu002.world", "sub.imvu001.world", "world", "x.example"].map((zone, at) => ({ zone: zone as Fqdn, imvu: at === 0 ? OURS : THEIRS }));
  assert.deepEqual(zoneClaimsFor(opened("dns.set").command, null, bound).map(({ zone }) => zone), ["imvu001.world", "world"]);
  assert.deepEqual(zoneClaimsFor(opened("imvu.create").command, "imvu001.world", bound).map(({ zone }) => zone), ["imvu001.world", "sub.imvu001.world", "world"]);
  assert.deepEqual(zoneClaimsFor(opened("imvu.exit").command, null, bound), []);
  assert.deepEqual(zoneClaimsFor(opened("imvu.import").command, "imvu007.world", bound).map(({ zone }) => zone), ["imvu001.world", "world"], "the unit that has the arriving id is named");
  assert.deepEqual(domainsIn(opened("mail.mailbox.create", { address: "a@imvu002.world" as MailAddress }).command), ["imvu002.world"]);
});

test("every digest in a command's params is a blob to ask for, but for an import's manifest, which lies inside its bundle, and the text of a consent or of an order to erase, which stays with the creator", () => {
  for (const op of OPS) {
    if (op === "consent.record" || op.endsWith(".erase")) continue;
    const { command } = opened(op);
    const digests = new Set(JSON.stringify(command.params).match(/[0-9a-f]{64}/g) ?? []);
    assert.deepEqual([...new Set<string>(blobsIn(command))], [...digests], op);
  }
});
