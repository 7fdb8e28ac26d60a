import assert from "node:assert/strict";
import test from "node:test";
import type { Fqdn, ImvuId, MailAddress } from "../../kernel/index.ts";
import { attributionValue, parseAttribution } from "./attribution.ts";
import { type Account, Directory } from "./directory.ts";
import { judgeEnvelope, judgeOwnHeader, zonesClaimedBy } from "./sender-rules.ts";

const account: Account = { address: "hello@imvu002.world" as MailAddress, imvu: "IMVU-002" as ImvuId, uid: 1, home: "/x", password: "x", quotaBytes: 1, probe: false };

function directory(): Directory {
  const made = new Directory();
  made.announceDomain("imvu001.world" as Fqdn, "IMVU-001" as ImvuId);
  made.announceDomain("imvu002.world" as Fqdn, "IMVU-002" as ImvuId);
  made.announceAccount(account);
  made.expect("late@imvu003.world" as MailAddress, "IMVU-003" as ImvuId);
  return made;
}

const field = (name: string, value: string) => ({ name, value });

test("an envelope is a login's own address, or a stranger's own", () => {
  const judge = (login: string, sender: string) => judgeEnvelope(directory(), login, sender).is;
  assert.equal(judge("hello@imvu002.world", "Hello@IMVU002.world"), "allow");
  for (const sender of ["", "hello@imvu001.world", "boss@imvu002.world", "x@y.example"]) assert.equal(judge("hello@imvu002.world", sender), "refuse", sender);
  assert.match(JSON.stringify(judgeEnvelope(directory(), "hello@imvu002.world", "")), /null sender/);
  assert.equal(judge("ghost@imvu002.world", "ghost@imvu002.world"), "refuse");
  assert.equal(judge("late@imvu003.world", "late@imvu003.world"), "later");
  for (const sender of ["", "x@y.example", "x@notimvu002.world"]) assert.equal(judge("", sender), "allow", sender);
  for (const sender of ["hello@imvu002.world", "any@imvu001.world", "x@sub.imvu001.world", "x@IMVU001.WORLD", "x@imvu003.world"]) assert.equal(judge("", sender), "refuse", sender);
});

test("a header from a login names itself in every originator field, and has one From", () => {
  const judge = (...header: ReturnType<typeof field>[]) => judgeOwnHeader(account, header).is;
  const from = field("From", " hello@imvu002.world");
  assert.equal(judge(from), "allow");
  assert.equal(judge(from, field("Sender", " Hello <hello@imvu002.world>"), field("Reply-To", " anyone@y.example")), "allow");
  assert.equal(judge(), "refuse");
  assert.equal(judge(from, from), "refuse");
  assert.equal(judge(from, field("FROM ", " x@y.example")), "refuse");
  for (const name of ["Sender", "resent-from", "Resent-Sender"]) assert.equal(judge(from, field(name, " hello@imvu001.world")), "refuse", name);
  assert.equal(judge(field("From", " hello@imvu002.world, hello@imvu001.world")), "refuse");
});

test("a stranger's From claims every hosted zone it names anywhere", () => {
  const claimed = (...values: string[]) => zonesClaimedBy(directory(), values.map((value) => field("From", value)));
  assert.deepEqual(claimed(" x@y.example"), []);
  for (const value of ["a@imvu001.world", '"a@imvu001.world" <x@y.example>', "x@y.example, a@imvu001.world", "a@(c)imvu001.world", "a@ imvu001 . world", "a@sub.imvu001.world", "<a@imvu001.world.>", "a@IMVU001.world"]) {
    assert.deepEqual(claimed(value), ["imvu001.world"], value);
  }
  assert.deepEqual(claimed("a@imvu001.world", "b@imvu002.world").length, 2);
});

test("names found on disk are expected: neither known nor unknown, and owned for the meter", () => {
  const made = directory();
  assert.equal(made.domain("imvu003.world").is, "pending");
  assert.equal(made.account("late@imvu003.world").is, "pending");
  assert.equal(made.ownerOf("late@imvu003.world"), "IMVU-003");
  made.announceAccount({ ...account, probe: true });
  assert.equal(made.ownerOf(account.address), undefined);
  assert.deepEqual(made.accountsOf("IMVU-002" as ImvuId), []);
  made.withdrawAccount("late@imvu003.world" as MailAddress);
  assert.equal(made.account("late@imvu003.world").is, "unknown");
});

test("an attribution is read as it was written, and nothing else is", () => {
  const value = attributionValue(account, "4jXyY61yhBzJKTd");
  assert.deepEqual(parseAttribution(` ${value}`), { imvu: "IMVU-002", mailbox: "hello@imvu002.world", queueId: "4jXyY61yhBzJKTd" });
  for (const odd of ["", `${value}; more`, value.replace("IMVU-002", "IMVU-2"), `x ${value}`]) assert.equal(parseAttribution(odd), undefined, odd);
});
