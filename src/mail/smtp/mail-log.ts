/** What the delivery agents and the queue manager say of a message in Postfix's log; everything else is not for us. */
export type MailLogEvent =
  | { readonly is: "delivered"; readonly queueId: string; readonly recipient: string; /** lmtp: into a mailbox of ours; smtp: to another platform. */ readonly by: "lmtp" | "smtp" }
  | { readonly is: "removed"; readonly queueId: string };

/** Anchored at both ends of what Postfix writes itself; what a remote server answered stands after `status=` and is not read. */
const DELIVERED =
  /^\S+ +\d+ [\d:]+ \S+ postfix\/(lmtp|smtp)\[\d+\]: ([0-9A-Za-z]{8,24}): to=<([^<>]{1,320})>,(?: orig_to=<[^<>]{1,320}>,)? relay=\S+, (?:conn_use=\d+, )?delay=[\d.]+, delays=[\d./]+, dsn=2\.\d+\.\d+, status=sent \(/;
const REMOVED = /^\S+ +\d+ [\d:]+ \S+ postfix\/qmgr\[\d+\]: ([0-9A-Za-z]{8,24}): removed$/;

export function parseMailLogLine(line: string): MailLogEvent | undefined {
  const delivered = DELIVERED.exec(line);
  if (delivered) {
    return { is: "delivered", by: delivered[1] as "lmtp" | "smtp", queueId: delivered[2] as string, recipient: (delivered[3] as string).toLowerCase() };
  }
  const removed = REMOVED.exec(line);
  return removed ? { is: "removed", queueId: removed[1] as string } : undefined;
}
