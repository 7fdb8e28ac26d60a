import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NewEntry, Resource, Site } from "../../src/contract/index.ts";
import { CommandBus, type Effects, factsLoader } from "../../src/core/command/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore } from "../../src/core/store/index.ts";
import { Fault, type Fqdn, type Json, messageOf, type Sha256, sha256Hex, systemClock } from "../../src/kernel/index.ts";

/**
 * The smallest service that keeps a ledger: the real store, sequencer and command bus, and no engine but PostgreSQL. It is told what to
 * do over its parent's channel and is killed at any instant.
 */
export type Ask = { readonly id: number } & ({ readonly command: unknown } | { readonly entry: NewEntry });
export type Told =
  | { readonly ready: true; readonly resumed: number }
  | { readonly id: number; readonly outcome: Json }
  /** Not known whether it happened: to be asked again. */
  | { readonly id: number; readonly unclear: string };

/** Commands of this soak touch no engine: what they do is in their entries. */
export const EFFECTS: Effects = {
  allocate: async () => null,
  after: () => undefined,
  withLearned: (after) => after,
  objection: async () => undefined,
  run: async ({ command }) => ({ learned: null, observed: { op: command.op } }),
  // Every other command is done when it is written down, as consents are.
  whole: ({ nonce, op }) => (nonce.charCodeAt(0) % 2 === 0 ? { learned: null, observed: { op } } : undefined),
  converge: async () => {},
};

if (process.argv[2] !== undefined) await serve(process.argv[2]);

async function serve(siteFile: string): Promise<void> {
  const site = JSON.parse(await readFile(siteFile, "utf8")) as Site;
  const store = await openStore({ site });
  const ledger = await openLedger({ store, clock: systemClock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: "soak.example/nexus" });
  const figures = { cpuMillis: 1_000, memoryBytes: 1_000, storageBytes: 1_000 };
  const loadFacts = factsLoader(store, systemClock, {
    suffix: "world" as Fqdn, node: { name: "node-1", jurisdictions: site.nodeJurisdictions, capacity: figures }, meteredResources: [] as readonly Resource[],
    used: async () => null, blob: async (digest: Sha256) => ({ digest, readable: false, bytes: 0 }), bundle: async () => null, zoneOfNext: () => "imvu001.world" as Fqdn,
    ledgerWritable: async () => true, keyLoaded: true,
  });
  const bus = new CommandBus({ store, ledger, clock: systemClock, effects: EFFECTS, law: sha256Hex("the soak's law"), loadFacts });
  const tell = (told: Told) => process.send?.(told);
  process.on("disconnect", () => process.exit(1));
  process.on("message", (ask: Ask) => {
    answer(ask).then(
      (outcome) => tell({ id: ask.id, outcome }),
      (error) => tell({ id: ask.id, unclear: `${error instanceof Fault ? error.code : ""} ${messageOf(error)}` }),
    );
  });
  const answer = async (ask: Ask): Promise<Json> => {
    if ("entry" in ask) {
      const [appended] = await ledger.append([ask.entry]);
      return { index: appended?.index ?? -1, receipt: { ...(await ledger.receipt(appended?.index ?? -1)) } };
    }
    const operation = bus.submit(ask.command);
    return JSON.parse(JSON.stringify(operation.ok ? await operation.value.answer : operation)) as Json;
  };
  tell({ ready: true, resumed: await bus.resume(() => {}) });
}
