import assert from "node:assert/strict";
import test from "node:test";
import type { MailDesired } from "../contract/index.ts";
import type { Fqdn, ImvuId, MailAddress, Sha256 } from "../kernel/index.ts";
import { type MailHands, planMail } from "./plan.ts";
import type { MailboxState, MailState } from "./state.ts";

const IMVU = "IMVU-001" as ImvuId;
const DOMAIN = "imvu001.world" as Fqdn;
const mailbox = (local: string, hash = "a", quotaBytes = 10) => ({ address: `${local}@${DOMAIN}` as MailAddress, passwordHash: hash.repeat(64) as Sha256, quotaBytes });
const desired = (...mailboxes: ReturnType<typeof mailbox>[]): MailDesired => ({ imvu: IMVU, number: 1, domain: DOMAIN, mailboxes, dkim: [] });
const open = (local: string, more: Partial<MailboxState> = {}): MailboxState => ({ address: `${local}@${DOMAIN}`, accepts: true, passwordHash: "a".repeat(64), uid: 7, quotaBytes: 10, folder: true, ...more });
const NOTHING: MailState = { domains: [], mailboxes: [] };

function recorder() {
  const calls: string[] = [];
  const record = (name: string) => async (_: ImvuId, what?: unknown) => {
    calls.push(`${name} ${typeof what === "object" ? `${(what as { address: string }).address} ${(what as { passwordHash: string }).passwordHash[0]}` : (what ?? "")}`.trim());
  };
  const names = ["announceDomain", "withdrawDomain", "openMailbox", "closeMailbox", "removeBox", "restoreBox", "removeBoxes"] as const;
  return { calls, hands: Object.fromEntries(names.map((name) => [name, record(name)])) as unknown as MailHands };
}

function keys(order: MailDesired | undefined, observed: MailState): readonly string[] {
  const { hands, calls } = recorder();
  const steps = planMail(hands, IMVU, order, observed);
  assert.deepEqual(calls, [], "planning moves nothing");
  return steps.map((step) => step.key);
}

test("only what differs is planned", () => {
  assert.deepEqual(keys(desired(mailbox("a"), mailbox("b")), NOTHING), [`mail/domain/${DOMAIN}`, `mail/mailbox/a@${DOMAIN}`, `mail/mailbox/b@${DOMAIN}`]);
  assert.deepEqual(keys(desired(mailbox("a")), { domains: [DOMAIN], mailboxes: [open("a")] }), []);
  for (const more of [{ accepts: false }, { passwordHash: "b".repeat(64) }, { passwordHash: null }, { quotaBytes: 9 }, { folder: false }] as const) {
    assert.deepEqual(keys(desired(mailbox("a")), { domains: [DOMAIN], mailboxes: [open("a", more)] }), [`mail/mailbox/a@${DOMAIN}`], JSON.stringify(more));
  }
  assert.deepEqual(keys(undefined, NOTHING), []);
});

test("removals close everything before the first box goes, and another domain is withdrawn", () => {
  assert.deepEqual(keys(desired(mailbox("a")), { domains: [DOMAIN, "old.world"], mailboxes: [open("a"), open("b"), open("c")] }), ["mail/domain/old.world", `mail/close/b@${DOMAIN}`, `mail/close/c@${DOMAIN}`, `mail/remove/b@${DOMAIN}`, `mail/remove/c@${DOMAIN}`]);
  assert.deepEqual(keys(undefined, { domains: [DOMAIN], mailboxes: [open("a")] }), [`mail/domain/${DOMAIN}`, `mail/close/a@${DOMAIN}`, `mail/remove/a@${DOMAIN}`, `mail/boxes/${IMVU}`]);
});

test("undo brings back what was seen, and drops a box only when there was none", async () => {
  const undone = async (order: MailDesired | undefined, observed: MailState) => {
    const { hands, calls } = recorder();
    for (const step of planMail(hands, IMVU, order, observed).toReversed()) await step.undo();
    return calls;
  };
  assert.deepEqual(await undone(desired(mailbox("a")), NOTHING), [`closeMailbox a@${DOMAIN}`, `removeBox a@${DOMAIN}`, `withdrawDomain ${DOMAIN}`]);
  assert.deepEqual(await undone(desired(mailbox("a", "b")), { domains: [DOMAIN], mailboxes: [open("a")] }), [`openMailbox a@${DOMAIN} a`]);
  assert.deepEqual(await undone(desired(mailbox("a")), { domains: [DOMAIN], mailboxes: [open("a", { passwordHash: null, quotaBytes: null })] }), [`closeMailbox a@${DOMAIN}`], "a box that only waited keeps its mail");
  assert.deepEqual(await undone(undefined, { domains: [DOMAIN], mailboxes: [open("a")] }), [`restoreBox a@${DOMAIN}`, `announceDomain ${DOMAIN}`, `openMailbox a@${DOMAIN} a`, `announceDomain ${DOMAIN}`]);
});
