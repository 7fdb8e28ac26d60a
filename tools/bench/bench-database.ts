import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Site } from "../../src/contract/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore, postgresEngine, type Store } from "../../src/core/store/index.ts";
import { systemClock } from "../../src/kernel/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../../tests/harness/scratch-site.ts";

/** A private cluster as every platform has one, under the real supervisor, for one part of the benchmarks; gone afterwards. */
export class BenchDatabase implements AsyncDisposable {
  readonly site: Site;
  readonly store: Store;
  private readonly scratch: ScratchSite;
  private readonly engines: RunningEngines;

  private constructor(scratch: ScratchSite, engines: RunningEngines, store: Store) {
    this.site = scratch.site;
    this.scratch = scratch;
    this.engines = engines;
    this.store = store;
  }

  static async start(): Promise<BenchDatabase> {
    const scratch = await ScratchSite.create();
    await mkdir(join(scratch.site.dir, "keys"), { mode: 0o700 });
    const engines = await superviseEngines(scratch.site, [postgresEngine(scratch.site)], () => {});
    return new BenchDatabase(scratch, engines, await openStore({ site: scratch.site }));
  }

  async ledger(): Promise<Ledger> {
    const logKey = await openLogKey(join(this.site.dir, "keys", "log.pem"));
    return await openLedger({ store: this.store, clock: systemClock, randomBytes, logKey, origin: "bench.example/nexus" });
  }

  /** A connection of its own as the schema's owner: the raw side of a comparison. */
  async owner(): Promise<Client> {
    const { socket, port, name } = this.store.describe();
    const client = new Client({ host: socket, port, database: name, user: "nexus_owner" });
    await client.connect();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.engines.stop();
    await this.scratch[Symbol.asyncDispose]();
  }
}
