import type { Socket } from "node:net";
import type { Directory, Standing } from "../identity-binding/directory.ts";
import { domainOf } from "../identity-binding/directory.ts";

/** Postfix's socketmap protocol (socketmap_table(5)): netstrings `name SPACE key` and `STATUS SPACE data`. */

const REQUEST_BYTES_MAX = 4_096;
/** A login that cannot exist: what owns every address of a hosted zone that has no mailbox. */
const NOBODY = "-";

export async function serveSocketmap(directory: Directory, socket: Socket): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let request = takeNetstring(rest); request; request = takeNetstring(rest)) {
      rest = request.rest;
      const answer = Buffer.from(answerMap(directory, request.text));
      socket.write(Buffer.concat([Buffer.from(`${answer.length}:`), answer, Buffer.from(",")]));
    }
  }
}

/** Pure. */
export function answerMap(directory: Directory, request: string): string {
  const space = request.indexOf(" ");
  const key = request.slice(space + 1);
  switch (request.slice(0, space)) {
    case "domains":
      return said(directory.domain(key), (imvu) => imvu);
    case "mailboxes":
      return said(directory.account(key), (account) => account.address);
    case "logins": {
      if (!key.includes("@") || key.startsWith("@")) return "NOTFOUND ";
      const account = directory.account(key);
      if (account.is === "unknown" && directory.hostedZoneOf(domainOf(key)) !== undefined) return `OK ${NOBODY}`;
      return said(account, (found) => found.address);
    }
    default:
      return "PERM no such map";
  }
}

function said<T>(standing: Standing<T>, text: (value: T) => string): string {
  if (standing.is === "known") return `OK ${text(standing.value)}`;
  return standing.is === "pending" ? "TEMP the platform is starting" : "NOTFOUND ";
}

function takeNetstring(data: Buffer): { text: string; rest: Buffer } | undefined {
  const colon = data.indexOf(0x3a);
  if (colon < 0) {
    if (data.length > 8) throw new RangeError("not a netstring");
    return undefined;
  }
  const digits = data.subarray(0, colon).toString("latin1");
  if (!/^(0|[1-9]\d{0,5})$/.test(digits) || Number(digits) > REQUEST_BYTES_MAX) throw new RangeError("not a netstring of ours");
  const end = colon + 1 + Number(digits);
  if (data.length <= end) return undefined;
  if (data[end] !== 0x2c) throw new RangeError("not a netstring");
  return { text: data.subarray(colon + 1, end).toString("utf8"), rest: data.subarray(end + 1) };
}
