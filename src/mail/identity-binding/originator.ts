/**
 * The address in an originator field (From, Sender, Resent-From, Resent-Sender; RFC 5322 §3.6.2), read narrowly:
 * one mailbox, an optional display name, nothing clever. What two mail readers could read in two ways (groups, lists,
 * comments, routes, control characters, a second angle bracket) has no address here, and is refused by the caller.
 */
export const ORIGINATOR_CHARS_MAX = 998;

const ADDRESS = "[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?";
const BARE = new RegExp(`^${ADDRESS}$`);
const NAMED = new RegExp(`^(?:"(?:[^"\\\\\\x00-\\x1f\\x7f]|\\\\[\\x20-\\x7e])*"|[^"<>@,;:()\\[\\]\\\\\\x00-\\x1f\\x7f])*<(${ADDRESS})>$`);

export function originatorAddress(fieldValue: string): string | undefined {
  const value = fieldValue.replace(/\r?\n[ \t]+/g, " ").trim();
  if (value.length > ORIGINATOR_CHARS_MAX) return undefined;
  const address = BARE.test(value) ? value : NAMED.exec(value)?.[1];
  return address === undefined || address.includes("..") ? undefined : address.toLowerCase();
}
