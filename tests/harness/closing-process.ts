import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Fabric, Site } from "../../src/contract/index.ts";
import { RESOURCES, type Resource } from "../../src/contract/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore } from "../../src/core/store/index.ts";
import { type Json, messageOf } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Meters } from "../../src/platform/meters.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";

/** A platform's closer in a process of its own: node closing-process.ts SITE-AS-JSON NOW_MS. Prints how many statements it closed, or why it could not. */
const [, , told = "", now = ""] = process.argv;
const site = JSON.parse(told) as Site;
const clock = { now: () => Number(now) };
const fabric = { meter: async () => (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: "2000000000", boot: "b1", epoch: "e1" })) } as unknown as Fabric<unknown, Json>;
const openings = new Openings(site.dir);
const store = await openStore({ site });
try {
  process.stdout.write("waiting\n");
  const ledger = await openLedger({ store, clock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: "closing.example/nexus" });
  try {
    process.stdout.write("closing\n");
    const closed = await new Closing({ store, ledger, meters: new Meters([fabric], ledger, clock), openings, clock, raters: () => new RatingPool({ site }, openings), say: (line) => process.stderr.write(`${line}\n`) }).round();
    process.stdout.write(`closed ${closed}\n`);
  } finally {
    await ledger.close();
  }
} catch (error) {
  process.stdout.write(`refused ${(error as { code?: string }).code ?? ""} ${messageOf(error)}\n`);
} finally {
  await store.close();
}
