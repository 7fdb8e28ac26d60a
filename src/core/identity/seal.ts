/** Slow to load, and only whoever has a passphrase needs it. */
const age = () => import("age-encryption");

/** Shorter ones are found by trying. */
export const PASSPHRASE_CHARS_MIN = 8;
export const PASSPHRASE_CHARS_MAX = 1_024;

/** An armored age file (age-encryption.org/v1) with an scrypt stanza: any age program opens it. */
export async function seal(text: string, passphrase: string): Promise<string> {
  const { armor, Encrypter } = await age();
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(text));
}

/** undefined: the passphrase does not open it, or it is no such file. */
export async function unseal(sealed: string, passphrase: string): Promise<string | undefined> {
  const { armor, Decrypter } = await age();
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(armor.decode(sealed), "text");
  } catch {
    return undefined;
  }
}
