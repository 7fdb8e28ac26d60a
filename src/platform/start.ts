import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { serveApi } from "../api/index.ts";
import { type Imvu, type Mailbox, RESOURCES, type Resource, type Site } from "../contract/index.ts";
import { type AroundStep, allImvus, CommandBus, factsLoader, newestReading, ringByName } from "../core/command/index.ts";
import { lastSetOf } from "../core/handshake/index.ts";
import { createStoredIdentity, loadStoredIdentity, type StoredIdentity } from "../core/identity/index.ts";
import { openLedger, openLogKey } from "../core/ledger/index.ts";
import { lawDigest } from "../core/policy-engine/index.ts";
import { openStore, postgresEngine, type Store } from "../core/store/index.ts";
import { blueprintTar, converge, imvuEffects, RUNTIMES, type Runtime, zoneOf } from "../imvu/imvu-manager/index.ts";
import { type Clock, Fault, type IdentityName, messageOf, type Sha256, sha256Hex, sleep, systemClock } from "../kernel/index.ts";
import { Budgets } from "./budgets.ts";
import { BlobShelf, blobsOf, WAITING_MS_MAX } from "./blob-shelf.ts";
import { ensureGenesis } from "./genesis.ts";
import { publishTariff } from "./tariffs.ts";
import { type Home, operatorsFolder } from "./home.ts";
import { Closing } from "./closing.ts";
import { Invoicing } from "./invoices.ts";
import { openJourneys } from "./journeys.ts";
import { Meters } from "./meters.ts";
import { RatingPool } from "./rating-pool.ts";
import { Metrics } from "./metrics.ts";
import { Notices } from "./notices.ts";
import { Payouts, settlePayout } from "./payouts.ts";
import { Openings } from "./openings.ts";
import { platformPort } from "./port.ts";
import { endLeftRehearsals } from "./rehearsal.ts";
import { fabricsOf, openRooms } from "./rooms.ts";
import { superviseEngines } from "./supervision/index.ts";
import { ToldUnits } from "./told.ts";
import { usedOf } from "./used.ts";
import { viewOf } from "./view.ts";
import { Collector } from "../witness/index.ts";
import { witnessesFile } from "./witnesses-file.ts";

const SWEEP_MS = 3_600_000;
const CLOSING_MS = 60_000;
const BUDGETS_MS = 5 * 60_000;

export interface RunningPlatform {
  readonly apiOrigin: string;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Lets a test put a fault into a step of a command. */
  readonly aroundStep?: AroundStep;
  /** Lets a test wait three days in no time. */
  readonly clock?: Clock;
}

/** What was opened, to be closed in reverse, also when opening fails half-way. */
class Opened {
  private readonly closers: (() => Promise<void>)[] = [];

  onClose(closer: () => Promise<void>): void {
    this.closers.push(closer);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const closer of this.closers.toReversed()) await closer().catch((error: unknown) => failures.push(error));
    this.closers.length = 0;
    if (failures.length > 0) throw new AggregateError(failures, `not everything was stopped: ${failures.map(messageOf).join("; ")}`);
  }
}

/**
 * Starts everything of a home: rooms, engines, store, ledger; makes the engines equal to the ledger; finishes what a crash
 * interrupted; serves the API; reads the meters. The caller holds the home's lock.
 */
export async function startPlatform(home: Home, say: (line: string) => void, options: StartOptions = {}): Promise<RunningPlatform> {
  const opened = new Opened();
  try {
    return await startAll(home, say, opened, options);
  } catch (error) {
    await opened.close().catch((fault) => say(messageOf(fault)));
    throw error;
  }
}

async function startAll(home: Home, say: (line: string) => void, opened: Opened, { aroundStep, clock = systemClock }: StartOptions): Promise<RunningPlatform> {
  const { site } = home;
  const blobs = new BlobShelf(join(site.dir, "blobs"));
  const told = new ToldUnits();
  const rooms = await openRooms(site, blobs, told, say);
  opened.onClose(() => rooms.close());
  await endLeftRehearsals(home.root, say);
  say("opening namespaces, volumes and our own small servers");
  await rooms.open();
  say("starting engines");
  const engines = await superviseEngines(site, [postgresEngine(site, home.walArchive), ...rooms.engines], say);
  opened.onClose(() => engines.stop());
  const store = await openStore({ site });
  opened.onClose(() => store.close());
  const metrics = new Metrics(clock);
  const ledger = await openLedger({ signedFile: join(site.dir, "keys", "log.signed"), store, clock, randomBytes, onCommit: metrics.onCommit, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: home.origin });
  opened.onClose(() => ledger.close());
  const witnesses = await Collector.open({ log: ledger, policy: home.witnesses, clock, file: witnessesFile(site.dir), say });
  opened.onClose(() => witnesses.close());
  metrics.read({ ledger, engines, witnesses });
  const law = lawDigest();
  await ensureGenesis(ledger, clock, { name: home.name, suffix: site.suffix, law, firstOperator: () => firstOperator(site) });

  const fabrics = fabricsOf(rooms, (imvu) => viewOf(rooms, site, imvu));
  const meters = new Meters([fabrics.compute, fabrics.domains, fabrics.mail, fabrics.network], ledger, clock, {
    newest: async (imvu) => {
      const reading = await store.snapshot((tx) => newestReading(tx, imvu));
      return reading && lastSetOf(reading);
    },
    onDrift: (imvu) => notices.driftFound(imvu),
  });
  const openings = new Openings(site.dir);
  const journeys = openJourneys({ home, fabrics, ledger, store, openings, blobs, clock, say });
  const contents = await blueprints(blobs);
  const usedBlobs = async (): Promise<ReadonlySet<Sha256>> => new Set([...contents.values(), ...(await store.snapshot(allImvus)).flatMap((imvu) => [...blobsOf(imvu)])]);
  const effects = imvuEffects({
    fabrics,
    journeys,
    suffix: site.suffix,
    publicAddress: site.publicAddress,
    isRegistered: async (name) => (await store.snapshot((tx) => ringByName(tx, name))) !== undefined,
    publishTariff: (tariff, command) => publishTariff(ledger, clock, tariff, command),
    settlePayout: (order, command) => settlePayout({ store, ledger, say }, order, command),
    contentOf: async (runtime) => contents.get(runtime) as Sha256,
    attachMeters: async (imvu) => {
      await meters.record(imvu);
    },
  });
  const notices = new Notices({
    store,
    clock,
    file: join(site.dir, "notices.json"),
    deliver: (imvu, notice) => rooms.mail.notify(imvu.id, { ...notice, to: (imvu.mailboxes[0] as Mailbox).address }),
    say,
  });
  opened.onClose(() => notices.close());
  const bus = new CommandBus({
    store,
    ledger,
    clock,
    effects,
    law,
    onJudged: metrics.onJudged,
    onRefused: (imvu) => notices.refused(imvu),
    onRecovery: (identity) => notices.recovering(identity),
    onPayoutAccount: (imvu) => notices.accountNamed(imvu),
    ...(aroundStep ? { aroundStep } : {}),
    loadFacts: factsLoader(store, clock, {
      suffix: site.suffix,
      node: { name: home.name, jurisdictions: site.nodeJurisdictions, capacity: home.capacity },
      meteredResources: Object.keys(RESOURCES) as Resource[],
      used: (imvu, command) => usedOf(rooms, imvu, command),
      blob: (digest, actor, imvu) => blobs.fact(digest, actor, imvu),
      bundle: (command) => journeys.bundleFacts(command),
      zoneOfNext: (number) => zoneOf(number, site.suffix),
      ledgerWritable: async () => (await store.snapshot((tx) => tx.query("SELECT 1 AS one"))).length === 1,
      keyLoaded: true,
    }),
  });
  const units = await told.refresh(store);
  for (const imvu of units.filter((one) => one.status !== "creating")) {
    const steps = await converge(fabrics, imvu.id, imvu);
    if (steps > 0) say(`${imvu.id}: ${steps} steps made the engines equal to the ledger`);
  }
  await journeys.clear();
  await bus.resume(say);

  const port = platformPort({ home, clock, rooms, fabrics, engines, store, ledger, witnesses, metrics, bus, blobs, usedBlobs, told, meters, openings, journeys, effects });
  const api = await serveApi(port, site.listenAddress, site.ports.api, say);
  opened.onClose(() => api.close());
  opened.onClose(startSweeps(blobs, usedBlobs, clock, say));
  // Months close soon after they end, and those that ended while the platform was down at its start; what is owed then is paid out, and invoices are written.
  const statements = new Closing({ store, ledger, meters, openings, clock, raters: () => new RatingPool({ site }, openings), say });
  opened.onClose(startRounds(CLOSING_MS, { statements, payouts: new Payouts({ store, ledger, say }), invoices: new Invoicing({ store, ledger, clock, say }) }, say));
  opened.onClose(startRounds(BUDGETS_MS, { budgets: new Budgets({ store, ledger, openings, clock, say, onReached: (imvu) => notices.budgetReached(imvu) }) }, say));
  opened.onClose(startMeterRounds(home.meterInterval_ms, store, meters, say));
  return { apiOrigin: port.apiOrigin, stop: () => opened.close() };
}

/** Uploads that nobody uses are taken away a day later. */
function startSweeps(blobs: BlobShelf, used: () => Promise<ReadonlySet<Sha256>>, clock: Clock, say: (line: string) => void): () => Promise<void> {
  const sweep = async () => {
    const swept = await blobs.sweep(await used(), clock.now() - WAITING_MS_MAX);
    if (swept.length > 0) say(`${swept.length} uploads that no unit used for a day were taken away`);
  };
  let running: Promise<void> = Promise.resolve();
  const begin = () => {
    running = running.then(sweep).catch((error: unknown) => say(`uploads: ${messageOf(error)}`));
  };
  begin();
  const timer = setInterval(begin, SWEEP_MS).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** One of each now, in this order, and then again and again; the one that is at work is finished before the engines stop. */
function startRounds(interval_ms: number, rounds: Readonly<Record<string, { round(): Promise<unknown> }>>, say: (line: string) => void): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  const begin = () => {
    for (const [what, one] of Object.entries(rounds)) running = running.then(() => one.round()).catch((error: unknown) => say(`${what}: ${messageOf(error)}`));
  };
  begin();
  const timer = setInterval(begin, interval_ms).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** On the machine that the platform runs on, mode 0600; made again only when the log knows of no operator. */
async function firstOperator(site: Site): Promise<StoredIdentity> {
  const dir = operatorsFolder(site.dir);
  const name = `operator-${site.homeId}` as IdentityName;
  const made = await createStoredIdentity(dir, name);
  const found = made.ok || made.code !== "IDENTITY_EXISTS" ? made : await loadStoredIdentity(dir, name);
  if (!found.ok) throw new Fault(found.code, found.message, { hint: found.hint });
  return found.value;
}

async function blueprints(blobs: BlobShelf): Promise<ReadonlyMap<Runtime, Sha256>> {
  const digests = new Map<Runtime, Sha256>();
  for (const runtime of RUNTIMES) {
    const tar = await blueprintTar(runtime);
    const digest = sha256Hex(tar);
    if (!(await blobs.has(digest))) await blobs.put(digest, [tar]);
    digests.set(runtime, digest);
  }
  return digests;
}

/** Rounds never overlap; the last one is finished before the engines stop, with one reading more, because counters may end with them. */
function startMeterRounds(interval_ms: number, store: Store, meters: Meters, say: (line: string) => void): () => Promise<void> {
  const ending = new AbortController();
  const units = async (): Promise<readonly Imvu[]> => (await store.snapshot(allImvus)).filter((imvu) => imvu.status !== "creating");
  const running = (async () => {
    for (;;) {
      await sleep(interval_ms, ending.signal);
      if (ending.signal.aborted) return;
      await meters.round(await units(), say).catch((error) => say(`meters: ${messageOf(error)}`));
    }
  })();
  return async () => {
    ending.abort();
    await running;
    await meters.round(await units(), say, true);
  };
}
