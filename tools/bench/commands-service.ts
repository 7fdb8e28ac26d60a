import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type PlatformPort, serveApi } from "../../src/api/index.ts";
import { type Envelope, type Imvu, RESOURCES, type Resource, type Site } from "../../src/contract/index.ts";
import { asJson, CommandBus, type Effects, factsLoader, putTariff } from "../../src/core/command/index.ts";
import { DEFAULT_PRICES_V1, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore } from "../../src/core/store/index.ts";
import { type Fqdn, type IdentityName, imvuIdOf, type Json, type Jurisdiction, rfc3339, type Sha256, sha256Hex, systemClock } from "../../src/kernel/index.ts";

/** The API, the bus, the ledger and the store of a platform in a process of its own, and no engine but PostgreSQL: the commands of this benchmark touch none. */
const site = JSON.parse(await readFile(process.argv[2] as string, "utf8")) as Site;
const store = await openStore({ site });
const ledger = await openLedger({ store, clock: systemClock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: "bench.example/nexus" });
// No unit is made in a currency in which nothing has a price.
const tariff = { v: TARIFF_V1, currency: "EUR", validFrom: rfc3339(systemClock.now()), prices: DEFAULT_PRICES_V1 } as const;
await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: asJson(tariff) }], (tx, [placed]) => putTariff(tx, tariff, placed?.index as number));
const figures = { cpuMillis: 1e9, memoryBytes: 2 ** 48, storageBytes: 2 ** 48 };

const effects: Effects = {
  allocate: async (command, _actor, at, number) => (command.op === "imvu.create" ? { number, at } : null),
  after: (command, before, allocation) => (command.op === "imvu.create" ? unit(command.params.owner, command.params.envelope, allocation as { number: number; at: string }) : before),
  withLearned: (after) => after,
  objection: async () => undefined,
  run: async ({ command }) => ({ learned: null, observed: { op: command.op } }),
  whole: (command) => (command.op === "imvu.create" ? undefined : { learned: null, observed: { op: command.op } }),
  converge: async () => {},
};
const loadFacts = factsLoader(store, systemClock, {
  suffix: "world" as Fqdn, node: { name: "node-1", jurisdictions: ["EU-GDPR" as Jurisdiction], capacity: figures }, meteredResources: Object.keys(RESOURCES) as Resource[],
  used: async () => null, blob: async (digest: Sha256) => ({ digest, readable: true, bytes: 60 }), bundle: async () => null, zoneOfNext: zoneOf, ledgerWritable: async () => true, keyLoaded: true,
});
const bus = new CommandBus({ store, ledger, clock: systemClock, effects, law: sha256Hex("the benchmark's law"), loadFacts });
// Only what a command needs of the platform behind the API is there.
const port = { clock: systemClock, apiOrigin: "", status: async (): Promise<Json> => ({}), submit: (signed: unknown) => bus.submit(signed), operation: (digest: string) => bus.operations.get(digest) } as unknown as PlatformPort;
await serveApi(port, "127.0.0.1", site.ports.api, (line) => process.stderr.write(`${line}\n`));
process.on("disconnect", () => process.exit(0));
process.send?.({ verifierKey: ledger.verifierKey });

function unit(owner: IdentityName, envelope: Envelope, { number, at }: { number: number; at: string }): Imvu {
  const zone = zoneOf(number);
  return { id: imvuIdOf(number), number, name: "Unit", slug: "unit", owner, jurisdiction: "EU-GDPR" as Jurisdiction, status: "active", zone, createdAt: at, envelope, services: [], records: [], dkim: [], mailboxes: [], routes: [], members: [{ identity: owner, role: "owner" }] };
}

function zoneOf(number: number): Fqdn {
  return `imvu${String(number).padStart(3, "0")}.world` as Fqdn;
}
