import { type Command, type MemberRole, type Op, OPS_WITHOUT_IMVU, type OpWithoutImvu } from "../../contract/index.ts";
import type { Facts, ImvuFacts, SignatureFact } from "./facts.ts";

/** Which roles of an IMVU may command what. What names no IMVU has rules of its own in gate 1. */
export const ROLES: Readonly<Record<Exclude<Op, OpWithoutImvu>, readonly MemberRole[]>> = {
  "imvu.scale": ["owner"],
  "imvu.exit": ["owner"],
  "imvu.member.set": ["owner"],
  "imvu.member.remove": ["owner"],
  "service.deploy": ["owner", "maintainer"],
  "service.restart": ["owner", "maintainer"],
  "service.remove": ["owner", "maintainer"],
  "dns.set": ["owner", "maintainer"],
  "dns.remove": ["owner", "maintainer"],
  "mail.mailbox.create": ["owner", "maintainer"],
  "mail.mailbox.password": ["owner", "maintainer"],
  "mail.mailbox.remove": ["owner", "maintainer"],
  "route.set": ["owner", "maintainer"],
  "route.remove": ["owner", "maintainer"],
  "consent.record": ["owner", "maintainer"],
  "revenue.record": ["owner", "maintainer", "billing"],
  "revenue.reverse": ["owner", "maintainer", "billing"],
  "imvu.payout.account": ["owner"],
  "imvu.billing.set": ["owner", "billing"],
  "imvu.snapshot.create": ["owner", "maintainer"],
  "imvu.snapshot.restore": ["owner"],
  "imvu.snapshot.remove": ["owner"],
  "imvu.budget.set": ["owner", "billing"],
  "imvu.erase": ["owner"],
};

/** The IMVU that the command is about; null when the facts hold none, or another. */
export function subjectOf(command: Command, facts: Facts): ImvuFacts | null {
  return facts.imvu !== null && facts.imvu.id === command.imvu ? facts.imvu : null;
}

/** A signature that counts: valid, by a live key of a registered identity. */
export function counts(signature: SignatureFact | undefined): signature is SignatureFact & { identity: string } {
  return signature?.valid === true && signature.status === "live" && signature.identity !== null;
}

/** The first signer, when that signature counts. */
export function actorOf(facts: Facts): SignatureFact["identity"] {
  const first = facts.signatures[0];
  return counts(first) ? first.identity : null;
}

/** The owner signed this very command, as its actor or in approval. An administrator's signature is neither. */
export function ownerSigned(command: Command, facts: Facts): boolean {
  const imvu = subjectOf(command, facts);
  return imvu !== null && facts.signatures.some((signature) => counts(signature) && signature.identity === imvu.owner);
}

export function roleOfActor(command: Command, facts: Facts): MemberRole | undefined {
  const actor = actorOf(facts);
  const imvu = subjectOf(command, facts);
  if (actor === null || imvu === null) return undefined;
  // The owner is one by the document itself, whatever a list of members says.
  if (actor === imvu.owner) return "owner";
  const role = imvu.members.find((member) => member.identity === actor)?.role;
  return role === "owner" ? undefined : role;
}

/** A member, or anyone with the owner's approval; everyone else is a stranger and is told nothing about the IMVU. */
export function hasStanding(command: Command, facts: Facts): boolean {
  if (command.imvu === null) return true;
  if (actorOf(facts) === null) return false;
  return roleOfActor(command, facts) !== undefined || ownerSigned(command, facts);
}

/** A member whose role allows the op, or anyone whose very command the owner approved. */
export function mayDo(command: Command, facts: Facts): boolean {
  if (actorOf(facts) === null) return false;
  if (namesNoImvu(command)) return false;
  const role = roleOfActor(command, facts);
  return ownerSigned(command, facts) || (role !== undefined && ROLES[command.op].includes(role));
}

function namesNoImvu(command: Command): command is Extract<Command, { op: OpWithoutImvu }> {
  return (OPS_WITHOUT_IMVU as readonly Op[]).includes(command.op);
}
