import type { Op } from "../../../contract/index.ts";
import { combine, listen, type Said, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { subjectOf } from "../standing.ts";

/** While a capture is written, these would take from it what it has not reached yet. Everything else goes on: the IMVU lives. */
const TAKES_AWAY: ReadonlySet<Op> = new Set<Op>(["service.remove", "dns.remove", "mail.mailbox.remove", "route.remove", "imvu.snapshot.restore", "imvu.snapshot.remove"]);

export const exitPortability = defineGate({
  number: 13,
  title: "exit portability",
  rule: "an IMVU can always leave with everything",
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
    "imvu.exit": true,
    "imvu.import": false,
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
    "imvu.payout.account": false,
    "imvu.billing.set": true,
    "imvu.snapshot.create": true,
    "imvu.snapshot.restore": true,
    "imvu.snapshot.remove": true,
    "imvu.budget.set": true,
    "imvu.erase": true,
  },
  denials: {
    EXIT_IN_PROGRESS: { says: "an export is being written, and this would take something away from it", hint: "wait for 'nexus imvu exit-status --imvu-id ID' to say exported" },
    EXITED: { says: "the IMVU has left: what is made now would be in no bundle", hint: "import its bundle where it shall live on: 'nexus imvu import BUNDLE'" },
  },
  decide(command, facts, answer) {
    // Nothing blocks, delays, prices or conditions an exit: no fact is read for it.
    if (command.op === "imvu.exit") return answer.pass();
    const status = subjectOf(command, facts)?.status;
    if (status === "exited") return answer.deny("EXITED", { status });
    return status === "exiting" && TAKES_AWAY.has(command.op) ? answer.deny("EXIT_IN_PROGRESS", { status }) : answer.pass();
  },
  async probe(reality, imvu) {
    const rehearse = reality.rehearseExit?.bind(reality);
    if (rehearse === undefined) return combine([unproven("export", "no export is made and rehearsed by this probe yet; 'nexus imvu exit' rehearses each one")]);
    const imvus = imvu === undefined ? await reality.imvus() : [imvu];
    const said: Said[] = [];
    for (const one of imvus) said.push(await listen(one, () => rehearse(one), REHEARSAL_TIMEOUT_MS));
    return combine(imvus.length === 0 ? [unproven("export", "no IMVU is there to export")] : said);
  },
});

const REHEARSAL_TIMEOUT_MS = 10 * 60_000;
