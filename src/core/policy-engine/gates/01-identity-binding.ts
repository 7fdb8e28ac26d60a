import { CLOCK_SKEW_MS_MAX, COMMAND_LIFETIME_MS_MAX, type Command, type Verdict } from "../../../contract/index.ts";
import type { ImvuId } from "../../../kernel/index.ts";
import { kidOf, openCommand, verifySignatures } from "../../identity/index.ts";
import { broken, combine, holds, type Said, unproven } from "../ask.ts";
import type { Facts } from "../facts.ts";
import { type Answer, defineGate } from "../gate.ts";
import type { Reality } from "../reality.ts";
import { actorOf, counts, mayDo, roleOfActor } from "../standing.ts";

type Code =
  | "SIGNATURE_INVALID" | "KEY_UNKNOWN" | "KEY_REVOKED" | "NOT_YET_VALID" | "EXPIRED" | "LIFETIME" | "REPLAYED"
  | "NAME_TAKEN" | "KEY_TAKEN" | "NOT_SELF_SIGNED" | "NOT_THE_OWNER" | "NOT_A_MEMBER" | "ROLE";

export const identityBinding = defineGate<Code>({
  number: 1,
  title: "identity binding",
  rule: "every change is bound to a verified identity",
  appliesTo: {
    "identity.register": true,
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
  },
  denials: {
    SIGNATURE_INVALID: { says: "a signature does not belong to this command", hint: "sign the command again; 'nexus identity list' shows your keys" },
    KEY_UNKNOWN: { says: "a signing key belongs to nobody on this platform", hint: "register it with 'nexus identity create NAME'" },
    KEY_REVOKED: { says: "a signing key was revoked", hint: "sign with a live key; 'nexus identity show NAME' says which are" },
    NOT_YET_VALID: { says: "the command is dated in the future", hint: "set this machine's clock, then send it again" },
    EXPIRED: { says: "the command is past its expiry", hint: "sign it again" },
    LIFETIME: { says: "the command lives longer than a command may", hint: "sign it again with a shorter life" },
    REPLAYED: { says: "the nonce was used by an earlier command", hint: "sign it again; each signature has a nonce of its own" },
    NAME_TAKEN: { says: "the identity's name is taken", hint: "choose another name: 'nexus identity create NAME'" },
    KEY_TAKEN: { says: "the key belongs to an identity already", hint: "create a new key: 'nexus identity create NAME'" },
    NOT_SELF_SIGNED: { says: "an identity is registered by its own key alone", hint: "run 'nexus identity create NAME'" },
    NOT_THE_OWNER: { says: "an IMVU is created by its owner", hint: "sign as the owner: '--owner NAME' of an identity you hold" },
    NOT_A_MEMBER: { says: "the signer has no part in an IMVU of that id", hint: "check the id with 'nexus imvu list', and who you sign as with 'nexus identity list'" },
    ROLE: { says: "the signer's role does not allow this", hint: "ask the owner to sign it" },
  },
  decide(command, facts, answer) {
    const late = dated(command, facts, answer);
    if (late) return late;
    if (command.op === "identity.register") return registers(command, facts, answer);
    for (const [at, signature] of facts.signatures.entries()) {
      if (signature.status === "unknown" || signature.identity === null) return answer.deny("KEY_UNKNOWN", { signature: at, kid: signature.kid });
      if (signature.status === "revoked") return answer.deny("KEY_REVOKED", { signature: at, kid: signature.kid });
      if (!counts(signature)) return answer.deny("SIGNATURE_INVALID", { signature: at, kid: signature.kid });
    }
    const actor = actorOf(facts);
    if (actor === null) return answer.deny("SIGNATURE_INVALID");
    if (command.op === "imvu.create") return actor === command.params.owner ? answer.pass() : answer.deny("NOT_THE_OWNER", actor, command.params.owner);
    if (command.op === "imvu.import") return answer.pass();
    if (mayDo(command, facts)) return answer.pass();
    const role = roleOfActor(command, facts);
    return role === undefined ? answer.deny("NOT_A_MEMBER", actor) : answer.deny("ROLE", role);
  },
  async probe(reality, imvu) {
    return combine([await recordedCommandsVerify(reality, imvu)]);
  },
});

function dated(command: Command, facts: Facts, answer: Answer<Code>): Verdict | undefined {
  const { iat, exp } = command;
  if (exp <= iat || exp - iat > COMMAND_LIFETIME_MS_MAX) return answer.deny("LIFETIME", { lifetime_ms: exp - iat }, { lifetime_ms: COMMAND_LIFETIME_MS_MAX });
  if (iat > facts.now_ms + CLOCK_SKEW_MS_MAX) return answer.deny("NOT_YET_VALID", { iat }, { iat: facts.now_ms + CLOCK_SKEW_MS_MAX });
  if (exp < facts.now_ms) return answer.deny("EXPIRED", { exp }, { now: facts.now_ms });
  return facts.nonceSeen ? answer.deny("REPLAYED", { nonce: command.nonce }) : undefined;
}

/** Self-signed: the key in the params signs, alone, and proves that its holder is there. */
function registers(command: Command & { op: "identity.register" }, facts: Facts, answer: Answer<Code>): Verdict {
  const [signature, ...others] = facts.signatures;
  const kid = kidOf(command.params.publicKey);
  if (signature === undefined || others.length > 0 || signature.kid !== kid) return answer.deny("NOT_SELF_SIGNED", { kid: signature?.kid ?? null }, { kid });
  if (!signature.valid) return answer.deny("SIGNATURE_INVALID", { signature: 0, kid });
  if (facts.registration === null || facts.registration.keyTaken || signature.status !== "unknown") return answer.deny("KEY_TAKEN", { kid });
  return facts.registration.nameTaken ? answer.deny("NAME_TAKEN", command.params.name) : answer.pass();
}

/** Every accepted command again, from the log's own bytes, with the keys that were live at its time. */
async function recordedCommandsVerify(reality: Reality, imvu: ImvuId | undefined): Promise<Said> {
  let commands = 0;
  for await (const recorded of reality.log.acceptedCommands(imvu)) {
    const opened = openCommand(recorded.signed);
    if (!opened.ok) return broken("log", `entry ${recorded.index}: not a command: ${opened.message}`);
    const keys = await Promise.all(opened.value.signatures.map(({ kid }) => reality.log.keyLiveAt(kid, recorded.at_ms)));
    const verified = verifySignatures(opened.value, (kid) => keys.find((key) => key?.kid === kid));
    const wrong = verified.find((signature) => !signature.valid);
    if (wrong) return broken("log", `entry ${recorded.index}: the signature of ${wrong.kid} does not verify by a key live at that time`);
    commands += 1;
  }
  return commands > 0 ? holds("log", `${commands} accepted commands verify by keys live at their time`) : unproven("log", "no accepted command to verify yet");
}
