import { PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN } from "../core/identity/index.ts";
import { accept, type IdentityName, type Outcome, refuse } from "../kernel/index.ts";
import { secretFile, typedSecret } from "./secret-input.ts";

const SECRET = { what: "the passphrase", code: "PASSPHRASE_FILE", bytes_max: 4 * PASSPHRASE_CHARS_MAX };

/** From the file that NEXUS_PASSPHRASE_FILE names, else from the terminal, without showing it; undefined: nobody can be asked. */
export async function passphraseOf(name: IdentityName, input: boolean): Promise<Outcome<string> | undefined> {
  const file = process.env.NEXUS_PASSPHRASE_FILE;
  if (file) return await secretFile(file, "NEXUS_PASSPHRASE_FILE", SECRET);
  return input && process.stdin.isTTY && process.stderr.isTTY ? accept(await typedSecret(`passphrase of ${name}: `)) : undefined;
}

/** A new one: on a terminal it is typed twice. */
export async function newPassphrase(name: IdentityName, input: boolean): Promise<Outcome<string>> {
  const first = await passphraseOf(name, input);
  if (first === undefined) return refuse("usage", "NO_PASSPHRASE", "a new passphrase is needed, and nobody can be asked", "name a file of mode 0600 that holds it in NEXUS_PASSPHRASE_FILE, or run this on a terminal");
  if (!first.ok) return first;
  if (!process.env.NEXUS_PASSPHRASE_FILE && (await typedSecret("once more: ")) !== first.value) return refuse("usage", "BAD_PASSPHRASE", "the two passphrases differ", "run it again");
  return longEnough(first.value);
}

/** A new one that a file holds. */
export async function passphraseFrom(path: string): Promise<Outcome<string>> {
  const read = await secretFile(path, "--new-file", SECRET);
  return read.ok ? longEnough(read.value) : read;
}

function longEnough(passphrase: string): Outcome<string> {
  const { length } = passphrase;
  return length >= PASSPHRASE_CHARS_MIN && length <= PASSPHRASE_CHARS_MAX
    ? accept(passphrase)
    : refuse("usage", "BAD_PASSPHRASE", `the passphrase has ${length} characters; ${PASSPHRASE_CHARS_MIN} to ${PASSPHRASE_CHARS_MAX} are allowed`, "several words are easy to keep in mind");
}
