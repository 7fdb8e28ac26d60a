import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { accept, type Outcome, refuse } from "../kernel/index.ts";

/** A mailbox password as the mail engine stores it. Made on the creator's side; the server only ever sees the hash. */

/** One guess costs the server about 60 ms: dear for a guesser, bearable for a login. */
export const MAIL_PASSWORD_ROUNDS = 60_000;
/** A creator chooses the rounds of her own hash, and the server pays for each login: beyond this it is an attack on everybody's logins. */
export const MAIL_PASSWORD_ROUNDS_MAX = 200_000;
export const MAIL_PASSWORD_BYTES_MAX = 1_024;
export const MAIL_HASH_CHARS_MAX = 512;
const SALT_BYTES = 12;
const KEY_BYTES = 20;

/** Dovecot's PBKDF2 scheme: HMAC-SHA-1, `$1$salt$rounds$hex` (RFC 8018 §5.2; HMAC's collision resistance is not needed here). */
export async function hashMailPassword(password: string): Promise<string> {
  if (password === "" || Buffer.byteLength(password) > MAIL_PASSWORD_BYTES_MAX || /[\0\r\n]/.test(password)) {
    throw new TypeError(`a mail password is 1 to ${MAIL_PASSWORD_BYTES_MAX} bytes without line breaks`);
  }
  const salt = randomBytes(SALT_BYTES).toString("hex");
  const key = await promisify(pbkdf2)(password, salt, MAIL_PASSWORD_ROUNDS, KEY_BYTES, "sha1");
  return `{PBKDF2}$1$${salt}$${MAIL_PASSWORD_ROUNDS}$${key.toString("hex")}`;
}

/** The forms a stored hash may have: exactly one line, a known scheme, bounded work. */
export function parseMailPasswordHash(text: string): Outcome<string> {
  if (text.length <= MAIL_HASH_CHARS_MAX && isKnownForm(text)) return accept(text);
  return refuse(
    "usage",
    "BAD_PASSWORD_HASH",
    `password hash: must be one line of {PBKDF2}$1$…, {SHA512-CRYPT}$6$…, $6$… or $y$j9T$…, at most ${MAIL_PASSWORD_ROUNDS_MAX} rounds, nothing after it`,
    "let 'nexus mail mailbox password' make the hash",
  );
}

function isKnownForm(text: string): boolean {
  const pbkdf2Form = /^\{PBKDF2\}\$1\$[A-Za-z0-9./]{8,64}\$(\d{1,9})\$[0-9a-f]{40}$/.exec(text);
  if (pbkdf2Form) return withinRounds(pbkdf2Form[1]);
  const sha512 = /^(?:\{SHA512-CRYPT\}|\{CRYPT\})?\$6\$(?:rounds=(\d{1,9})\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{86}$/.exec(text);
  if (sha512) return withinRounds(sha512[1] ?? "5000");
  // yescrypt's cost is in its parameters: only libxcrypt's default is taken.
  return /^(?:\{CRYPT\})?\$y\$j9T\$[A-Za-z0-9./]{1,86}\$[A-Za-z0-9./]{43}$/.test(text);
}

function withinRounds(rounds: string | undefined): boolean {
  return Number(rounds) >= 1_000 && Number(rounds) <= MAIL_PASSWORD_ROUNDS_MAX;
}
