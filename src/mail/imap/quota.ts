/** A mailbox's quota as Dovecot's userdb carries it. */
export function quotaRule(bytes: number): string {
  return `*:bytes=${bytes}`;
}

/** The bytes of such a rule; undefined for every other rule, and for none. */
export function quotaBytesOf(rule: string | undefined): number | undefined {
  const bytes = Number(/^\*:bytes=(\d+)$/.exec(rule ?? "")?.[1] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
