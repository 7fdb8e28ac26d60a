import { connect } from "node:net";
import { join } from "node:path";
import { Fault, messageOf } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { linesOf } from "../unix-server.ts";

const LINE_BYTES_MAX = 65_536;
const IDLE_TIMEOUT_MS = 20_000;
/** A connection ends with a login that Dovecot cannot answer for; those behind it are asked about on another, so many times. */
const CONNECTIONS_MAX = 5;

/**
 * Sum over each login's folders of the messages' sizes as IMAP shows them: what the quota counts, to the byte. All are asked about on one connection,
 * because Dovecot begins a process for each. A login it does not answer for has its Fault, the others their sums.
 */
export async function vsizes(layout: Layout, addresses: readonly string[]): Promise<ReadonlyMap<string, bigint | Fault>> {
  for (const address of addresses) if (/[\t\r\n\0\u0001]/.test(address)) throw new TypeError("a doveadm argument has no control characters");
  const found = new Map<string, bigint | Fault>();
  const fault = (address: string, said: string, cause?: unknown) => found.set(address, new Fault("MAIL_STORAGE", `Dovecot does not say how many bytes ${address} holds: ${said}`, { cause, retry: true }));
  let said: unknown;
  for (let connections = 0; connections < CONNECTIONS_MAX && found.size < addresses.length; connections += 1) {
    const open = addresses.filter((address) => !found.has(address));
    try {
      for await (const [address, total, status] of answers(layout, open)) {
        if (status === "+" && /^\d+$/.test(total)) found.set(address, BigInt(total));
        else fault(address, JSON.stringify([total, status]));
      }
    } catch (cause) {
      said = cause;
      const at = open.find((address) => !found.has(address));
      if (at !== undefined) fault(at, messageOf(cause), cause);
    }
  }
  for (const address of addresses) if (!found.has(address)) fault(address, `it was not reached in ${CONNECTIONS_MAX} connections: ${messageOf(said)}`, said);
  return found;
}

/** Administration protocol 1.0, as in doveadm.ts: a greeting, then for each command a line of fields, each ended by a tab, and a line of its state. */
async function* answers(layout: Layout, addresses: readonly string[]): AsyncGenerator<readonly [address: string, total: string, status: string]> {
  const socket = connect(join(layout.dovecotRun, "doveadm-server"));
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy(new Error(`nothing came for ${IDLE_TIMEOUT_MS} ms`)));
  socket.write(`VERSION\tdoveadm-server\t1\t0\n${addresses.map((address) => `\t${address}\tmailbox status\t-t\tvsize\t*\n`).join("")}`);
  try {
    const lines = linesOf(socket, LINE_BYTES_MAX);
    const next = async () => {
      const line = await lines.next();
      if (line.done) throw new Error("the connection was closed");
      return line.value;
    };
    if (!(await next()).startsWith("+")) throw new Error("the socket wants a password");
    for (const address of addresses) yield [address, (await next()).split("\t").at(-2) ?? "", await next()];
  } finally {
    socket.destroy();
  }
}
