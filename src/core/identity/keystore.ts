import { constants } from "node:fs";
import { open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { accept, ensureFolder, Fault, type IdentityName, type KeyId, messageOf, type Outcome, parseIdentityName, refuse, type Refusal, writeFileAtomic } from "../../kernel/index.ts";
import { createIdentityKey, kidOf, type PrivateJwk, privateJwkOf, type SigningKey, signingKeyFromJwk } from "./key.ts";
import { seal, unseal } from "./seal.ts";

/** Identities on their owner's side: one file each, mode 0600. The server has no such folder. */
export interface StoredIdentity {
  readonly name: IdentityName;
  readonly key: SigningKey;
  /** Public half of the recovery key (base64url), which a registration makes known; the other half is on paper. */
  readonly recovery?: string | undefined;
  /** What its owner calls this machine. */
  readonly device?: string | undefined;
}

export interface NewIdentity {
  readonly passphrase?: string | undefined;
  readonly recovery?: string | undefined;
  readonly device?: string | undefined;
}

export interface ListedIdentity {
  readonly name: IdentityName;
  readonly kid: KeyId;
  readonly publicKey: string;
  /** A passphrase seals the private half. */
  readonly protected: boolean;
}

const FILE_MODE = 0o600;
const FILE_BYTES_MAX = 4_096;
const IDENTITIES_LISTED_MAX = 1_000;

const zPrivateKey = z.strictObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() });
const zPublicHalf = { name: z.string(), kid: z.string(), publicKey: z.string(), recovery: z.string().optional(), device: z.string().optional() };
const zOpenFile = z.strictObject({ ...zPublicHalf, privateKey: zPrivateKey });
/** `sealed`: the private JWK as an armored age file that a passphrase opens. */
const zSealedFile = z.strictObject({ ...zPublicHalf, sealed: z.string() });
const zFile = z.union([zOpenFile, zSealedFile]);
type IdentityFile = z.output<typeof zFile>;

/** Asked only when a key is sealed; undefined: nobody can be asked. */
export type AskPassphrase = (name: IdentityName) => Promise<Outcome<string> | undefined>;

function fileOf(dir: string, name: IdentityName): string {
  return join(dir, `${name}.json`);
}

/** No identity's name has a dot. */
function nextOf(dir: string, name: IdentityName): string {
  return join(dir, `${name}.next.json`);
}

function retiredOf(dir: string, name: IdentityName, kid: string): string {
  return join(dir, "retired", `${name}.${kid}.json`);
}

/** The file's text; with a passphrase the private half is sealed by it. */
async function textOf({ name, key, recovery, device }: StoredIdentity, passphrase: string | undefined): Promise<string> {
  const half = { name, kid: key.kid, publicKey: key.publicKey.text, ...(recovery === undefined ? {} : { recovery }), ...(device === undefined ? {} : { device }) };
  const privateKey = privateJwkOf(key);
  const file: IdentityFile = passphrase === undefined ? { ...half, privateKey } : { ...half, sealed: await seal(JSON.stringify(privateKey), passphrase) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Makes a key pair and keeps it; an existing file is never overwritten: it may be the only copy of a key. */
export async function createStoredIdentity(dir: string, name: IdentityName, options: NewIdentity = {}): Promise<Outcome<StoredIdentity>> {
  return await createIn(dir, fileOf(dir, name), name, options);
}

async function createIn(dir: string, path: string, name: IdentityName, { passphrase, recovery, device }: NewIdentity): Promise<Outcome<StoredIdentity>> {
  await ensureFolder(dir, 0o700);
  const identity: StoredIdentity = { name, key: createIdentityKey(), recovery, device };
  const text = await textOf(identity, passphrase);
  try {
    const file = await open(path, "wx", FILE_MODE);
    try {
      await file.chmod(FILE_MODE);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrno(error, "EEXIST")) {
      return refuse("conflict", "IDENTITY_EXISTS", `identity ${name}: ${path} exists already`, `use it with '--as ${name}', or choose another name`);
    }
    throw new Fault("KEYSTORE_WRITE", `cannot write ${path}: ${messageOf(error)}`, { cause: error, hint: `check that ${dir} is a folder of yours with room` });
  }
  return accept(identity);
}

/**
 * The key that is to take the place of `NAME.json`: made at the first call, kept beside it, and found again by later ones, so that whatever
 * interrupts a rotation it goes on with the same key.
 */
export async function nextStoredKey(dir: string, name: IdentityName, options: NewIdentity, ask?: AskPassphrase): Promise<Outcome<StoredIdentity>> {
  const made = await createIn(dir, nextOf(dir, name), name, options);
  return made.ok || made.code !== "IDENTITY_EXISTS" ? made : await loadFrom(nextOf(dir, name), name, ask);
}

export async function waitingStoredKey(dir: string, name: IdentityName, ask?: AskPassphrase): Promise<Outcome<StoredIdentity>> {
  return await loadFrom(nextOf(dir, name), name, ask);
}

/** A next key that nothing came of goes to `retired/`. */
export async function setAsideNextKey(dir: string, { name, key }: StoredIdentity): Promise<void> {
  await ensureFolder(join(dir, "retired"), 0o700);
  await rename(nextOf(dir, name), retiredOf(dir, name, key.kid));
}

/** `NAME.json` is kept in `retired/`, and the next key becomes `NAME.json` in one step. Calling it again after a crash ends the same. */
export async function takeUpNextKey(dir: string, name: IdentityName): Promise<void> {
  const present = await readFileOf(fileOf(dir, name), name);
  if (present.ok) {
    await ensureFolder(join(dir, "retired"), 0o700);
    await writeFileAtomic(retiredOf(dir, name, present.value.kid), `${JSON.stringify(present.value, null, 2)}\n`, FILE_MODE);
  }
  await rename(nextOf(dir, name), fileOf(dir, name));
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A key of this identity that gave way to another here; another platform may still know it. */
export async function loadRetiredKey(dir: string, name: IdentityName, kid: KeyId, ask?: AskPassphrase): Promise<Outcome<StoredIdentity>> {
  return await loadFrom(retiredOf(dir, name, kid), name, ask);
}

/** Seals a kept key with another passphrase, or with none; the file is replaced in one step. */
export async function protectStoredIdentity(dir: string, identity: StoredIdentity, passphrase: string | undefined): Promise<void> {
  await writeFileAtomic(fileOf(dir, identity.name), await textOf(identity, passphrase), FILE_MODE);
}

/** Refuses a file that others can read, that is a link, or whose parts do not belong together. */
export async function loadStoredIdentity(dir: string, name: IdentityName, ask?: AskPassphrase): Promise<Outcome<StoredIdentity>> {
  return await loadFrom(fileOf(dir, name), name, ask);
}

async function loadFrom(path: string, name: IdentityName, ask: AskPassphrase | undefined): Promise<Outcome<StoredIdentity>> {
  const read = await readFileOf(path, name);
  if (!read.ok) return read;
  const file = read.value;
  const opened = "sealed" in file ? await opens(file.sealed, path, name, ask) : accept(file.privateKey);
  if (!opened.ok) return opened;
  try {
    const key = signingKeyFromJwk(opened.value);
    if (file.kid !== key.kid || file.publicKey !== key.publicKey.text) throw new TypeError("kid, public and private key do not belong together");
    return accept({ name, key, recovery: file.recovery, device: file.device });
  } catch {
    return damaged(path, name);
  }
}

async function opens(sealed: string, path: string, name: IdentityName, ask: AskPassphrase | undefined): Promise<Outcome<PrivateJwk>> {
  const passphrase = await ask?.(name);
  if (passphrase === undefined) return refuse("usage", "IDENTITY_LOCKED", `identity ${name}: a passphrase protects ${path}`, "name a file of mode 0600 that holds it in NEXUS_PASSPHRASE_FILE, or run this on a terminal");
  if (!passphrase.ok) return passphrase;
  const text = await unseal(sealed, passphrase.value);
  if (text === undefined) return refuse("usage", "WRONG_PASSPHRASE", `identity ${name}: the passphrase does not open ${path}`, "try again; a passphrase cannot be recovered");
  const key = zPrivateKey.safeParse(JSON.parse(text));
  return key.success ? accept(key.data) : damaged(path, name);
}

async function readFileOf(path: string, name: IdentityName): Promise<Outcome<IdentityFile>> {
  const text = await readPrivate(path, name);
  if (!text.ok) return text;
  try {
    const file = zFile.parse(JSON.parse(text.value));
    return file.name === name ? accept(file) : damaged(path, name);
  } catch {
    return damaged(path, name);
  }
}

/** What exactly was wrong would be text from a file of secrets. */
function damaged(path: string, name: IdentityName): Refusal {
  return refuse("usage", "IDENTITY_DAMAGED", `identity ${name}: ${path} is not a whole identity file`, "restore it from your copy, or create another identity");
}

/** Everything in the folder that loads; files that do not are left out. */
export async function listStoredIdentities(dir: string): Promise<readonly ListedIdentity[]> {
  const files = await readdir(dir).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [];
    throw new Fault("KEYSTORE_READ", `cannot list ${dir}: ${messageOf(error)}`, { cause: error });
  });
  const found: ListedIdentity[] = [];
  for (const file of files.filter((f) => f.endsWith(".json")).sort().slice(0, IDENTITIES_LISTED_MAX)) {
    const name = parseIdentityName(file.slice(0, -".json".length));
    if (!name.ok) continue;
    const listed = await listedOf(dir, name.value);
    if (listed) found.push(listed);
  }
  return found;
}

/** Of a sealed key the file's word is taken for its public half; signing with it shows whether it was true. */
async function listedOf(dir: string, name: IdentityName): Promise<ListedIdentity | undefined> {
  const file = await readFileOf(fileOf(dir, name), name);
  if (!file.ok) return undefined;
  const { publicKey } = file.value;
  const protects = "sealed" in file.value;
  if (protects) return kidOf(publicKey) === file.value.kid ? { name, kid: kidOf(publicKey), publicKey, protected: true } : undefined;
  const loaded = await loadStoredIdentity(dir, name);
  return loaded.ok ? { name, kid: loaded.value.key.kid, publicKey, protected: false } : undefined;
}

async function readPrivate(path: string, name: IdentityName): Promise<Outcome<string>> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode, size } = await file.stat();
      if ((mode & 0o077) !== 0) return openToOthers(path, name, mode);
      if (size > FILE_BYTES_MAX) return refuse("usage", "IDENTITY_DAMAGED", `identity ${name}: ${path} has ${size} bytes, at most ${FILE_BYTES_MAX}`, "restore it from your copy");
      return accept(await file.readFile("utf8"));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrno(error, "ENOENT")) return refuse("not-found", "IDENTITY_UNKNOWN", `identity ${name}: there is no ${path}`, `run 'nexus identity create ${name}'`);
    if (isErrno(error, "ELOOP")) return refuse("usage", "IDENTITY_DAMAGED", `identity ${name}: ${path} is a symbolic link`, "put the file itself there");
    throw new Fault("KEYSTORE_READ", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function openToOthers(path: string, name: IdentityName, mode: number): Refusal {
  const seen = (mode & 0o777).toString(8).padStart(4, "0");
  return refuse("usage", "IDENTITY_EXPOSED", `identity ${name}: ${path} has mode ${seen}; others can read the private key`, `run 'chmod 600 ${path}', or create a new identity if others may have read it`);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
