import type { Envelope } from "../../../contract/index.ts";
import type { Json } from "../../../kernel/index.ts";
import { askFabrics, combine } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { hasStanding, ownerSigned, subjectOf } from "../standing.ts";

export const noSilentThrottling = defineGate({
  number: 15,
  title: "no silent throttling",
  rule: "resources are not reduced behind the owner's back",
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
    "mail.mailbox.remove": false,
    "route.set": true,
    "route.remove": false,
    "consent.record": false,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": false,
    "imvu.snapshot.restore": false,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    OWNER_APPROVAL_MISSING: { says: "a decrease needs the owner's signature over this very command", hint: "ask the owner to sign it, or ask for no less than there is" },
  },
  decide(command, facts, answer) {
    if (ownerSigned(command, facts)) return answer.pass();
    const imvu = subjectOf(command, facts);
    // To a stranger the answer is the same whatever the figures are: it must not measure the envelope.
    if (imvu === null || !hasStanding(command, facts)) return answer.deny("OWNER_APPROVAL_MISSING");
    if (command.op === "imvu.scale") {
      const less = decreases(imvu.envelope, command.params.envelope);
      return less === undefined ? answer.pass() : answer.deny("OWNER_APPROVAL_MISSING", less.asked, less.agreed);
    }
    if (command.op === "route.set" && imvu.named.route !== null) {
      const [asked, agreed] = [command.params.ratePerMinute, imvu.named.route.ratePerMinute];
      if (asked !== null && (agreed === null || asked < agreed)) return answer.deny("OWNER_APPROVAL_MISSING", { ratePerMinute: asked }, { ratePerMinute: agreed });
    }
    return answer.pass();
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 15, imvu, ["compute", "network"]));
  },
});

const FIGURES = ["cpuMillis", "memoryBytes", "storageBytes", "iops", "bandwidthBps", "processes"] as const;

/** Every figure that would fall, beside what the owner agreed to. */
function decreases(agreed: Envelope, asked: Envelope): { asked: Json; agreed: Json } | undefined {
  const less = FIGURES.filter((what) => asked[what] < agreed[what]);
  const pick = (from: Envelope) => Object.fromEntries(less.map((what) => [what, from[what]]));
  const burst = burstFalls(agreed.burst, asked.burst);
  if (less.length === 0 && !burst) return undefined;
  return { asked: { ...pick(asked), ...(burst && { burst: asked.burst }) }, agreed: { ...pick(agreed), ...(burst && { burst: agreed.burst }) } };
}

function burstFalls(agreed: Envelope["burst"], asked: Envelope["burst"]): boolean {
  return agreed !== null && (asked === null || asked.factor < agreed.factor || asked.seconds < agreed.seconds);
}
