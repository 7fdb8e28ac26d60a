import { readFile, rm } from "node:fs/promises";
import type { ImvuId } from "../../kernel/index.ts";
import { writeFileAtomic } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { imvuOfValue, parseMap, renderMap, type RouteEntry } from "../routing/route-map.ts";
import { type Issued, issueLeaf, readIssued } from "./authority.ts";
import { isDown, liveCertificates, liveFingerprint, liveMap, presentCertificate, syncMap, withdrawCertificate } from "./runtime.ts";

/**
 * Routes and certificates: each change is written to the files a start reads, then told to the running gateway.
 * One change at a time; a gateway that does not run finds the files when it starts.
 */
export class Gateway {
  private readonly layout: Layout;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout) {
    this.layout = layout;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work, work);
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** The lines a start of the gateway would read. */
  async storedRoutes(): Promise<readonly RouteEntry[]> {
    return parseMap(await readFile(this.layout.routes, "utf8").catch(() => ""));
  }

  /** The lines the running gateway obeys; undefined when it does not run. */
  async liveRoutes(): Promise<readonly RouteEntry[] | undefined> {
    return await unlessDown(() => liveMap(this.layout.socket, this.layout.routes));
  }

  setRoutes(imvu: ImvuId, entries: readonly RouteEntry[]): Promise<void> {
    return this.inTurn(async () => {
      const others = (await this.storedRoutes()).filter(({ value }) => imvuOfValue(value) !== imvu);
      const all = [...others, ...entries].sort((a, b) => (a.key < b.key ? -1 : 1));
      await writeFileAtomic(this.layout.routes, renderMap(all), 0o644);
      await unlessDown(() => syncMap(this.layout.socket, this.layout.routes, all));
    });
  }

  async certificate(imvu: ImvuId): Promise<(Issued & { readonly live: boolean }) | undefined> {
    const path = this.layout.certificateOf(imvu);
    const issued = await readIssued(this.layout, path, Date.now());
    if (!issued) return undefined;
    const live = await unlessDown(async () => {
      const [fingerprint, listed] = [await liveFingerprint(this.layout.socket, path), await liveCertificates(this.layout.socket, this.layout.certificateList)];
      return fingerprint === issued.fingerprint && listed.includes(path);
    });
    return { ...issued, live: live ?? (await this.listed()).includes(path) };
  }

  /** Issues the IMVU's certificate unless a lasting one for the same names is there, and has the gateway present it. */
  setCertificate(imvu: ImvuId, names: readonly string[]): Promise<void> {
    return this.inTurn(async () => {
      const path = this.layout.certificateOf(imvu);
      const issued = await readIssued(this.layout, path, Date.now());
      if (!issued?.lasting || issued.names.join() !== names.join()) {
        const leaf = await issueLeaf(this.layout, imvu, names);
        await writeFileAtomic(path, `${leaf.certificate}${leaf.key}`, 0o600);
      }
      await this.list([...(await this.listed()).filter((line) => line !== path), path]);
      const pem = await readFile(path, "utf8");
      await unlessDown(() => presentCertificate(this.layout.socket, this.layout.certificateList, path, pem));
    });
  }

  dropCertificate(imvu: ImvuId): Promise<void> {
    return this.inTurn(async () => {
      const path = this.layout.certificateOf(imvu);
      await this.list((await this.listed()).filter((line) => line !== path));
      await unlessDown(() => withdrawCertificate(this.layout.socket, this.layout.certificateList, path));
      await rm(path, { force: true });
    });
  }

  private async listed(): Promise<readonly string[]> {
    return (await readFile(this.layout.certificateList, "utf8").catch(() => "")).split("\n").filter(Boolean);
  }

  private async list(paths: readonly string[]): Promise<void> {
    await writeFileAtomic(this.layout.certificateList, [...paths].sort().map((path) => `${path}\n`).join(""), 0o644);
  }

  /** After a restart: what changed between its reading of the files and its listening. */
  restore(): Promise<void> {
    return this.inTurn(async () => {
      const { socket, routes, certificateList } = this.layout;
      await syncMap(socket, routes, await this.storedRoutes());
      const [wanted, live] = [await this.listed(), await liveCertificates(socket, certificateList)];
      for (const path of wanted.filter((candidate) => !live.includes(candidate))) await presentCertificate(socket, certificateList, path, await readFile(path, "utf8"));
      for (const path of live.filter((candidate) => !wanted.includes(candidate))) await withdrawCertificate(socket, certificateList, path);
    });
  }
}

async function unlessDown<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isDown(error)) return undefined;
    throw error;
  }
}
