import { askFabrics, combine, listen } from "../ask.ts";
import { ERASURE_DENIALS, type ErasureCode, isErasure, mayErase } from "../erasure.ts";
import { defineGate } from "../gate.ts";

export const auditLogging = defineGate<ErasureCode | "LEDGER_UNAVAILABLE">({
  number: 11,
  title: "audit logging",
  rule: "no privileged action without an entry",
  appliesTo: {
    "identity.register": true,
    "identity.key.add": true,
    "identity.key.rotate": true,
    "identity.key.revoke": true,
    "identity.recovery.set": true,
    "identity.recovery.begin": true,
    "identity.recovery.object": true,
    "identity.recovery.complete": true,
    "platform.operator.add": true,
    "platform.operator.remove": true,
    "platform.erase": true,
    "platform.tariff.publish": true,
    "platform.payout.execute": true,
    "platform.payout.return": true,
    "platform.billing.set": true,
    "imvu.create": true,
    "imvu.scale": true,
    "imvu.exit": true,
    "imvu.import": true,
    "imvu.member.set": true,
    "imvu.member.remove": true,
    "service.deploy": true,
    "service.restart": true,
    "service.remove": true,
    "dns.set": true,
    "dns.remove": true,
    "mail.mailbox.create": true,
    "mail.mailbox.password": true,
    "mail.mailbox.remove": true,
    "route.set": true,
    "route.remove": true,
    "consent.record": true,
    "revenue.record": true,
    "revenue.reverse": true,
    "imvu.payout.account": true,
    "imvu.billing.set": true,
    "imvu.snapshot.create": true,
    "imvu.snapshot.restore": true,
    "imvu.snapshot.remove": true,
    "imvu.budget.set": true,
    "imvu.erase": true,
  },
  denials: {
    LEDGER_UNAVAILABLE: { says: "the ledger cannot take the entry, so nothing happens", hint: "'nexus doctor' says why the database does not write; then send it again" },
    ...ERASURE_DENIALS,
  },
  decide(command, facts, answer) {
    if (!facts.platform.ledgerWritable) return answer.deny("LEDGER_UNAVAILABLE");
    return isErasure(command) ? mayErase(command, facts, answer) : answer.pass();
  },
  /** An intact log is half of it: each fabric must also find no change in its engine that no entry explains. */
  async probe(reality, imvu) {
    const log = await listen("log", async () => {
      const { ok, detail } = await reality.log.fsck();
      return { verdict: ok ? "holds" : "broken", detail };
    });
    return combine([log, ...(await askFabrics(reality, 11, imvu, ["compute", "domains", "mail", "network"]))]);
  },
});
