import { connect, type Socket } from "node:net";
import type { Directory } from "../identity-binding/directory.ts";
import { judgeEnvelope } from "../identity-binding/sender-rules.ts";
import { linesOf } from "../unix-server.ts";

/** Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines, an empty line, one action back. */

const LINE_BYTES_MAX = 16_384;
const LINES_MAX = 128;
const QUOTA_TIMEOUT_MS = 10_000;

/** Asks Dovecot whether a message of this size fits; answers with the action. */
export type AskQuota = (request: ReadonlyMap<string, string>) => Promise<string>;

export async function servePolicy(directory: Directory, askQuota: AskQuota, socket: Socket): Promise<void> {
  let request = new Map<string, string>();
  for await (const line of linesOf(socket, LINE_BYTES_MAX)) {
    if (line === "") {
      const action = policyAction(directory, request);
      socket.write(`action=${action === "DUNNO" && isMeasured(request) ? await askQuota(request) : action}\n\n`);
      request = new Map();
      continue;
    }
    if (request.size >= LINES_MAX) throw new RangeError(`a policy request has more than ${LINES_MAX} lines`);
    const equals = line.indexOf("=");
    if (equals > 0) request.set(line.slice(0, equals), line.slice(equals + 1));
  }
}

/** Pure. Asked once for each recipient and once at the end; the envelope is judged here a second time, independent of Postfix's own login map. */
export function policyAction(directory: Directory, request: ReadonlyMap<string, string>): string {
  if (request.get("request") !== "smtpd_access_policy") return "451 4.3.5 not a policy request";
  const verdict = judgeEnvelope(directory, request.get("sasl_username") ?? "", request.get("sender") ?? "");
  if (verdict.is === "allow") return "DUNNO";
  return verdict.is === "refuse" ? `550 ${verdict.reply}` : `451 ${verdict.reply}`;
}

/**
 * Dovecot's quota-status answers for one recipient, at RCPT, with the size the client announced, if it did. At the end of the
 * message Postfix knows the size, and names the recipient when it is the only one: then Dovecot is asked once more.
 */
function isMeasured(request: ReadonlyMap<string, string>): boolean {
  return request.get("protocol_state") === "END-OF-MESSAGE" && (request.get("recipient") ?? "") !== "";
}

export function quotaAsker(quotaStatusSocket: string): AskQuota {
  return async (request) => {
    const socket = connect(quotaStatusSocket);
    socket.setTimeout(QUOTA_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${QUOTA_TIMEOUT_MS} ms`)));
    const asked = new Map(request).set("protocol_state", "RCPT");
    socket.write(`${[...asked].map(([name, value]) => `${name}=${value}\n`).join("")}\n`);
    try {
      for await (const line of linesOf(socket, LINE_BYTES_MAX)) if (line.startsWith("action=")) return line.slice("action=".length);
    } finally {
      socket.destroy();
    }
    throw new Error("quota-status closed the connection");
  };
}
