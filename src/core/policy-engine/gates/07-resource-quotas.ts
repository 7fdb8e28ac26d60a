import type { Command, Envelope, Verdict } from "../../../contract/index.ts";
import { askFabrics, combine } from "../ask.ts";
import type { Facts, ImvuFacts, NodeFacts } from "../facts.ts";
import { type Answer, defineGate, judgeParts } from "../gate.ts";
import {
  CPU_OVERCOMMIT_FACTOR, MAILBOXES_PER_IMVU_MAX, MEMBERS_PER_IMVU_MAX, RECORD_SETS_PER_IMVU_MAX, ROUTES_PER_IMVU_MAX,
} from "../limits.ts";
import { servicesMax } from "../parts.ts";
import { mayTake } from "../snapshots.ts";
import { subjectOf } from "../standing.ts";

type Code = "QUOTA_EXCEEDED" | "IN_USE" | "NODE_FULL" | "FIGURES_UNKNOWN";

export const resourceQuotas = defineGate<Code>({
  number: 7,
  title: "resource quotas",
  rule: "nobody exceeds the envelope",
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
    "imvu.create": true,
    "imvu.scale": true,
    "imvu.exit": false,
    "imvu.import": true,
    "imvu.member.set": true,
    "imvu.member.remove": false,
    "service.deploy": true,
    "service.restart": false,
    "service.remove": false,
    "dns.set": true,
    "dns.remove": false,
    "mail.mailbox.create": true,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": false,
    "route.set": true,
    "route.remove": false,
    "consent.record": false,
    "revenue.record": false,
    "revenue.reverse": false,
    "imvu.payout.account": false,
    "imvu.billing.set": false,
    "imvu.snapshot.create": true,
    "imvu.snapshot.restore": false,
    "imvu.snapshot.remove": false,
    "imvu.budget.set": false,
    "imvu.erase": false,
  },
  denials: {
    QUOTA_EXCEEDED: { says: "it would exceed the envelope", hint: "ask for less, or raise the envelope: 'nexus imvu scale --imvu-id ID --help'" },
    IN_USE: { says: "the new envelope is smaller than what is in use", hint: "free some first, or ask for more; 'nexus imvu show ID' shows what is used" },
    NODE_FULL: { says: "the node has no room for it", hint: "ask for less; 'nexus status' shows what is free" },
    FIGURES_UNKNOWN: { says: "what is used could not be read", hint: "try again; 'nexus doctor' names the engine that does not answer" },
  },
  decide(command, facts, answer) {
    switch (command.op) {
      case "imvu.create":
        return fitsNode(command.params.envelope, undefined, facts.node, answer);
      case "imvu.import":
        return arrives(facts, answer);
      default: {
        const imvu = subjectOf(command, facts);
        return imvu === null ? answer.deny("FIGURES_UNKNOWN") : withinEnvelope(command, imvu, facts, answer);
      }
    }
  },
  async probe(reality, imvu) {
    return combine(await askFabrics(reality, 7, imvu, ["compute", "mail", "network"]));
  },
});

function withinEnvelope(command: Command, imvu: ImvuFacts, facts: Facts, answer: Answer<Code>): Verdict {
  const count = (what: keyof ImvuFacts["counts"], exists: boolean, limit: number): Verdict =>
    exists || imvu.counts[what] < limit ? answer.pass() : answer.deny("QUOTA_EXCEEDED", { [what]: imvu.counts[what] + 1 }, { [what]: limit });
  switch (command.op) {
    case "imvu.scale":
      return scales(command.params.envelope, imvu, facts, answer);
    case "imvu.snapshot.create":
      return mayTake(imvu, facts, answer);
    case "service.deploy":
      return deploys(imvu, facts, answer, count("services", imvu.named.service, servicesMax(imvu.envelope)));
    case "mail.mailbox.create": {
      if (facts.used === null) return answer.deny("FIGURES_UNKNOWN");
      const free = imvu.envelope.storageBytes - facts.used.storageBytes - imvu.mailQuotaBytes;
      if (command.params.quotaBytes > free) return answer.deny("QUOTA_EXCEEDED", { quotaBytes: command.params.quotaBytes }, { quotaBytes: Math.max(0, free) });
      return count("mailboxes", imvu.named.mailbox, MAILBOXES_PER_IMVU_MAX);
    }
    case "dns.set":
      return count("recordSets", imvu.named.recordSet, RECORD_SETS_PER_IMVU_MAX);
    case "imvu.member.set":
      return count("members", imvu.named.member, MEMBERS_PER_IMVU_MAX);
    case "route.set":
      return count("routes", imvu.named.route !== null, ROUTES_PER_IMVU_MAX);
    default:
      return answer.pass();
  }
}

/** The unit within its own envelope first, then the envelope within the node. */
function arrives(facts: Facts, answer: Answer<Code>): Verdict {
  const parts = judgeParts(7, facts, answer, ["QUOTA_EXCEEDED"], "FIGURES_UNKNOWN");
  return parts.verdict === "deny" || facts.bundle === null ? parts : fitsNode(facts.bundle.envelope, undefined, facts.node, answer);
}

/** What is deployed is unpacked onto the volume's budget, so it must fit what is left there. */
function deploys(imvu: ImvuFacts, facts: Facts, answer: Answer<Code>, counted: Verdict): Verdict {
  if (facts.used === null) return answer.deny("FIGURES_UNKNOWN");
  const contentBytes = facts.blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  const free = imvu.envelope.storageBytes - facts.used.storageBytes - imvu.mailQuotaBytes;
  return contentBytes > free ? answer.deny("QUOTA_EXCEEDED", { contentBytes }, { contentBytes: Math.max(0, free) }) : counted;
}

function scales(next: Envelope, imvu: ImvuFacts, facts: Facts, answer: Answer<Code>): Verdict {
  if (facts.used === null) return answer.deny("FIGURES_UNKNOWN");
  const inUse = {
    memoryBytes: facts.used.memoryBytes,
    storageBytes: facts.used.storageBytes + imvu.mailQuotaBytes,
    processes: facts.used.processes,
  };
  for (const what of ["memoryBytes", "storageBytes", "processes"] as const) {
    // A limit that only grows cannot be too small for what already fits.
    if (next[what] < imvu.envelope[what] && next[what] < inUse[what]) return answer.deny("IN_USE", { [what]: next[what] }, { [what]: inUse[what] });
  }
  return fitsNode(next, imvu.envelope, facts.node, answer);
}

/** Figures that do not grow need no room. */
function fitsNode(next: Envelope, now: Envelope | undefined, node: NodeFacts | null, answer: Answer<Code>): Verdict {
  if (node === null || node.allocated === null) return answer.deny("FIGURES_UNKNOWN");
  const { capacity, allocated } = node;
  const room = {
    cpuMillis: capacity.cpuMillis * CPU_OVERCOMMIT_FACTOR - allocated.cpuMillis,
    memoryBytes: capacity.memoryBytes - allocated.memoryBytes,
    storageBytes: capacity.storageBytes - allocated.storageBytes,
  };
  for (const what of ["cpuMillis", "memoryBytes", "storageBytes"] as const) {
    const grows = now === undefined || next[what] > now[what];
    if (grows && next[what] > room[what]) return answer.deny("NODE_FULL", { [what]: next[what] }, { [what]: Math.max(0, room[what]) });
  }
  return answer.pass();
}
