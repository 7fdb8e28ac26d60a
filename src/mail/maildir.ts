/** The parts of the Maildir format that an import writes: folder names and flags in file names. */
const KEYWORDS_MAX = 26;
const LETTERS = [["\\Draft", "D"], ["\\Flagged", "F"], ["\\Answered", "R"], ["\\Seen", "S"], ["\\Deleted", "T"]] as const;

/** Letters after `:2,`, in ASCII order; a keyword is the letter of its place in `keywords`, which grows. */
export function maildirFlags(flags: readonly string[], keywords: string[]): string {
  const letters = LETTERS.filter(([flag]) => flags.includes(flag)).map(([, letter]) => letter as string);
  for (const flag of flags) {
    if (flag.startsWith("\\")) continue;
    if (!keywords.includes(flag)) keywords.push(flag);
    if (keywords.length > KEYWORDS_MAX) throw new RangeError(`more than ${KEYWORDS_MAX} different keywords in one folder`);
    letters.push(String.fromCharCode(0x61 + keywords.indexOf(flag)));
  }
  return letters.sort().join("");
}

/** Maildir++: `.` before and between levels, each in IMAP's modified UTF-7 (RFC 3501 §5.1.3). */
export function maildirFolder(name: string): string {
  return `.${name.split("/").map(modifiedUtf7).join(".")}`;
}

function modifiedUtf7(text: string): string {
  return text.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const units = Buffer.from(run, "utf16le").swap16();
    return `&${units.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}
