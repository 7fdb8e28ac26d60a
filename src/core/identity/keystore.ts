import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { accept, ensureFolder, Fault, type IdentityName, type KeyId, messageOf, type Outcome, parseIdentityName, refuse, type Refusal } from "../../kernel/index.ts";
import { createIdentityKey, privateJwkOf, type SigningKey, signingKeyFromJwk } from "./key.ts";

/** Identities on their owner's side: one file each, mode 0600. The server has no such folder. */
export interface StoredIdentity {
  readonly name: IdentityName;
  readonly key: SigningKey;
}

export interface ListedIdentity {
  readonly name: IdentityName;
  readonly kid: KeyId;
  readonly publicKey: string;
}

const FILE_MODE = 0o600;
const FILE_BYTES_MAX = 4_096;
const IDENTITIES_LISTED_MAX = 1_000;

const zFile = z.strictObject({
  name: z.string(),
  kid: z.string(),
  publicKey: z.string(),
  privateKey: z.strictObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() }),
});

function fileOf(dir: string, name: IdentityName): string {
  return join(dir, `${name}.json`);
}

/** Makes a key pair and keeps it; an existing file is never overwritten: it may be the only copy of a key. */
export async function createStoredIdentity(dir: string, name: IdentityName): Promise<Outcome<StoredIdentity>> {
  await ensureFolder(dir, 0o700);
  const key = createIdentityKey();
  const path = fileOf(dir, name);
  const text = `${JSON.stringify({ name, kid: key.kid, publicKey: key.publicKey.text, privateKey: privateJwkOf(key) }, null, 2)}\n`;
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
  return accept({ name, key });
}

/** Refuses a file that others can read, that is a link, or whose parts do not belong together. */
export async function loadStoredIdentity(dir: string, name: IdentityName): Promise<Outcome<StoredIdentity>> {
  const path = fileOf(dir, name);
  const text = await readPrivate(path, name);
  if (!text.ok) return text;
  try {
    const file = zFile.parse(JSON.parse(text.value));
    const key = signingKeyFromJwk(file.privateKey);
    if (file.name !== name || file.kid !== key.kid || file.publicKey !== key.publicKey.text) throw new TypeError("name, kid, public and private key do not belong together");
    return accept({ name, key });
  } catch {
    // What exactly was wrong would be text from a file of secrets.
    return refuse("usage", "IDENTITY_DAMAGED", `identity ${name}: ${path} is not a whole identity file`, "restore it from your copy, or create another identity");
  }
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
    const loaded = await loadStoredIdentity(dir, name.value);
    if (loaded.ok) found.push({ name: name.value, kid: loaded.value.key.kid, publicKey: loaded.value.key.publicKey.text });
  }
  return found;
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
