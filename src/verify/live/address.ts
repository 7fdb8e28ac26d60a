import { Fault, quoteForPeople } from "../../kernel/index.ts";

/** Where a log is served: `https://host/log/`. */
export interface LogAddress {
  /** The public prefix, with its final slash; everything of the log lies below it. */
  readonly prefix: URL;
  /** Where a platform shows the bodies that are for everybody, beside its log; undefined when the prefix is not one of a platform. */
  readonly bodies: URL | undefined;
}

export function isLogAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Throws Fault BAD_LOG_ADDRESS. */
export function parseLogAddress(text: string): LogAddress {
  const bad = (why: string) => new Fault("BAD_LOG_ADDRESS", `log address ${quoteForPeople(text)}: ${why}`, { hint: "give the prefix that the log is served under, e.g. https://host/log/" });
  const prefix = URL.canParse(text) ? new URL(text) : undefined;
  if (!prefix || (prefix.protocol !== "https:" && prefix.protocol !== "http:")) throw bad("is no http or https address");
  if (prefix.username !== "" || prefix.password !== "") throw bad("carries a password; a public log needs none");
  if (prefix.search !== "" || prefix.hash !== "") throw bad("has a query or a fragment");
  if (!prefix.pathname.endsWith("/")) prefix.pathname += "/";
  return { prefix, bodies: prefix.pathname.endsWith("/log/") ? new URL("../v1/ledger/platform", prefix) : undefined };
}
