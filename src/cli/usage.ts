import type { CommanderError } from "commander";
import { quoteForPeople } from "../kernel/index.ts";
import { EXIT, Failure, usageFailure } from "./failure.ts";

const MESSAGE_CHARS_MAX = 400;

/** What commander refuses, in our words: the flag first, what was typed escaped and cut short, and the next thing to type. */
export function failureOfUsage({ code, message }: Pick<CommanderError, "code" | "message">, command: string): Failure {
  const help = `${command} --help`;
  const plain = message.replace(/^error: /, "");
  if (code === "commander.help") return new Failure({ code: "USAGE", message: `${command} wants a verb`, hint: help, kind: "usage" }, EXIT.usage);
  const invalid = /^(?:option|command-argument value) '(?:-\w, )?(--[a-z-]+)?[^']*' (?:argument )?'([\s\S]*)' is invalid\. ([\s\S]*)$/.exec(plain);
  if (invalid) {
    const [, flag = "", typed = "", why = ""] = invalid;
    const [rule, hint] = splitHint(why);
    return usageFailure(clipped(`${flag === "" ? "" : `${flag}: `}${rule.startsWith("Allowed choices") ? `${quoteForPeople(typed)}: ${rule}` : rule}`), hint ?? help);
  }
  return usageFailure(clipped(plain.replaceAll("\n", " ").replace(/'([^']{60,})'/g, (_, typed: string) => quoteForPeople(typed))), help);
}

/** Parsers of flags say the rule and what to type, joined by a dash (see `parsed`). */
function splitHint(why: string): [string, string | undefined] {
  const at = why.lastIndexOf(" – ");
  return at < 0 ? [why, undefined] : [why.slice(0, at), why.slice(at + 3)];
}

function clipped(text: string): string {
  return text.length > MESSAGE_CHARS_MAX ? `${text.slice(0, MESSAGE_CHARS_MAX - 1)}…` : text;
}
