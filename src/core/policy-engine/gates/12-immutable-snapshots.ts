import { askFabrics, combine, listen, type Said, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { mayReplace, mayTakeAway, SNAPSHOT_DENIALS, type SnapshotCode } from "../snapshots.ts";
import { subjectOf } from "../standing.ts";

/** All snapshots of a unit are read, as far as the fabric's own bound goes. */
const SNAPSHOTS_TIMEOUT_MS = 10 * 60_000;

/**
 * What a command destroys must stand in a snapshot:
 * - data is replaced only while a fresh one holds it, and that one stays for a while;
 * - a smaller volume is refused outright: a snapshot lies on the volume that would lose its end, and goes with it;
 * - a mailbox goes only when it holds no message: mail is not on the volume, and in no snapshot.
 * Removing a service keeps the volume; records, routes and content stay in the ledger and the blobs: none of these destroys.
 * No command edits a snapshot.
 */
export const immutableSnapshots = defineGate<SnapshotCode | "SHRINK_WITHOUT_SNAPSHOT" | "MAILBOX_NOT_EMPTY" | "CONTENT_UNKNOWN">({
  number: 12,
  title: "immutable snapshots",
  rule: "the state can be captured, and a capture never changes",
  appliesTo: {
    "identity.register": false,
    "identity.key.add": false,
    "identity.key.rotate": false,
    "identity.key.revoke": false,
    "identity.recovery.set": false,
    "identity.recovery.begin": false,
    "identity.recovery.object": false,
    "identity.recovery.complete": false,
    "platform.operator.add": false,
    "platform.operator.remove": false,
    "platform.erase": false,
    "platform.tariff.publish": false,
    "platform.payout.execute": false,
    "platform.payout.return": false,
    "platform.billing.set": false,
    "imvu.create": false,
    "imvu.scale": true,
    "imvu.exit": false,
    "imvu.import": false,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": false,
    "service.restart": false,
    "service.remove": false,
    "dns.set": false,
    "dns.remove": false,
    "mail.mailbox.create": false,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": true,
    "route.set": false,
    "route.remove": false,
    "consent.record": false,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": false,
    "imvu.snapshot.restore": true,
    "imvu.snapshot.remove": true,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    SHRINK_WITHOUT_SNAPSHOT: { says: "storage cannot shrink: what would be lost could not be brought back, for snapshots lie on the same volume", hint: "keep '--storage' as it is, or take your data with 'nexus imvu exit'" },
    MAILBOX_NOT_EMPTY: { says: "the mailbox still holds messages, which no snapshot holds", hint: "save them and delete them over IMAP, then remove the mailbox" },
    ...SNAPSHOT_DENIALS,
    CONTENT_UNKNOWN: { says: "what would be destroyed could not be read", hint: "try again; 'nexus doctor' names the engine that does not answer" },
  },
  decide(command, facts, answer) {
    const imvu = subjectOf(command, facts);
    if (imvu === null) return answer.deny("CONTENT_UNKNOWN");
    switch (command.op) {
      case "imvu.scale": {
        const [next, now] = [command.params.envelope.storageBytes, imvu.envelope.storageBytes];
        return next < now ? answer.deny("SHRINK_WITHOUT_SNAPSHOT", { storageBytes: next }, { storageBytes: now }) : answer.pass();
      }
      case "imvu.snapshot.restore":
        return mayReplace(facts, answer);
      case "imvu.snapshot.remove":
        return mayTakeAway(facts, answer);
      case "mail.mailbox.remove": {
        const messages = facts.used?.mailboxMessages ?? null;
        if (messages === null) return answer.deny("CONTENT_UNKNOWN");
        return messages > 0 ? answer.deny("MAILBOX_NOT_EMPTY", { messages }, { messages: 0 }) : answer.pass();
      }
      default:
        return answer.pass();
    }
  },
  async probe(reality, imvu) {
    const said: Said[] = [...(await askFabrics(reality, 12, imvu, []))];
    const check = reality.checkSnapshots?.bind(reality);
    if (check === undefined) return combine([...said, unproven("snapshots", "nobody who asks can have one restored and compared")]);
    const imvus = imvu === undefined ? await reality.imvus() : [imvu];
    for (const one of imvus) said.push(await listen(one, () => check(one), SNAPSHOTS_TIMEOUT_MS));
    return combine(imvus.length === 0 ? [...said, unproven("snapshots", "no IMVU is there to be captured")] : said);
  },
});
