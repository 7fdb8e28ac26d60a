import type { DkimKey } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import type { Directory } from "../identity-binding/directory.ts";
import type { Layout } from "../layout.ts";
import type { TxtResolver } from "./dkim.ts";
import { ensureKeys, importKey, readKeys, removeKey, removeKeys, type SigningKey } from "./keys.ts";

/** The keys on disk, read once and kept while nobody changes them. */
export class Keyring {
  private readonly layout: Layout;
  private readonly known = new Map<ImvuId, Promise<readonly SigningKey[]>>();

  constructor(layout: Layout) {
    this.layout = layout;
  }

  of(imvu: ImvuId): Promise<readonly SigningKey[]> {
    let keys = this.known.get(imvu);
    if (!keys) {
      keys = readKeys(this.layout, imvu);
      this.known.set(imvu, keys);
      // A failure, or "there are none yet", is not worth remembering.
      keys.then((found) => found.length === 0 && this.known.delete(imvu), () => this.known.delete(imvu));
    }
    return keys;
  }

  async ensure(imvu: ImvuId): Promise<readonly DkimKey[]> {
    this.known.delete(imvu);
    return (await ensureKeys(this.layout, imvu)).map(({ selector, algorithm, txt }) => ({ selector, algorithm, txt }));
  }

  async remove(imvu: ImvuId): Promise<void> {
    await removeKeys(this.layout, imvu);
    this.known.delete(imvu);
  }

  /** Makes these the IMVU's keys, all of them and no others. */
  async replace(imvu: ImvuId, keys: readonly { readonly selector: string; readonly pem: string }[]): Promise<readonly SigningKey[]> {
    const kept = new Set(keys.map((key) => key.selector));
    for (const { selector } of await readKeys(this.layout, imvu)) if (!kept.has(selector)) await removeKey(this.layout, imvu, selector);
    for (const { selector, pem } of keys) await importKey(this.layout, imvu, selector, pem);
    this.known.delete(imvu);
    return await this.of(imvu);
  }

  /** Answers for hosted domains' keys from the home, which is where their signatures come from; asks DNS for everything else. */
  resolver(directory: Directory, dns: TxtResolver | undefined): TxtResolver {
    return async (name, type) => {
      const match = /^([a-z0-9-]+)\._domainkey\.(.+)$/.exec(name.toLowerCase());
      const owner = match ? directory.domain(match[2] as string) : undefined;
      if (type === "TXT" && owner?.is === "known") {
        const key = (await this.of(owner.value)).find(({ selector }) => selector === match?.[1]);
        if (key) return [[key.txt]];
      } else if (dns) return await dns(name, type);
      throw Object.assign(new Error(`no ${type} record at ${name}`), { code: "ENOTFOUND" });
    };
  }
}
