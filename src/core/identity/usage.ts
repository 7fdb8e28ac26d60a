import type { Op } from "../../contract/index.ts";
import { quoteForPeople, refuse, type Refusal } from "../../kernel/index.ts";

/** As much of zod's issues as we read. */
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const ISSUES_SHOWN_MAX = 3;
const MESSAGE_CHARS_MAX = 240;

/** Turns schema issues into one refusal that names each field, its limit and what was seen. */
export function usageRefusal(code: string, issues: readonly Issue[], seenIn: unknown, prefix: string, op: Op | undefined): Refusal {
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map((issue) => {
    const path = [...(prefix ? [prefix] : []), ...issue.path].map(String).join(".");
    return `${path ? quoteField(path) : "command"}: ${plain(issue.message)}${seenAt(seenIn, issue.path)}`;
  });
  const more = issues.length > ISSUES_SHOWN_MAX ? `; and ${issues.length - ISSUES_SHOWN_MAX} more` : "";
  return refuse("usage", code, shown.join("; ") + more, `run '${helpFor(op)}' for the fields and their limits`);
}

/** `imvu.create` → `nexus imvu create --help`; deploy and register have verbs of their own. */
export function helpFor(op: Op | undefined): string {
  if (op === undefined) return "nexus --help";
  if (op === "service.deploy") return "nexus deploy --help";
  if (op === "identity.register") return "nexus identity create --help";
  return `nexus ${op.replaceAll(".", " ")} --help`;
}

/** The schema's own words can quote a hostile key: nothing but printable ASCII and our dash leaves here, and no more than a few lines. */
function plain(message: string): string {
  const short = message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}...` : message;
  return short.replace(/[^\x20-\x7e\u2013]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A field's name comes from outside as well: keys of a hostile object are shown escaped and short. */
function quoteField(path: string): string {
  return /^[A-Za-z0-9_.]{1,80}$/.test(path) ? path : quoteForPeople(path);
}

/** Scalars only, quoted: branded parsers already quote theirs. */
function seenAt(root: unknown, path: readonly PropertyKey[]): string {
  let at: unknown = root;
  for (const key of path) at = typeof at === "object" && at !== null && Object.hasOwn(at, key) ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  if (typeof at === "number" || typeof at === "boolean" || at === null) return ` (got ${String(at)})`;
  return typeof at === "string" ? ` (got ${quoteForPeople(at)})` : "";
}
