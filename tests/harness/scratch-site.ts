import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Site, UIDS_PER_HOME } from "../../src/contract/index.ts";
import { endPostgresLeftovers } from "../../src/core/store/index.ts";
import type { Fqdn, Jurisdiction } from "../../src/kernel/index.ts";
import { endEngineGroups } from "../../src/platform/supervision/index.ts";
import { allocatePorts } from "../../src/platform/free-ports.ts";

/** A home for one engine's contract tests: free ports, a folder its users can reach, and nothing left at the end. */
export class ScratchSite implements AsyncDisposable {
  readonly site: Site;

  private constructor(site: Site) {
    this.site = site;
  }

  static async create(): Promise<ScratchSite> {
    const dir = await mkdtemp(join(tmpdir(), "nx-"));
    await chmod(dir, 0o711);
    for (const folder of ["run", "log", "blobs"]) await mkdir(join(dir, folder), { mode: 0o711 });
    return new ScratchSite({
      homeId: randomBytes(3).toString("hex"),
      dir,
      cacheDir: process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache"),
      listenAddress: "127.0.0.1",
      ports: await allocatePorts("127.0.0.1", Math.random),
      suffix: "world" as Fqdn,
      publicAddress: "127.0.0.1",
      nodeJurisdictions: ["EU-GDPR" as Jurisdiction, "US-CCPA" as Jurisdiction],
      uidBase: 100_000_000 + Math.floor(Math.random() * 30) * UIDS_PER_HOME,
      boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endEngineGroups(this.site.homeId);
    await endPostgresLeftovers(this.site);
    await rm(this.site.dir, { recursive: true, force: true });
  }
}
