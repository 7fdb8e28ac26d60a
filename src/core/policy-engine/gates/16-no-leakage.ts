import { askFabrics, combine, listen, type Said, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";
import { actorOf, hasStanding } from "../standing.ts";

export const noLeakage = defineGate({
  number: 16,
  title: "no cross-IMVU leakage",
  rule: "data of one IMVU never reaches another",
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
    FORBIDDEN: { says: "the subject is not the signer's", hint: "check the id with 'nexus imvu list'" },
    BLOB_FORBIDDEN: { says: "the content named by its digest is not there, or not the signer's", hint: "upload it first; 'nexus deploy' does" },
    BUNDLE_FORBIDDEN: { says: "the bundle belongs to another owner, or could not be read", hint: "import it with a key that its identity/ folder lists" },
  },
  decide(command, facts, answer) {
    if (!hasStanding(command, facts)) return answer.deny("FORBIDDEN");
    // A digest is a name, not a right: naming a neighbour's content must not fetch it, nor tell whether it exists.
    const foreign = facts.blobs.find((blob) => !blob.readable);
    if (foreign !== undefined) return answer.deny("BLOB_FORBIDDEN", foreign.digest);
    if (command.op === "imvu.import") {
      const { bundle } = facts;
      const signer = facts.signatures[0];
      const mine = bundle !== null && bundle.manifest === command.params.manifest && bundle.sourceId === command.params.sourceId;
      if (!mine || actorOf(facts) === null || signer === undefined || !bundle.ownerKids.includes(signer.kid)) return answer.deny("BUNDLE_FORBIDDEN", command.params.manifest);
    }
    return answer.pass();
  },
  async probe(reality, imvu) {
    const said: Said[] = [...(await askFabrics(reality, 16, imvu, ["compute", "mail"]))];
    const ask = reality.readAsStranger?.bind(reality);
    if (ask === undefined) said.push(unproven("api", "is not asked with a stranger's key by this probe yet"));
    else for (const one of imvu === undefined ? await reality.imvus() : [imvu]) said.push(await listen(`api ${one}`, () => ask(one)));
    return combine(said);
  },
});
