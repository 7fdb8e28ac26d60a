import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN } from "../core/identity/index.ts";
import { accept, type IdentityName, type Outcome, refuse } from "../kernel/index.ts";

const FILE_BYTES_MAX = 4 * PASSPHRASE_CHARS_MAX;

/** From the file that NEXUS_PASSPHRASE_FILE names, else from the terminal, without showing it; undefined: nobody can be asked. */
export async function passphraseOf(name: IdentityName, input: boolean): Promise<Outcome<string> | undefined> {
  const file = process.env.NEXUS_PASSPHRASE_FILE;
  if (file) return await fromFile(file);
  return input && process.stdin.isTTY && process.stderr.isTTY ? accept(await typed(`passphrase of ${name}: `)) : undefined;
}

/** A new one: on a terminal it is typed twice. */
export async function newPassphrase(name: IdentityName, input: boolean): Promise<Outcome<string>> {
  const first = await passphraseOf(name, input);
  if (first === undefined) return refuse("usage", "NO_PASSPHRASE", "a new passphrase is needed, and nobody can be asked", "name a file of mode 0600 that holds it in NEXUS_PASSPHRASE_FILE, or run this on a terminal");
  if (!first.ok) return first;
  if (!process.env.NEXUS_PASSPHRASE_FILE && (await typed("once more: ")) !== first.value) return refuse("usage", "BAD_PASSPHRASE", "the two passphrases differ", "run it again");
  return longEnough(first.value);
}

/** A new one that a file holds. */
export async function passphraseFrom(path: string): Promise<Outcome<string>> {
  const read = await fromFile(path, "--new-file");
  return read.ok ? longEnough(read.value) : read;
}

function longEnough(passphrase: string): Outcome<string> {
  const { length } = passphrase;
  return length >= PASSPHRASE_CHARS_MIN && length <= PASSPHRASE_CHARS_MAX
    ? accept(passphrase)
    : refuse("usage", "BAD_PASSPHRASE", `the passphrase has ${length} characters; ${PASSPHRASE_CHARS_MIN} to ${PASSPHRASE_CHARS_MAX} are allowed`, "several words are easy to keep in mind");
}

async function fromFile(path: string, named = "NEXUS_PASSPHRASE_FILE"): Promise<Outcome<string>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!file) return refuse("usage", "PASSPHRASE_FILE", `${named}: ${path} cannot be read`, "name a file of yours that holds the passphrase on one line");
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) return refuse("usage", "PASSPHRASE_FILE", `${named}: others can read ${path}`, `run 'chmod 600 ${path}'`);
    if (size > FILE_BYTES_MAX) return refuse("usage", "PASSPHRASE_FILE", `${named}: ${path} has ${size} bytes, at most ${FILE_BYTES_MAX}`, "put the passphrase alone into it, on one line");
    return accept((await file.readFile("utf8")).replace(/\r?\n$/, ""));
  } finally {
    await file.close();
  }
}

const [ENTER, NEWLINE, INTERRUPT, END, BACKSPACE, DELETE] = ["\r", "\n", "\u0003", "\u0004", "\b", "\u007f"];

/** One line of the terminal that is not shown while it is typed. */
async function typed(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let line: string[] = [];
      const hear = (text: string) => {
        for (const character of text) {
          if (character === ENTER || character === NEWLINE || character === END) {
            stdin.off("data", hear);
            resolve(line.join(""));
            return;
          }
          if (character === INTERRUPT) {
            stdin.off("data", hear);
            reject(new Error("interrupted"));
            return;
          }
          if (character === BACKSPACE || character === DELETE) line = line.slice(0, -1);
          else line.push(character);
        }
      };
      stdin.on("data", hear);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
