/** What the running engines answer about one IMVU's mail; made by observe.ts, read by plan.ts and the probes. */
export interface MailState {
  readonly [key: string]: MailDomainState[] | MailboxState[];
  /** Domains Postfix takes mail for. */
  readonly domains: MailDomainState[];
  readonly mailboxes: MailboxState[];
}

export type MailDomainState = string;

export interface MailboxState {
  readonly [key: string]: string | number | boolean | null;
  readonly address: string;
  /** Postfix takes mail for it. */
  readonly accepts: boolean;
  /** SHA-256 of the password hash Dovecot compares with; null: Dovecot knows no such login. */
  readonly passwordHash: string | null;
  /** As Dovecot would use them; null: unknown to it. */
  readonly uid: number | null;
  readonly quotaBytes: number | null;
  /** The box's folder exists, belongs to that user, and nobody else can open it. */
  readonly folder: boolean;
}
