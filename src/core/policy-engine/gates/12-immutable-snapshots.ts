import { askFabrics, combine, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { subjectOf } from "../standing.ts";

/**
 * Snapshots do not exist yet, so no command may destroy what only a snapshot could bring back:
 * - a smaller volume is refused outright;
 * - a mailbox goes only when it holds no message.
 * Removing a service keeps the volume; records, routes and content stay in the ledger and the blobs: none of these destroys.
 */
export const immutableSnapshots = defineGate({
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
    "imvu.billing.set": false,
    "imvu.erase": false,
  },
  denials: {
    SHRINK_WITHOUT_SNAPSHOT: { says: "storage cannot shrink: what would be lost could not be brought back", hint: "keep '--storage' as it is, or take your data with 'nexus imvu exit'" },
    MAILBOX_NOT_EMPTY: { says: "the mailbox still holds messages, which could not be brought back", hint: "save them and delete them over IMAP, then remove the mailbox" },
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
    return combine([...(await askFabrics(reality, 12, imvu, [])), unproven("snapshots", "this platform takes no snapshots yet, so none can be restored and compared")]);
  },
});
