import { type KeyObject, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "../../src/contract/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore, postgresEngine, type Store } from "../../src/core/store/index.ts";
import { type Clock, runOk, systemClock } from "../../src/kernel/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "./scratch-site.ts";

/** Of a platform only what a log needs: a scratch home with PostgreSQL in it, a store, and the log's key. Leaves nothing. */
export class LedgerHouse implements AsyncDisposable {
  readonly site: Site;
  readonly engines: RunningEngines;
  readonly store: Store;
  readonly logKey: KeyObject;
  private readonly scratch: ScratchSite;

  private constructor(scratch: ScratchSite, engines: RunningEngines, store: Store, logKey: KeyObject) {
    this.scratch = scratch;
    this.site = scratch.site;
    this.engines = engines;
    this.store = store;
    this.logKey = logKey;
  }

  static async start(): Promise<LedgerHouse> {
    await using opened = new AsyncDisposableStack();
    const scratch = opened.use(await ScratchSite.create());
    const { site } = scratch;
    await mkdir(join(site.dir, "keys"), { mode: 0o700 });
    const logKey = await openLogKey(join(site.dir, "keys", "log.pem"));
    const engines = opened.adopt(await superviseEngines(site, [postgresEngine(site)], () => {}), (running) => running.stop());
    const house = new LedgerHouse(scratch, engines, await openStore({ site }), logKey);
    opened.move();
    return house;
  }

  /** The log over `on`, which need not be the house's own store. */
  async open(origin: string, on: Store = this.store, clock: Clock = systemClock): Promise<Ledger> {
    return await openLedger({ store: on, clock, randomBytes, logKey: this.logKey, origin });
  }

  /** As the database's superuser, which the product has no way to be. */
  async psql(sql: string): Promise<string> {
    const postgres = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] as const;
    return await runOk([...postgres, "/usr/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", this.store.describe().socket, "-U", "postgres", "-d", "nexus", "-c", sql], { cwd: "/" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.engines.stop();
    await this.scratch[Symbol.asyncDispose]();
  }
}
