import type { MailDesired, Mailbox, Step } from "../contract/index.ts";
import type { Fqdn, ImvuId, MailAddress, Sha256 } from "../kernel/index.ts";
import { domainOf } from "./identity-binding/directory.ts";
import type { MailboxState, MailState } from "./state.ts";

/** The few movements that plans are made of; mailbox-hands.ts does them on the engines. Each is idempotent. */
export interface MailHands {
  announceDomain(imvu: ImvuId, domain: Fqdn): Promise<void>;
  withdrawDomain(imvu: ImvuId, domain: Fqdn): Promise<void>;
  /** Resolves when Dovecot answers for the login and Postfix takes mail for it. */
  openMailbox(imvu: ImvuId, mailbox: Mailbox): Promise<void>;
  /** No login, no delivery; the box itself stays. */
  closeMailbox(imvu: ImvuId, address: MailAddress): Promise<void>;
  removeBox(imvu: ImvuId, address: MailAddress): Promise<void>;
  /** Brings back what removeBox put aside, as far as it is still there. */
  restoreBox(imvu: ImvuId, address: MailAddress): Promise<void>;
  /** Removes the folder that held the IMVU's boxes once it is empty. */
  removeBoxes(imvu: ImvuId): Promise<void>;
}

/** Pure: the hands move only when a step's do or undo is called. */
export function planMail(hands: MailHands, imvu: ImvuId, desired: MailDesired | undefined, observed: MailState): readonly Step[] {
  const wanted = new Map((desired?.mailboxes ?? []).map((mailbox) => [mailbox.address as string, mailbox]));
  const seen = new Map(observed.mailboxes.map((mailbox) => [mailbox.address, mailbox]));
  const steps: Step[] = [];
  if (desired && !observed.domains.includes(desired.domain)) steps.push(announceStep(hands, imvu, desired.domain));
  for (const mailbox of wanted.values()) {
    const is = seen.get(mailbox.address);
    if (!is || !isOpenAs(is, mailbox)) steps.push(openStep(hands, imvu, mailbox, is));
  }
  for (const domain of observed.domains) if (domain !== desired?.domain) steps.push(withdrawStep(hands, imvu, domain as Fqdn));
  const surplus = observed.mailboxes.filter((mailbox) => !wanted.has(mailbox.address));
  // All are closed before the first box goes: what cannot be undone comes last.
  for (const mailbox of surplus) steps.push(closeStep(hands, imvu, mailbox));
  for (const mailbox of surplus) steps.push(removeStep(hands, imvu, mailbox.address as MailAddress));
  if (!desired && observed.mailboxes.length > 0) {
    steps.push({ key: `mail/boxes/${imvu}`, sentence: `remove the mail folder of ${imvu}`, do: () => hands.removeBoxes(imvu), undo: async () => {} });
  }
  return steps;
}

export function isOpenAs(is: MailboxState, mailbox: Mailbox): boolean {
  return is.accepts && is.folder && is.passwordHash === mailbox.passwordHash && is.quotaBytes === mailbox.quotaBytes;
}

function announceStep(hands: MailHands, imvu: ImvuId, domain: Fqdn): Step {
  return {
    key: `mail/domain/${domain}`,
    sentence: `accept mail for ${domain}`,
    do: () => hands.announceDomain(imvu, domain),
    undo: () => hands.withdrawDomain(imvu, domain),
  };
}

function withdrawStep(hands: MailHands, imvu: ImvuId, domain: Fqdn): Step {
  return {
    key: `mail/domain/${domain}`,
    sentence: `stop accepting mail for ${domain}`,
    do: () => hands.withdrawDomain(imvu, domain),
    undo: () => hands.announceDomain(imvu, domain),
  };
}

function openStep(hands: MailHands, imvu: ImvuId, mailbox: Mailbox, before: MailboxState | undefined): Step {
  const { address } = mailbox;
  return {
    key: `mail/mailbox/${address}`,
    sentence: before?.passwordHash ? `change the mailbox ${address}` : `open the mailbox ${address}`,
    do: () => hands.openMailbox(imvu, mailbox),
    undo: async () => {
      const previous = before && mailboxOf(before);
      if (previous) return await hands.openMailbox(imvu, previous);
      await hands.closeMailbox(imvu, address);
      // A box that was there before this step holds mail that is not ours to drop.
      if (!before) await hands.removeBox(imvu, address);
    },
  };
}

function closeStep(hands: MailHands, imvu: ImvuId, is: MailboxState): Step {
  const address = is.address as MailAddress;
  return {
    key: `mail/close/${address}`,
    sentence: `close the mailbox ${address}`,
    do: () => hands.closeMailbox(imvu, address),
    undo: async () => {
      const previous = mailboxOf(is);
      if (!previous) return;
      await hands.announceDomain(imvu, domainOf(address));
      await hands.openMailbox(imvu, previous);
    },
  };
}

function removeStep(hands: MailHands, imvu: ImvuId, address: MailAddress): Step {
  return {
    key: `mail/remove/${address}`,
    sentence: `remove the box of ${address}`,
    do: () => hands.removeBox(imvu, address),
    undo: () => hands.restoreBox(imvu, address),
  };
}

/** The mailbox an observation amounts to; undefined when the engines did not know it. */
function mailboxOf(is: MailboxState): Mailbox | undefined {
  if (is.passwordHash === null || is.quotaBytes === null) return undefined;
  return { address: is.address as MailAddress, passwordHash: is.passwordHash as Sha256, quotaBytes: is.quotaBytes };
}
