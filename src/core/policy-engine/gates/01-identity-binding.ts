import { CLOCK_SKEW_MS_MAX, COMMAND_LIFETIME_MS_MAX, type Command, type Verdict } from "../../../contract/index.ts";
import type { ImvuId } from "../../../kernel/index.ts";
import { broughtBy, isIdentityCommand, kidOf, openCommand, publicKeyFromText, verifySignatures } from "../../identity/index.ts";
import { broken, combine, holds, type Said, unproven } from "../ask.ts";
import type { Facts } from "../facts.ts";
import { type Answer, defineGate } from "../gate.ts";
import { type KeyCode, KEY_DENIALS, changesKeys, registers } from "../own-keys.ts";
import { isOperatorCommand, operates, OPERATOR_DENIALS, type OperatorCode } from "../operators.ts";
import type { Reality } from "../reality.ts";
import { actorOf, mayDo, roleOfActor } from "../standing.ts";

type Code =
  | KeyCode | OperatorCode
  | "SIGNATURE_INVALID" | "KEY_UNKNOWN" | "KEY_REVOKED" | "KEY_ROTATED" | "KEY_RECOVERS_ONLY" | "NOT_YET_VALID" | "EXPIRED" | "LIFETIME" | "REPLAYED"
  | "NOT_THE_OWNER" | "NOT_A_MEMBER" | "ROLE";

export const identityBinding = defineGate<Code>({
  number: 1,
  title: "identity binding",
  rule: "every change is bound to a verified identity",
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
    SIGNATURE_INVALID: { says: "a signature does not belong to this command", hint: "sign the command again; 'nexus identity list' shows your keys" },
    KEY_UNKNOWN: { says: "a signing key belongs to nobody on this platform", hint: "register it with 'nexus identity register NAME'" },
    KEY_REVOKED: { says: "a signing key was revoked", hint: "sign with a live key; 'nexus identity show NAME' says which are" },
    KEY_ROTATED: { says: "a newer key took the place of a signing key", hint: "sign with the newer one; 'nexus identity show NAME' says which are live" },
    KEY_RECOVERS_ONLY: { says: "a key of a recovery signed, and such a key is good for nothing else", hint: "sign with a live key; 'nexus identity show NAME' says which are" },
    NOT_YET_VALID: { says: "the command is dated in the future", hint: "set this machine's clock, then send it again" },
    EXPIRED: { says: "the command is past its expiry", hint: "sign it again" },
    LIFETIME: { says: "the command lives longer than a command may", hint: "sign it again with a shorter life" },
    REPLAYED: { says: "the nonce was used by an earlier command", hint: "sign it again; each signature has a nonce of its own" },
    ...KEY_DENIALS,
    NOT_THE_OWNER: { says: "an IMVU is created by its owner", hint: "sign as the owner: '--owner NAME' of an identity you hold" },
    NOT_A_MEMBER: { says: "the signer has no part in an IMVU of that id", hint: "check the id with 'nexus imvu list', and who you sign as with 'nexus identity list'" },
    ROLE: { says: "the signer's role does not allow this", hint: "ask the owner to sign it" },
    ...OPERATOR_DENIALS,
  },
  decide(command, facts, answer) {
    const late = dated(command, facts, answer);
    if (late) return late;
    if (command.op === "identity.register") return registers(command, facts, answer);
    const unfit = signaturesUnfit(command, facts, answer);
    if (unfit) return unfit;
    if (isIdentityCommand(command)) return changesKeys(command, facts, answer);
    const actor = actorOf(facts);
    if (actor === null) return answer.deny("SIGNATURE_INVALID");
    if (isOperatorCommand(command)) return operates(command, facts, answer);
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

/** Each signature by a live key of somebody; but for keys that the command itself brings, and those that a recovery is for. */
function signaturesUnfit(command: Command, facts: Facts, answer: Answer<Code>): Verdict | undefined {
  const brought = new Set<string>(broughtBy(command).map(kidOf));
  for (const [at, signature] of facts.signatures.entries()) {
    const { kid, status } = signature;
    if (brought.has(kid)) {
      if (status !== "unknown") return answer.deny("KEY_TAKEN", { kid });
      if (!signature.valid) return answer.deny("SIGNATURE_INVALID", { signature: at, kid });
      continue;
    }
    if (status === "unknown" || signature.identity === null) return answer.deny("KEY_UNKNOWN", { signature: at, kid });
    if (status === "revoked") return answer.deny("KEY_REVOKED", { signature: at, kid });
    if (status === "rotated") return answer.deny("KEY_ROTATED", { signature: at, kid });
    if (status !== "live" && !recovers(command, at, status)) return answer.deny("KEY_RECOVERS_ONLY", { signature: at, kid });
    if (!signature.valid) return answer.deny("SIGNATURE_INVALID", { signature: at, kid });
  }
  return undefined;
}

/** Where a recovery's keys may sign: to begin it, to complete it, and to give way to another recovery key. */
function recovers({ op }: Command, at: number, status: "recovery" | "pending"): boolean {
  if (op === "identity.recovery.begin") return at === 0 && status === "recovery";
  if (op === "identity.recovery.complete") return at === 0 && status === "pending";
  return op === "identity.recovery.set" && at > 0 && status === "recovery";
}

/** Every accepted command again, from the log's own bytes, with the keys that were live at its time. */
async function recordedCommandsVerify(reality: Reality, imvu: ImvuId | undefined): Promise<Said> {
  let commands = 0;
  for await (const recorded of reality.log.acceptedCommands(imvu)) {
    const opened = openCommand(recorded.signed);
    if (!opened.ok) return broken("log", `entry ${recorded.index}: not a command: ${opened.message}`);
    const { command, signatures } = opened.value;
    const keys = await Promise.all(signatures.map(({ kid }) => reality.log.keyAt(kid, recorded.index)));
    const brought = broughtBy(command).map(publicKeyFromText).flatMap((key) => (key.ok ? [key.value] : []));
    const usable = keys.flatMap((key, at) => (key && (key.state === "live" || ((key.state === "recovery" || key.state === "pending") && recovers(command, at, key.state))) ? [key.publicKey] : []));
    const verified = verifySignatures(opened.value, (kid) => [...usable, ...brought].find((key) => key.kid === kid));
    const wrong = verified.find((signature) => !signature.valid);
    if (wrong) return broken("log", `entry ${recorded.index}: the signature of ${wrong.kid} does not verify by a key that could sign it then`);
    commands += 1;
  }
  return commands > 0 ? holds("log", `${commands} accepted commands verify by keys live at their time`) : unproven("log", "no accepted command to verify yet");
}
