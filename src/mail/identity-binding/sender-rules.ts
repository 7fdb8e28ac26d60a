import { originatorAddress } from "./originator.ts";
import { type Account, type Directory, domainOf } from "./directory.ts";

/** Who may send as whom (gate 5). Pure: answers are values, and "later" is the answer to everything not known for sure. */
export type SenderVerdict = { readonly is: "allow" } | { readonly is: "refuse"; readonly reply: string } | { readonly is: "later"; readonly reply: string };

export interface HeaderField {
  readonly name: string;
  /** As the engine hands it over: leading white space and folds kept. */
  readonly value: string;
}

const ALLOW: SenderVerdict = { is: "allow" };
const LATER: SenderVerdict = { is: "later", reply: "4.3.0 try again later" };
/** RFC 5322 §3.6.2 and §3.6.6: each of them names who a message says it is from. */
const ORIGINATORS = ["from", "sender", "resent-from", "resent-sender"];

function no(text: string): SenderVerdict {
  return { is: "refuse", reply: `5.7.1 ${text}` };
}

/** The envelope: a login sends as its own address and as nobody else; strangers never as a hosted domain. */
export function judgeEnvelope(directory: Directory, login: string, sender: string): SenderVerdict {
  if (login === "") {
    if (sender === "" || directory.hostedZoneOf(domainOf(sender)) === undefined) return ALLOW;
    return no("mail from this domain is sent through the submission service only");
  }
  const account = directory.account(login);
  if (account.is === "pending") return LATER;
  if (account.is === "unknown") return no("this login has no mailbox");
  if (sender === "") return no("an authenticated sender must name its own address, not the null sender");
  return sender.toLowerCase() === account.value.address ? ALLOW : no(`${account.value.address} may not send as another address`);
}

/** The header of a message from `account`: exactly one From, and every originator field names the account itself. */
export function judgeOwnHeader(account: Account, header: readonly HeaderField[]): SenderVerdict {
  const froms = header.filter((field) => nameOf(field) === "from");
  if (froms.length !== 1) return no(`the message has ${froms.length} From fields; it must have one`);
  for (const field of header) {
    if (!ORIGINATORS.includes(nameOf(field))) continue;
    const address = originatorAddress(field.value);
    if (address === undefined) return no(`the ${nameOf(field)} field must hold one plain address`);
    if (address !== account.address) return no(`the ${nameOf(field)} field names an address that ${account.address} does not own`);
  }
  return ALLOW;
}

/**
 * The hosted zones a stranger's message claims in its From fields. Such a message needs a valid signature of that
 * zone (RFC 7489 §3.1.1, strict), as one that comes back over a mailing list has.
 */
export function zonesClaimedBy(directory: Directory, header: readonly HeaderField[]): readonly string[] {
  const zones = new Set<string>();
  for (const field of header) {
    if (nameOf(field) !== "from") continue;
    // Every token with an @ counts, however odd the field, with comments and white space kept and taken out: a mail reader might show any.
    for (const text of [field.value, field.value.replace(/\([^()]*\)/g, "").replace(/\s+/g, "")]) {
      for (const [, domain] of text.matchAll(/@([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)/g)) {
        const zone = directory.hostedZoneOf(domain as string);
        if (zone !== undefined) zones.add(zone);
      }
    }
  }
  return [...zones];
}

/** RFC 5322's obsolete syntax lets white space stand before the colon. */
export function nameOf(field: HeaderField): string {
  return field.name.trim().toLowerCase();
}
