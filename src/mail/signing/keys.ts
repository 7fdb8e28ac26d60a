import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DkimKey } from "../../contract/index.ts";
import { ensureFolder, Fault, type ImvuId, writeFileAtomic } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";

/** DKIM keys of one IMVU, on disk (0600, root) and nowhere else; the TXT text is derived from the private key each time. */
export interface SigningKey extends DkimKey {
  readonly privatePem: string;
}

const RSA_BITS = 2_048;
const RSA_BITS_MAX = 4_096;
const RSA_SELECTOR = "nexus-rsa";
const ED25519_SELECTOR = "nexus-ed25519";
const KEYS_MAX = 8;
const generate = promisify(generateKeyPair);

export function isSelector(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** Makes what is missing, returns what there is, sorted by selector. */
export async function ensureKeys(layout: Layout, imvu: ImvuId): Promise<readonly SigningKey[]> {
  const found = await readKeys(layout, imvu);
  // Keys that came with an import count: an IMVU with one key of an algorithm needs no second.
  if (!found.some((key) => key.algorithm === "rsa-sha256")) {
    const { privateKey } = await generate("rsa", { modulusLength: RSA_BITS });
    await writeKey(layout, imvu, RSA_SELECTOR, privateKey);
  }
  if (!found.some((key) => key.algorithm === "ed25519-sha256")) {
    const { privateKey } = await generate("ed25519");
    await writeKey(layout, imvu, ED25519_SELECTOR, privateKey);
  }
  return await readKeys(layout, imvu);
}

export async function readKeys(layout: Layout, imvu: ImvuId): Promise<readonly SigningKey[]> {
  const folder = join(layout.dkim, imvu);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const selectors = names.filter((name) => name.endsWith(".pem")).map((name) => name.slice(0, -".pem".length));
  const keys = selectors.filter(isSelector).sort().map(async (selector) => signingKey(selector, await readFile(join(folder, `${selector}.pem`), "utf8")));
  return await Promise.all(keys);
}

/** Puts a key of an imported bundle in place, after reading it as hostile. */
export async function importKey(layout: Layout, imvu: ImvuId, selector: string, pem: string): Promise<void> {
  if (!isSelector(selector)) throw new Fault("DKIM_KEY", `${JSON.stringify(selector.slice(0, 80))} is no DKIM selector`);
  if ((await readKeys(layout, imvu)).filter((key) => key.selector !== selector).length >= KEYS_MAX) throw new Fault("DKIM_KEY", `an IMVU has at most ${KEYS_MAX} DKIM keys`);
  await writeKey(layout, imvu, selector, parsePrivateKey(selector, pem));
}

export async function removeKey(layout: Layout, imvu: ImvuId, selector: string): Promise<void> {
  await rm(join(layout.dkim, imvu, `${selector}.pem`), { force: true });
}

export async function removeKeys(layout: Layout, imvu: ImvuId): Promise<void> {
  await rm(join(layout.dkim, imvu), { recursive: true, force: true });
}

/** RFC 6376 §3.6.1 and RFC 8463 §4: RSA publishes its SubjectPublicKeyInfo, Ed25519 its 32 bare bytes. */
export function signingKey(selector: string, pem: string): SigningKey {
  const privateKey = parsePrivateKey(selector, pem);
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: "spki", format: "der" });
  if (privateKey.asymmetricKeyType === "rsa") return { selector, algorithm: "rsa-sha256", txt: `v=DKIM1; k=rsa; p=${spki.toString("base64")}`, privatePem: pem };
  return { selector, algorithm: "ed25519-sha256", txt: `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString("base64")}`, privatePem: pem };
}

function parsePrivateKey(selector: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Fault("DKIM_KEY", `the DKIM key ${selector} cannot be read`, { cause });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === "ed25519" || (key.asymmetricKeyType === "rsa" && bits >= RSA_BITS && bits <= RSA_BITS_MAX)) return key;
  throw new Fault("DKIM_KEY", `the DKIM key ${selector} must be RSA of ${RSA_BITS} to ${RSA_BITS_MAX} bits, or Ed25519`);
}

async function writeKey(layout: Layout, imvu: ImvuId, selector: string, key: KeyObject): Promise<void> {
  const folder = join(layout.dkim, imvu);
  await ensureFolder(layout.dkim, 0o700);
  await ensureFolder(folder, 0o700);
  await writeFileAtomic(join(folder, `${selector}.pem`), key.export({ type: "pkcs8", format: "pem" }), 0o600);
}
