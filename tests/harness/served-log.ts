import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiServer, type PlatformPort, serveApi } from "../../src/api/index.ts";
import { Caller } from "../../src/cli/demo/driver.ts";
import type { Imvu } from "../../src/contract/index.ts";
import { loadStoredIdentity, type StoredIdentity } from "../../src/core/identity/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { parseTilePath } from "../../src/core/ledger/pure.ts";
import { endPostgresLeftovers, openStore, postgresEngine, type Store } from "../../src/core/store/index.ts";
import { type IdentityName, type Json, systemClock } from "../../src/kernel/index.ts";
import { bodiesOf } from "../../src/platform/bodies.ts";
import { endEngineGroups, type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "./scratch-site.ts";

export const ORIGIN = "log.example/nexus";

/** A real ledger in a real cluster behind the real API, and clients with homes of their own; no other engine runs. */
export class ServedLog implements AsyncDisposable {
  readonly scratch: ScratchSite;
  readonly clients: string;
  engines!: RunningEngines;
  store!: Store;
  ledger!: Ledger;
  private api: ApiServer | undefined;
  private readonly known = new Map<string, StoredIdentity>();
  readonly units: Imvu[] = [];
  /** Lets a test spoil what is served. */
  spoil: (path: string, bytes: Uint8Array) => Uint8Array = (_path, bytes) => bytes;
  spoilBodies: (answer: Json) => Json = (answer) => answer;

  private constructor(scratch: ScratchSite, clients: string) {
    this.scratch = scratch;
    this.clients = clients;
  }

  static async start(): Promise<ServedLog> {
    const clients = await mkdtemp(join(tmpdir(), "nc-"));
    await chmod(clients, 0o711);
    const served = new ServedLog(await ScratchSite.create(), clients);
    await mkdir(join(served.scratch.site.dir, "keys"), { mode: 0o700 });
    await served.up();
    return served;
  }

  async up(): Promise<void> {
    const { site } = this.scratch;
    this.engines = await superviseEngines(site, [postgresEngine(site)], () => {});
    this.store = await openStore({ site });
    this.ledger = await openLedger({ store: this.store, clock: systemClock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: ORIGIN });
    this.api = await serveApi(this.port(), site.listenAddress, site.ports.api, () => {});
  }

  async down(): Promise<void> {
    const { site } = this.scratch;
    await this.api?.close();
    this.api = undefined;
    await this.ledger?.close();
    await this.store?.close();
    await this.engines?.stop();
    await endPostgresLeftovers(site);
  }

  get url(): string {
    const { listenAddress, ports } = this.scratch.site;
    return `http://${listenAddress}:${ports.api}`;
  }

  /** A client whose key the platform knows. */
  async client(name: string): Promise<Caller> {
    const home = join(this.clients, name);
    await mkdir(home, { recursive: true });
    const call = new Caller(home, this.url);
    await call.ok("identity", "create", name);
    const loaded = await loadStoredIdentity(join(home, "identities"), name as IdentityName, () => Promise.reject(new Error("no passphrase")));
    if (!loaded.ok) throw new Error(loaded.message);
    this.known.set(name, loaded.value);
    return call;
  }

  /** Somebody with nothing but the address. */
  stranger(name: string): Caller {
    return new Caller(join(this.clients, name), this.url);
  }

  private port(): PlatformPort {
    const { ledger, known, units } = this;
    const parts = {
      clock: systemClock,
      apiOrigin: this.url,
      keyOf: async (kid: string) => [...known.values()].find((one) => one.key.kid === kid)?.key.publicKey,
      identityOf: async (kid: string) => [...known].find(([, one]) => one.key.kid === kid)?.[0],
      imvusOf: async (name: string) => units.filter((unit) => unit.members.some(({ identity }) => identity === name)),
      imvu: async (id: string) => units.find((unit) => unit.id === id),
      bodies: async (...asked: Parameters<PlatformPort["bodies"]>) => this.spoilBodies(await bodiesOf(ledger, ...asked)),
      log: {
        verifierKey: ledger.verifierKey,
        origin: ORIGIN,
        checkpoint: () => ledger.checkpoint(),
        consistency: async (from: number, to: number) => (to <= ledger.size() ? (await ledger.consistencyProof(from, to)).map((hash) => hash.toString("base64")) : undefined),
        tile: async (path: string) => {
          const wanted = parseTilePath(path);
          const bytes = wanted && (wanted.level === "entries" ? await ledger.entriesBundle(wanted.n, wanted.width) : await ledger.tile(wanted.level, wanted.n, wanted.width));
          return bytes && this.spoil(path, bytes);
        },
      },
    };
    return parts as unknown as PlatformPort;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    await endEngineGroups(this.scratch.site.homeId);
    await this.scratch[Symbol.asyncDispose]();
    await rm(this.clients, { recursive: true, force: true });
  }
}
