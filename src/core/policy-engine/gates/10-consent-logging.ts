import type { ImvuId } from "../../../kernel/index.ts";
import { openCommand } from "../../identity/index.ts";
import { broken, combine, holds, type Said, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import type { AnsweredConsent, Reality } from "../reality.ts";

export const consentLogging = defineGate({
  number: 10,
  title: "consent logging",
  rule: "consent of end users is recorded for good",
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
    "imvu.scale": false,
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
    "mail.mailbox.remove": false,
    "route.set": false,
    "route.remove": false,
    "consent.record": true,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": false,
    "imvu.snapshot.restore": false,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": true,
  },
  denials: {
    HISTORY_UNKNOWN: { says: "what was recorded of this subject before could not be read", hint: "try again; if it stays, 'nexus doctor'" },
    NOTHING_TO_WITHDRAW: { says: "nothing that this subject gave for this purpose stands", hint: "'nexus consent history --imvu-id ID --subject SUBJECT' shows what was recorded" },
    GIVEN_ALREADY: { says: "this very text stands given by this subject for this purpose", hint: "'nexus consent history --imvu-id ID --subject SUBJECT' shows since when" },
    EARLIER_STANDS: { says: "earlier records of the same subject and purpose stand: what was withdrawn would count again", hint: "erase the oldest first: 'nexus consent erase' does" },
  },
  decide(command, facts, answer) {
    if (command.op === "imvu.erase") return (facts.erasure?.earlier ?? 0) === 0 ? answer.pass() : answer.deny("EARLIER_STANDS", null, { earlier: facts.erasure?.earlier ?? 0 });
    if (command.op !== "consent.record") return answer.pass();
    const { state, text } = command.params;
    const { consent } = facts;
    if (consent === null) return answer.deny("HISTORY_UNKNOWN");
    if (state === "withdrawn") return consent.state === "given" ? answer.pass() : answer.deny("NOTHING_TO_WITHDRAW", { state }, { state: consent.state });
    return consent.state === "given" && consent.text === text ? answer.deny("GIVEN_ALREADY", { text }) : answer.pass();
  },
  async probe(reality, imvu) {
    const ask = reality.answeredConsents?.bind(reality);
    if (ask === undefined) return combine([unproven("history", "is not asked by this probe yet")]);
    const said: Said[] = [];
    for (const one of imvu === undefined ? await reality.imvus() : [imvu]) said.push(await historyIsWhole(reality, one, await ask(one)));
    return combine(said.length === 0 ? [unproven("log", "no IMVU is there whose end users could consent")] : said);
  },
});

/** What the platform answers about consent is, line by line and in order, what the log's own commands say. */
async function historyIsWhole(reality: Reality, imvu: ImvuId, answered: readonly AnsweredConsent[]): Promise<Said> {
  let lines = 0;
  for await (const { index, signed } of reality.log.acceptedCommands(imvu)) {
    const opened = openCommand(signed);
    if (!opened.ok || opened.value.command.op !== "consent.record") continue;
    const { subject, purpose, text, state } = opened.value.command.params;
    const line = answered[lines];
    if (line === undefined) return broken(imvu, `entry ${index}, ${state} by ${subject} for ${purpose}, is missing from the history`);
    if (line.index !== index || line.subject !== subject || line.purpose !== purpose || line.text !== text || line.state !== state)
      return broken(imvu, `the history says ${line.state} by ${line.subject} for ${line.purpose} (entry ${line.index}) where the log says ${state} by ${subject} for ${purpose} (entry ${index})`);
    lines += 1;
  }
  const extra = answered[lines];
  return extra ? broken(imvu, `the history holds ${extra.state} by ${extra.subject} for ${extra.purpose}, which the log does not`) : holds(imvu, `${lines} recorded consents are answered as the log tells them, in order`);
}
