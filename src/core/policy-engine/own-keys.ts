import { RECOVERY_WAIT_MS, type Verdict } from "../../contract/index.ts";
import { broughtBy, type IdentityCommand, kidOf } from "../identity/index.ts";
import type { Facts, IdentityFacts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";
import { KEYS_PER_IDENTITY_MAX, LIVE_KEYS_PER_IDENTITY_MAX } from "./limits.ts";
import { actorOf } from "./standing.ts";

/** Gate 1's rules for what an identity does with its own keys. */
export type KeyCode =
  | "NAME_TAKEN" | "KEY_TAKEN" | "NOT_SELF_SIGNED" | "UNEXPECTED_SIGNATURE" | "KEYS_UNREAD" | "TOO_MANY_KEYS" | "NO_SUCH_KEY" | "LAST_KEY" | "RECOVERY_KEY_MISSING" | "NOT_YOURS" | "NO_RECOVERY" | "RECOVERY_EARLY";

export const KEY_DENIALS: Readonly<Record<KeyCode, Denial>> = {
  NAME_TAKEN: { says: "the identity's name is taken", hint: "choose another name: 'nexus identity create NAME'" },
  KEY_TAKEN: { says: "the key belongs to an identity already", hint: "create a new key: 'nexus identity create NAME'" },
  NOT_SELF_SIGNED: { says: "each key that takes up its work by a command signs it too, and an identity is registered by its own key alone", hint: "let 'nexus identity' sign it" },
  UNEXPECTED_SIGNATURE: { says: "a key signed that this command has no use for", hint: "let 'nexus identity' sign it" },
  KEYS_UNREAD: { says: "the identity's keys could not be read", hint: "try again; if it stays, 'nexus doctor'" },
  TOO_MANY_KEYS: { says: "the identity has as many keys as it may", hint: "revoke one: 'nexus identity revoke NAME --device DEVICE'" },
  NO_SUCH_KEY: { says: "the identity has no live key of that id", hint: "'nexus identity show NAME' lists them" },
  LAST_KEY: { says: "it is the only live key, and nothing could bring the identity back", hint: "replace it: 'nexus identity rotate NAME'; or set a recovery key first: 'nexus identity recovery-key NAME'" },
  RECOVERY_KEY_MISSING: { says: "a recovery key gives way to another one only by its own signature", hint: "have the present recovery key at hand: 'nexus identity recovery-key NAME'" },
  NOT_YOURS: { says: "the signing key belongs to another identity", hint: "check the name" },
  NO_RECOVERY: { says: "no recovery waits", hint: "'nexus identity show NAME' says so too" },
  RECOVERY_EARLY: { says: "the time in which older keys can object is not over", hint: "run the same again then" },
};

/** Self-signed: the key in the params signs, alone, and proves that its holder is there. Its recovery key lies in a drawer already. */
export function registers(command: IdentityCommand & { readonly op: "identity.register" }, facts: Facts, answer: Answer<KeyCode | "SIGNATURE_INVALID">): Verdict {
  const [signature, ...others] = facts.signatures;
  const [kid = "", recoveryKid] = broughtBy(command).map(kidOf);
  if (signature === undefined || others.length > 0 || signature.kid !== kid) return answer.deny("NOT_SELF_SIGNED", { kid: signature?.kid ?? null }, { kid });
  if (!signature.valid) return answer.deny("SIGNATURE_INVALID", { signature: 0, kid });
  if (facts.registration === null || facts.registration.keyTaken || signature.status !== "unknown" || recoveryKid === kid) return answer.deny("KEY_TAKEN", { kid });
  return facts.registration.nameTaken ? answer.deny("NAME_TAKEN", command.params.name) : answer.pass();
}

/** Everything after the registration. That each signature is by a fit key was judged before. */
export function changesKeys(command: Exclude<IdentityCommand, { op: "identity.register" }>, facts: Facts, answer: Answer<KeyCode>): Verdict {
  const mine = facts.identity ?? null;
  const [first, ...others] = facts.signatures;
  if (mine === null || first === undefined || first.identity !== mine.name) return answer.deny("KEYS_UNREAD");
  const brought = broughtBy(command).map(kidOf);
  const missing = brought.find((kid) => !facts.signatures.some((signature) => signature.kid === kid));
  if (brought.includes(first.kid) || missing !== undefined) return answer.deny("NOT_SELF_SIGNED", { kid: first.kid }, { kids: brought });
  if (brought.length > 0 && (facts.registration === null || facts.registration.keyTaken)) return answer.deny("KEY_TAKEN", { kids: brought });
  const expected = new Set<string>(command.op === "identity.recovery.set" && mine.recoveryKid !== null ? [...brought, mine.recoveryKid] : brought);
  const stray = others.find(({ kid }) => !expected.has(kid));
  if (stray) return answer.deny("UNEXPECTED_SIGNATURE", { kid: stray.kid });
  if (brought.length > 0 && mine.keys >= KEYS_PER_IDENTITY_MAX) return answer.deny("TOO_MANY_KEYS", { keys: mine.keys + 1 }, { keys: KEYS_PER_IDENTITY_MAX });
  return changes(command, mine, facts, answer);
}

function changes(command: Exclude<IdentityCommand, { op: "identity.register" }>, mine: IdentityFacts, facts: Facts, answer: Answer<KeyCode>): Verdict {
  switch (command.op) {
    case "identity.key.add":
      return mine.liveKeys >= LIVE_KEYS_PER_IDENTITY_MAX ? answer.deny("TOO_MANY_KEYS", { live: mine.liveKeys + 1 }, { live: LIVE_KEYS_PER_IDENTITY_MAX }) : answer.pass();
    case "identity.key.rotate":
      return actorOf(facts) === null ? answer.deny("KEYS_UNREAD") : answer.pass();
    case "identity.key.revoke":
      if (mine.named !== "live") return answer.deny("NO_SUCH_KEY", { kid: command.params.kid });
      return mine.liveKeys <= 1 && mine.recoveryKid === null ? answer.deny("LAST_KEY", { kid: command.params.kid }) : answer.pass();
    case "identity.recovery.set": {
      const { recoveryKid } = mine;
      return recoveryKid !== null && !facts.signatures.some(({ kid }) => kid === recoveryKid) ? answer.deny("RECOVERY_KEY_MISSING", { kid: recoveryKid }) : answer.pass();
    }
    case "identity.recovery.begin":
      if (facts.signatures[0]?.status !== "recovery") return answer.deny("RECOVERY_KEY_MISSING");
      return command.params.name === mine.name ? answer.pass() : answer.deny("NOT_YOURS", command.params.name);
    case "identity.recovery.object":
      return mine.pendingSince_ms === null ? answer.deny("NO_RECOVERY") : answer.pass();
    case "identity.recovery.complete": {
      if (command.params.name !== mine.name) return answer.deny("NOT_YOURS", command.params.name);
      if (mine.pendingSince_ms === null || facts.signatures[0]?.status !== "pending") return answer.deny("NO_RECOVERY");
      const from_ms = mine.pendingSince_ms + RECOVERY_WAIT_MS;
      return facts.now_ms < from_ms ? answer.deny("RECOVERY_EARLY", { now_ms: facts.now_ms }, { from_ms }) : answer.pass();
    }
  }
}
