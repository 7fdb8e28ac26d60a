import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { link, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault, writeFileAtomic } from "../../kernel/index.ts";

/**
 * The log's Ed25519 key (PKCS #8 PEM, mode 0600), made on first use. Two that make it at once end with the same one: the file
 * appears by link(2), which never replaces. A key that others can read is refused.
 */
export async function openLogKey(path: string): Promise<KeyObject> {
  const known = await readKey(path);
  if (known) return known;
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFileAtomic(beside, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string, 0o600);
    await link(beside, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(beside, { force: true });
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return (await readKey(path)) as KeyObject;
}

async function readKey(path: string): Promise<KeyObject | undefined> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    if (((await stat(path)).mode & 0o077) !== 0) throw new Fault("LOG_KEY_EXPOSED", `${path} can be read by others`, { hint: `chmod 600 ${path}` });
    const key = createPrivateKey(await file.readFile("utf8"));
    if (key.asymmetricKeyType !== "ed25519") throw new Fault("BAD_LOG_KEY", `${path} is not an Ed25519 key`);
    return key;
  } finally {
    await file.close();
  }
}
