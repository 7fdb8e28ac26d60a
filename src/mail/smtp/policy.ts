import type { Socket } from "node:net";
import type { Directory } from "../identity-binding/directory.ts";
import { judgeEnvelope } from "../identity-binding/sender-rules.ts";
import { linesOf } from "../unix-server.ts";

/** Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines, an empty line, one action back. */

const LINE_BYTES_MAX = 16_384;
const LINES_MAX = 128;

export async function servePolicy(directory: Directory, socket: Socket): Promise<void> {
  let request = new Map<string, string>();
  for await (const line of linesOf(socket, LINE_BYTES_MAX)) {
    if (line === "") {
      socket.write(`action=${policyAction(directory, request)}\n\n`);
      request = new Map();
      continue;
    }
    if (request.size >= LINES_MAX) throw new RangeError(`a policy request has more than ${LINES_MAX} lines`);
    const equals = line.indexOf("=");
    if (equals > 0) request.set(line.slice(0, equals), line.slice(equals + 1));
  }
}

/** Pure. Asked once for each recipient; the envelope is judged here a second time, independent of Postfix's own login map. */
export function policyAction(directory: Directory, request: ReadonlyMap<string, string>): string {
  if (request.get("request") !== "smtpd_access_policy") return "451 4.3.5 not a policy request";
  const verdict = judgeEnvelope(directory, request.get("sasl_username") ?? "", request.get("sender") ?? "");
  if (verdict.is === "allow") return "DUNNO";
  return verdict.is === "refuse" ? `550 ${verdict.reply}` : `451 ${verdict.reply}`;
}
