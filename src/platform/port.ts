import { createReadStream } from "node:fs";
import type { PlatformPort } from "../api/index.ts";
import type { Imvu } from "../contract/index.ts";
import { allImvus, asJson, buyersNow, budgetsOf, type CommandBus, commandByDigest, consentHistory, type Effects, imvuById, keyNow, meteredSince, operatorNames, reachedOf, refusalsOf, replayCheck, replayUnits, ringByName, salesOf, sellerNow } from "../core/command/index.ts";
import { forecastOf, parsePeriod, percentUsed, periodOf, tariffInForce, termsOf } from "../core/handshake/index.ts";
import { type KeyRing, stateIn } from "../core/identity/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { formatTlogProof, parseTilePath } from "../core/ledger/pure.ts";
import { probeGates } from "../core/policy-engine/index.ts";
import type { Store } from "../core/store/index.ts";
import type { Fabrics } from "../imvu/imvu-manager/index.ts";
import { accept, type Clock, Fault, type Fqdn, type Json, refuse, type Sha256 } from "../kernel/index.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import { bodiesOf } from "./bodies.ts";
import { publishedTariffs } from "./tariffs.ts";
import type { Home } from "./home.ts";
import type { OpenJourneys } from "./journeys.ts";
import { type Meters, readMeters } from "./meters.ts";
import type { Metrics } from "./metrics.ts";
import { OneRun } from "./one-run.ts";
import type { Openings } from "./openings.ts";
import { realityOf } from "./reality.ts";
import { Rehearsals } from "./rehearsals.ts";
import { revenueCheck } from "./revenue-check.ts";
import type { Rooms } from "./rooms.ts";
import { invoicesOf, invoicesOfMonth } from "./invoices.ts";
import { journalOf, trialBalance } from "./journal.ts";
import { loggedMonths } from "./held-to-log.ts";
import { allPayouts, duePayouts, unitPayouts } from "./payout-views.ts";
import { statementFor } from "./statements.ts";
import { usageOf } from "./usage.ts";
import { checkSnapshots } from "./snapshot-check.ts";
import { statusOf } from "./status.ts";
import { readAsStranger } from "./stranger.ts";
import type { RunningEngines } from "./supervision/index.ts";
import type { ToldUnits } from "./told.ts";
import type { Collector } from "../witness/index.ts";

export interface PortDeps {
  readonly home: Home;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly fabrics: Fabrics;
  readonly engines: RunningEngines;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly witnesses: Collector;
  readonly metrics: Metrics;
  readonly bus: CommandBus;
  readonly blobs: BlobShelf;
  /** Uploads that some unit or the platform uses. */
  usedBlobs(): Promise<ReadonlySet<Sha256>>;
  readonly told: ToldUnits;
  readonly meters: Meters;
  readonly openings: Openings;
  readonly journeys: OpenJourneys;
  readonly effects: Effects;
}

const TOKEN_SECONDS = 300;

/** The platform as the API sees it: reads, and one way to change anything. */
export function platformPort(deps: PortDeps): PlatformPort {
  const { home, clock, rooms, fabrics, store, ledger, bus, blobs, usedBlobs, told, meters, openings, journeys } = deps;
  const { site } = home;
  const apiOrigin = `http://${site.listenAddress}:${site.ports.api}`;
  const all = [fabrics.compute, fabrics.domains, fabrics.mail, fabrics.network];
  const atStart = ledger.checkpoint();
  const oneRun = new OneRun<Json>();
  const rehearsals = new Rehearsals(clock);
  const units = async (): Promise<readonly Imvu[]> => {
    await told.refresh(store);
    return [...(await replayUnits(ledger, deps.effects)).values()];
  };
  return {
    clock,
    apiOrigin,
    status: () => statusOf(deps),
    metrics: () => deps.metrics.page(),
    submit: (signed) => bus.submit(signed),
    dryRun: (signed) => bus.dryRun(signed),
    operation: (digest) => bus.operations.get(digest),
    keyOf: async (kid) => {
      const key = await store.snapshot((tx) => keyNow(tx, kid));
      return key?.status === "live" ? key.publicKey : undefined;
    },
    identityOf: async (kid) => {
      const key = await store.snapshot((tx) => keyNow(tx, kid));
      return key?.status === "live" ? key.identity : undefined;
    },
    identity: async (name) => {
      const ring = await store.snapshot((tx) => ringByName(tx, name));
      return ring && publicRing(ring);
    },
    ownRing: async (name) => {
      const ring = await store.snapshot((tx) => ringByName(tx, name));
      const operators = await store.snapshot(operatorNames);
      return asJson({ ...ring, operator: operators.includes(name) });
    },
    operators: async () => ({ operators: [...(await store.snapshot(operatorNames))] }),
    putBlob: async (digest, by, body) => await blobs.putBy(by, digest, body, await usedBlobs()),
    imvusOf: async (identity) => (await store.snapshot(allImvus)).filter((imvu) => imvu.members.some((member) => member.identity === identity)),
    imvu: (id) => store.snapshot((tx) => imvuById(tx, id)),
    view: (imvu) => fabrics.view(imvu),
    zoneFile: (imvu) => rooms.domains.zoneFile(imvu.zone),
    serviceLogs: (imvu, service, lines) => rooms.compute.serviceLogs(imvu.id, service as Parameters<Rooms["compute"]["serviceLogs"]>[1], lines),
    readMeters: async (imvu) => {
      const { index, set } = await meters.record(imvu.id);
      return asJson({ index, ...set });
    },
    statement: async (imvu, asked) => {
      const { timeZone, currency } = termsOf(imvu);
      const month = asked ?? periodOf(clock.now(), timeZone).name;
      const [closed] = await loggedMonths(store, ledger, imvu.id, month);
      if (closed) return accept(asJson({ ...closed.statement, index: closed.index, corrections: closed.corrections }));
      await meters.record(imvu.id);
      const [made, period] = [await statementFor({ ledger, openings }, imvu, month), parsePeriod(month, timeZone)];
      if (!made.ok) return made;
      if (!period.ok) return period;
      const since_ms = await store.snapshot((tx) => meteredSince(tx, imvu.id));
      const tariff = tariffInForce(period.value, await publishedTariffs(ledger), currency);
      const forecast = since_ms === undefined || !tariff ? undefined : forecastOf(made.value, tariff.tariff, period.value, since_ms, clock.now());
      const [budget] = await store.snapshot((tx) => budgetsOf(tx, imvu.id));
      const used = budget ? { amount: budget.amount, thresholds: budget.thresholds, index: budget.index, percentUsed: percentUsed(budget, made.value.usage as string) } : null;
      return accept(asJson({ ...made.value, ...(forecast ? { forecast } : {}), budget: used }));
    },
    statements: async (imvu) => {
      const months = await loggedMonths(store, ledger, imvu.id);
      return asJson({ imvu: imvu.id, statements: months.map(({ period, index, statement: { currency, gross, creator, platform, readings }, corrections }) => ({ period, index, currency, gross, creator, platform, readings: readings.count, corrections: corrections.length, total: corrections.at(-1)?.total ?? null })) });
    },
    usage: async (imvu, month) => {
      const days = await usageOf(ledger, imvu, month);
      return days.ok ? accept(asJson({ imvu: imvu.id, month, days: days.value })) : days;
    },
    journal: async (imvu, month) => asJson({ imvu: imvu.id, ...(await store.snapshot((tx) => journalOf(tx, imvu.id, month))) }),
    payouts: (imvu) => store.snapshot((tx) => unitPayouts(tx, imvu)),
    allPayouts: (state) => store.snapshot((tx) => allPayouts(tx, state)),
    duePayouts: () => duePayouts(store, ledger),
    isOperator: async (name) => (await store.snapshot(operatorNames)).includes(name),
    sales: async (imvu, page) => asJson({ imvu: imvu.id, currency: termsOf(imvu).currency, sales: await store.snapshot((tx) => salesOf(tx, imvu.id, page)) }),
    seller: async () => asJson({ seller: (await store.snapshot(sellerNow)) ?? null }),
    billing: async (imvu) => asJson({ imvu: imvu.id, buyer: (await store.snapshot((tx) => buyersNow(tx, [imvu.id]))).get(imvu.id) ?? null, ...(await store.snapshot(async (tx) => ({ seller: (await sellerNow(tx)) ?? null }))) }),
    invoices: async (imvu) => {
      const issued = await store.snapshot((tx) => invoicesOf(tx, imvu.id));
      return asJson({ imvu: imvu.id, invoices: issued.map(({ index, invoice: { number, kind, issued, period, correction, statement, currency, amounts } }) => ({ index, number, kind, issued, period, correction, statement, currency, ...amounts })) });
    },
    invoice: async (imvu, month) => {
      const issued = await store.snapshot((tx) => invoicesOfMonth(tx, imvu.id, month));
      return issued.ok ? accept(asJson({ imvu: imvu.id, month, invoices: issued.value })) : issued;
    },
    budget: async (imvu) => {
      const [budget, reached] = await store.snapshot(async (tx) => [(await budgetsOf(tx, imvu.id))[0], await reachedOf(tx, imvu.id)]);
      return asJson({ imvu: imvu.id, currency: termsOf(imvu).currency, budget: budget ? { amount: budget.amount, thresholds: budget.thresholds, index: budget.index } : null, reached });
    },
    tariff: async () => {
      const published = await publishedTariffs(ledger);
      const now = periodOf(clock.now());
      const inForce = [...new Set(published.map(({ tariff }) => tariff.currency))].flatMap((currency) => tariffInForce(now, published, currency) ?? []);
      return asJson({ ...inForce[0], inForce, announced: published.filter(({ tariff }) => Date.parse(tariff.validFrom) > clock.now()) });
    },
    entries: async (imvu, from, limit) => {
      const entries: Json[] = [];
      for await (const entry of ledger.entries({ stream: imvu.id, from })) {
        if (entries.length >= limit) break;
        const { index, streamSeq, type } = entry;
        entries.push(entry.type === "erased" ? { index, streamSeq, time: null, type, actor: null, data: null } : { index, streamSeq, time: entry.time, type, actor: entry.actor, data: entry.data });
      }
      return { entries };
    },
    bodies: (stream, from, limit) => bodiesOf(ledger, stream, from, limit),
    consents: async (imvu, page) => {
      const consents = await store.snapshot((tx) => consentHistory(tx, imvu.id, page));
      return asJson({ imvu: imvu.id, consents });
    },
    refusals: (imvu) => refusalsOf(store, ledger, imvu.id),
    signedCommand: async (digest, reader) => {
      const known = await commandByDigest(store, digest);
      if (!known) return undefined;
      const { actor, imvu: id } = known.seen;
      const imvu = id === null ? undefined : await store.snapshot((tx) => imvuById(tx, id));
      const toOperators = known.seen.op.startsWith("platform.") && (await store.snapshot(operatorNames)).includes(reader);
      return actor === reader || toOperators || imvu?.members.some(({ identity }) => identity === reader) ? known.document : undefined;
    },
    routeToken: async (imvu, identity, host) => {
      const role = imvu.members.find((member) => member.identity === identity)?.role;
      if (!role || !imvu.routes.some((route) => route.host === host && route.class === "restricted"))
        return refuse("not-found", "NO_RESTRICTED_ROUTE", `host: ${imvu.id} has no restricted route at this host`, `nexus route list --imvu-id ${imvu.id}`);
      const token = await rooms.network.issueToken({ imvu: imvu.id, identity, role, host: host as Fqdn, ttl_s: TOKEN_SECONDS });
      return accept({ token, host, role, expiresIn: TOKEN_SECONDS });
    },
    exitArchive: async (imvu) => {
      const archive = await journeys.newestArchive(imvu.id);
      return archive && { name: archive.name, bytes: archive.bytes, body: createReadStream(archive.path) };
    },
    rehearseExit: (imvu) => oneRun.of(`rehearsal ${imvu.id}`, async () => {
      const told = (await units()).find(({ id }) => id === imvu.id);
      if (!told) throw new Fault("LEDGER_BROKEN", `the log tells of no ${imvu.id}`, { hint: "nexus ledger replay --check" });
      return asJson({ imvu: imvu.id, ...(await rehearsals.run(imvu.id, () => bus.still(imvu.id, () => journeys.rehearseExit(told)))) });
    }),
    verifyGates: (imvu) => oneRun.of(`gates ${imvu ?? ""}`, async () => {
      let once: ReturnType<typeof units> | undefined;
      const log = () => (once ??= units());
      const reality = realityOf({
        fabrics: all,
        ledger,
        units: async () => (await units()).filter((unit) => unit.status !== "exited"),
        servedZones: () => rooms.domains.servedZones(),
        readMeters: (id) => readMeters(all, id),
        recordMeters: async (id) => (await meters.record(id)).set,
        answeredConsents: (id) => store.snapshot((tx) => consentHistory(tx, id)),
        rehearseExit: async (id) => rehearsals.evidence(id),
        checkSnapshots: (id) => checkSnapshots({ fabrics, bus, units: (anew) => (anew ? units() : log()) }, id),
        readAsStranger: (id) => readAsStranger(apiOrigin, id, clock.now()),
        keptCheckpoints: atStart === undefined ? [] : [atStart],
      });
      await told.refresh(store);
      return asJson({ ...(imvu ? { imvu } : {}), gates: await probeGates(reality, imvu) });
    }),
    log: {
      verifierKey: ledger.verifierKey,
      origin: ledger.verifierKey.slice(0, ledger.verifierKey.indexOf("+")),
      checkpoint: () => deps.witnesses.checkpoint(),
      receipt: async (index) => {
        const known = await ledger.proof(index);
        if (!known) return undefined;
        const [leaf, { proof }] = [known.leaf.toString("base64"), known];
        // Where what is shown covers it, against that: then the witnesses' cosignatures stand below the proof as well.
        const checkpoint = deps.witnesses.checkpoint();
        const size = Number(checkpoint?.split("\n")[1] ?? 0);
        if (checkpoint === undefined || size <= index) return { index, leaf, proof };
        return { index, leaf, proof: formatTlogProof({ index, hashes: await ledger.inclusionProof(index, size), checkpoint }) };
      },
      consistency: async (from, to) => (to <= ledger.size() ? (await ledger.consistencyProof(from, to)).map((hash) => hash.toString("base64")) : undefined),
      tile: async (path) => {
        const wanted = parseTilePath(path);
        if (!wanted) return undefined;
        return wanted.level === "entries" ? await ledger.entriesBundle(wanted.n, wanted.width) : await ledger.tile(wanted.level, wanted.n, wanted.width);
      },
      replay: () => oneRun.of("replay", async () => asJson(await replayCheck(store, ledger, deps.effects))),
      revenue: () => oneRun.of("revenue", async () => {
        const check = await revenueCheck(ledger, await units());
        const journal = await store.snapshot(trialBalance);
        return asJson({ ...check, ok: check.ok && journal.unbalanced === 0, journal });
      }),
      fsck: () => oneRun.of("fsck", async () => asJson(await ledger.fsck())),
    },
  };
}

/** What everybody may know of an identity: its keys and when they counted, not on which machines they are. */
function publicRing(ring: KeyRing): Json {
  const keys = ring.keys.map(({ kid, publicKey, since, ended }) => ({ kid, publicKey, status: stateIn(ring, kid), since, ended: ended?.index ?? null }));
  const live = keys.find(({ status }) => status === "live");
  const recovering = ring.pending && { kid: ring.pending.kid, since_ms: ring.pending.since_ms };
  return { name: ring.name, kid: live?.kid ?? null, publicKey: live?.publicKey ?? null, status: live ? "live" : "revoked", keys, recovering };
}
