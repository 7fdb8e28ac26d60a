import type { Socket } from "node:net";
import { sha256Hex } from "../../kernel/index.ts";
import type { Account, Directory } from "../identity-binding/directory.ts";
import { linesOf } from "../unix-server.ts";
import { quotaRule } from "./quota.ts";

/** Dovecot's dict protocol 3 (lib-dict/dict-client.h): one letter, tab-separated and tab-escaped parameters, one line each. */

const LINE_BYTES_MAX = 65_536;

export async function serveDict(directory: Directory, socket: Socket): Promise<void> {
  for await (const line of linesOf(socket, LINE_BYTES_MAX)) {
    const answer = answerDict(directory, line);
    if (answer !== undefined) socket.write(`${answer}\n`);
  }
}

/** Pure. Undefined: this command has no answer. */
export function answerDict(directory: Directory, line: string): string | undefined {
  if (line.startsWith("H")) return undefined;
  if (!line.startsWith("L")) return "Fonly lookups are answered";
  const key = (line.slice(1).split("\t")[0] as string).replace(/\u0001(.)/g, (_, c: string) => UNESCAPED[c] ?? c);
  const [scope, kind, ...rest] = key.split("/");
  const user = rest.at(-1) ?? "";
  if (scope !== "shared" || (kind !== "passdb" && kind !== "userdb")) return "Fno such key";
  const account = directory.account(user);
  if (account.is === "pending") return "Fthe platform is starting";
  if (account.is === "unknown") return "N";
  const value = kind === "userdb" ? userFields(account.value) : passFields(account.value, rest[0] ?? "", rest[1] ?? "");
  return value ? `O${JSON.stringify(value)}` : "N";
}

const UNESCAPED: Readonly<Record<string, string>> = { "0": "\0", "1": "\u0001", t: "\t", r: "\r", n: "\n" };

function userFields(account: Account): object {
  return { uid: account.uid, gid: account.uid, home: account.home, quota_rule: quotaRule(account.quotaBytes) };
}

/** The service name of our own lookups over the auth process's root-only socket: they compare nothing, they read back. */
export const OBSERVING = "observe";
/** Dovecot hands extra fields of a passdb on, but never the password itself: so its digest travels beside it. */
export const PASSWORD_DIGEST_FIELD = "nexus_password_sha256";

/** A probe's account sends and nothing else. Without TLS there is no password to compare with, also on loopback, which Dovecot would trust. */
function passFields(account: Account, service: string, secured: string): object | undefined {
  if (service === OBSERVING) return { password: account.password, [PASSWORD_DIGEST_FIELD]: sha256Hex(account.password) };
  if (account.probe && service !== "smtp") return undefined;
  // Postfix offers AUTH under TLS only and can say no more than "secured"; Dovecot says "secured" of a plain loopback login too.
  const encrypted = service === "smtp" ? secured !== "" : secured.startsWith("TLS");
  return encrypted ? { password: account.password } : undefined;
}
