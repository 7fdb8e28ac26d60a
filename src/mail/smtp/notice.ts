import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { Fault, type MailAddress } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";

const LMTP_TIMEOUT_MS = 20_000;

export interface Notice {
  readonly to: MailAddress;
  readonly subject: string;
  readonly text: string;
  readonly at: Date;
}

/**
 * Delivers a line from the platform itself straight to Dovecot (LMTP, RFC 2033): it is in the mailbox when this returns, and is nobody's
 * metered message. The return path is empty, so that nothing ever answers it (RFC 3834).
 */
export async function deliverNotice({ dovecotRun }: Pick<Layout, "dovecotRun">, hostname: string, { to, subject, text, at }: Notice): Promise<void> {
  const socket = connect(join(dovecotRun, "lmtp"));
  try {
    await once(socket, "connect");
    const transport = createTransport({ lmtp: true, connection: socket, ignoreTLS: true, name: hostname, greetingTimeout: LMTP_TIMEOUT_MS, socketTimeout: LMTP_TIMEOUT_MS });
    await transport.sendMail({
      envelope: { from: "", to },
      from: { name: "Nexus", address: `platform@${hostname}` },
      to,
      subject,
      text,
      date: at,
      headers: { "Auto-Submitted": "auto-generated" },
    });
  } catch (cause) {
    throw new Fault("NOTICE", `a notice could not be delivered to ${to}: ${(cause as Error).message}`, { cause, retry: true });
  } finally {
    socket.destroy();
  }
}
