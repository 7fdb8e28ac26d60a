import { connect } from "node:net";
import { join } from "node:path";
import { Fault } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { linesOf } from "../unix-server.ts";
import { OBSERVING, PASSWORD_DIGEST_FIELD } from "./dict.ts";

/** Asks Dovecot's auth process about a login over its master protocol (auth protocol 1.1, USER and PASS). */
export interface AuthFields {
  readonly [name: string]: string;
}

const LOOKUP_TIMEOUT_MS = 10_000;
const LINE_BYTES_MAX = 16_384;

/** Undefined when Dovecot does not know the user; a Fault when it could not find out. */
export async function lookUpUser(layout: Layout, user: string): Promise<AuthFields | undefined> {
  return await ask(layout, "USER", user);
}

/** SHA-256 of the password hash that Dovecot's passdb answers with; undefined when there is no such login. */
export async function lookUpPasswordDigest(layout: Layout, user: string): Promise<string | undefined> {
  return (await ask(layout, "PASS", user))?.[PASSWORD_DIGEST_FIELD];
}

async function ask(layout: Layout, verb: "USER" | "PASS", user: string): Promise<AuthFields | undefined> {
  if (/[\t\r\n\0\u0001]/.test(user)) throw new TypeError("a login name has no control characters");
  const socket = connect(join(layout.dovecotRun, "auth-userdb"));
  socket.setTimeout(LOOKUP_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${LOOKUP_TIMEOUT_MS} ms`)));
  socket.write(`VERSION\t1\t1\n${verb}\t1\t${user}\tservice=${OBSERVING}\n`);
  try {
    for await (const line of linesOf(socket, LINE_BYTES_MAX)) {
      const [word, id, ...fields] = line.split("\t");
      if (id !== "1" || word === "VERSION") continue;
      if (word === "NOTFOUND") return undefined;
      if (word === "USER" || word === "PASS") return fieldsOf(fields);
      if (word === "FAIL") throw new Error(fields.join(" ") || "the lookup failed");
    }
    throw new Error("the connection was closed");
  } catch (cause) {
    throw new Fault("MAIL_AUTH_LOOKUP", `Dovecot cannot look up ${user}: ${(cause as Error).message}`, { cause, retry: true });
  } finally {
    socket.destroy();
  }
}

function fieldsOf(fields: readonly string[]): AuthFields {
  return Object.fromEntries(
    fields.map((field) => {
      const equals = field.indexOf("=");
      return equals < 0 ? [field, ""] : [field.slice(0, equals), field.slice(equals + 1)];
    }),
  );
}
