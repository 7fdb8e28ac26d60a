import type { ImvuId } from "../../../kernel/index.ts";
import { broken, combine, holds, listen, type Said } from "../ask.ts";
import { defineGate } from "../gate.ts";
import type { Reality } from "../reality.ts";

export const platformNonRepudiation = defineGate({
  number: 17,
  title: "platform non-repudiation",
  rule: "the platform cannot deny what it did",
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
    PLATFORM_KEY_MISSING: { says: "the platform cannot sign what it is about to do, so it does nothing", hint: "'nexus doctor' says why the log key is not loaded" },
  },
  decide(_command, facts, answer) {
    return facts.platform.keyLoaded ? answer.pass() : answer.deny("PLATFORM_KEY_MISSING");
  },
  async probe(reality, imvu) {
    const history = await listen("log", async () => {
      const { ok, detail } = await reality.log.checkpointConsistent();
      return { verdict: ok ? "holds" : "broken", detail };
    });
    return combine([history, await effectsHaveIntents(reality, imvu)]);
  },
});

/** Each effect stands after the accepted command that it belongs to. */
async function effectsHaveIntents(reality: Reality, imvu: ImvuId | undefined): Promise<Said> {
  const intents = new Set<string>();
  let effects = 0;
  for await (const { index, type, command } of reality.log.entries(imvu)) {
    if (type === "command.accepted" && command !== undefined) intents.add(command);
    if (type !== "effect.applied" && type !== "effect.failed") continue;
    effects += 1;
    if (command === undefined || !intents.has(command)) return broken("log", `entry ${index}: an effect without an intent before it`);
  }
  return holds("log", `${effects} effects, each after its intent`);
}
