import type { Command, Imvu, Resource } from "../../contract/index.ts";
import { type Clock, EUR, type Fqdn, type ImvuId, type KeyId, type Sha256 } from "../../kernel/index.ts";
import { broughtBy, isIdentityCommand, kidOf, type OpenedCommand, stateIn } from "../identity/index.ts";
import {
  asksForRoom, type BlobFact, type BundleFacts, blobsIn, domainsIn, type ErasureFact, type Facts, GATES, type IdentityFacts, imvuFactsOf, isErasure, isFounding, isOperatorCommand, isPayoutOrder, isRevenue, isSnapshotCommand, type NodeFacts, type OperatorFacts, type PayoutFact, type RevenueFact, type SignatureFact, signatureFactsOf, snapshotFactsOf, type TariffFact, type UsedFacts,
  zoneClaimsFor,
} from "../policy-engine/index.ts";
import { bigintArray, type ReadTx, type Statement, type Store, textArray } from "../store/index.ts";
import { erasureFacts } from "./erasure.ts";
import { type KeyNow, type KeyRow, knownIn, knownKids, operatorNames, ringByName } from "./identities.ts";
import { payoutFacts } from "./payouts.ts";
import * as projection from "./projection.ts";
import { metersOf } from "./readings.ts";
import { revenueFacts } from "./sales.ts";
import { hasTariff } from "./tariff-rows.ts";

/** What facts need that the database does not hold. */
export interface World {
  readonly suffix: Fqdn;
  readonly node: { readonly name: string; readonly jurisdictions: NodeFacts["jurisdictions"]; readonly capacity: NodeFacts["capacity"] };
  /** Resources the running fabrics meter from an IMVU's first second. */
  readonly meteredResources: readonly Resource[];
  used(imvu: Imvu, command: Command): Promise<UsedFacts | null>;
  blob(digest: Sha256, actor: string | null, imvu: Imvu | undefined): Promise<BlobFact>;
  bundle(command: Command): Promise<BundleFacts | null>;
  zoneOfNext(number: number): Fqdn;
  ledgerWritable(): Promise<boolean>;
  readonly keyLoaded: boolean;
}

/** What a command is judged by, and the document of the unit it names as it was then. */
export interface Loaded {
  readonly facts: Facts;
  readonly imvu: Imvu | undefined;
  /** The same command when it was seen before. */
  readonly earlier: projection.SeenCommand | undefined;
}

export type LoadFacts = (opened: readonly OpenedCommand[]) => Promise<readonly Loaded[]>;

/** One look at the tables for all, and the engines' answers for each. Anything that cannot be read becomes null, and null denies. */
export function factsLoader(store: Store, clock: Clock, world: World): LoadFacts {
  return async (all) => {
    const bundles = await Promise.all(all.map(({ command }) => world.bundle(command).catch(() => null)));
    const [ledgerWritable, shared] = await Promise.all([world.ledgerWritable().catch(() => false), readShared(store, all)]);
    return await Promise.all(
      all.map(async (opened, at): Promise<Loaded> => {
        const { command } = opened;
        const { imvu, actor, allocated, identity, operators, erasure, revenue, tariffs, payout, signatures, nonceSeen, registration, newZone, zoneClaims, meters, consent } = await readFor(store, world, shared, opened, at);
        const facts: Facts = {
          v: 1,
          now_ms: clock.now(),
          suffix: world.suffix,
          signatures,
          nonceSeen,
          registration,
          imvu: imvu ? imvuFactsOf(imvu, command, signatures) : null,
          newZone,
          zoneClaims,
          node: { ...world.node, allocated },
          used: imvu && usesFigures(command) ? await world.used(imvu, command).catch(() => null) : null,
          meters,
          blobs: await Promise.all(blobsIn(command).map((digest) => world.blob(digest, actor, imvu))),
          consent,
          ...(isIdentityCommand(command) ? { identity } : {}),
          ...(isOperatorCommand(command) ? { operators } : {}),
          ...(isErasure(command) ? { erasure } : {}),
          ...(isRevenue(command) ? { revenue } : {}),
          ...(citesTariffs(command) ? { tariffs } : {}),
          ...(isPayoutOrder(command) ? { payout } : {}),
          ...(isSnapshotCommand(command) ? { snapshots: imvu ? snapshotFactsOf(imvu, command) : null } : {}),
          bundle: bundles[at] ?? null,
          platform: { ledgerWritable, keyLoaded: world.keyLoaded },
        };
        return { facts, imvu, earlier: shared.earlier.get(opened.digest) };
      }),
    );
  };
}

/** What one question answers for every command of a batch. */
interface Shared {
  readonly keys: ReadonlyMap<KeyId, KeyNow>;
  readonly imvus: ReadonlyMap<ImvuId, Imvu>;
  readonly earlier: ReadonlyMap<string, projection.SeenCommand>;
  /** `actor nonce` of commands seen, with their digests. */
  readonly nonces: ReadonlyMap<string, readonly string[]>;
  /** By the command's place in the batch. */
  readonly consents: ReadonlyMap<number, NonNullable<Facts["consent"]>>;
}

/** What most commands are judged by, for all of them in one statement, which is its own snapshot. */
const SHARED: Statement = {
  name: "facts of commands",
  text: `SELECT /* one look */
    (SELECT json_agg(json_build_object('kid', kid, 'doc', identity.doc, 'public_key', public_key)) FROM identity_key JOIN identity ON name = identity WHERE kid = ANY($1)) AS keys,
    (SELECT json_agg(doc) FROM imvu WHERE id = ANY($2)) AS imvus,
    (SELECT json_agg(to_jsonb(seen) - 'nonce') FROM command_seen seen WHERE digest = ANY($3)) AS earlier,
    (SELECT json_agg(json_build_array(seen.actor, seen.nonce, seen.digest)) FROM unnest($4::text[], $5::text[]) AS asked (kid, nonce)
       JOIN LATERAL (
         SELECT actor, nonce, digest FROM command_seen WHERE actor = 'unknown' AND nonce = asked.nonce
         UNION ALL
         SELECT actor, nonce, digest FROM command_seen WHERE actor = (SELECT identity FROM identity_key WHERE kid = asked.kid) AND nonce = asked.nonce
       ) seen ON true) AS nonces,
    (SELECT json_agg(json_build_array(at, last.state, last.text)) FROM unnest($6::bigint[], $7::text[], $8::text[], $9::text[]) AS asked (at, imvu, subject, purpose)
       JOIN LATERAL (SELECT c.state, c.text FROM consent c WHERE c.imvu = asked.imvu AND c.subject = asked.subject AND c.purpose = asked.purpose ORDER BY c.entry_index DESC LIMIT 1) last ON true) AS consents`,
};

interface SharedRow extends Record<string, unknown> {
  readonly keys: readonly KeyRow[] | null;
  readonly imvus: readonly projection.ImvuDoc[] | null;
  readonly earlier: readonly projection.SeenRow[] | null;
  readonly nonces: readonly (readonly [actor: string, nonce: string, digest: string])[] | null;
  readonly consents: readonly (readonly [at: number, state: "given" | "withdrawn", text: Sha256])[] | null;
}

async function readShared(store: Pick<Store, "select">, all: readonly OpenedCommand[]): Promise<Shared> {
  const recorded = all.flatMap(({ command }, at) => (command.op === "consent.record" && command.imvu !== null ? [{ at, imvu: command.imvu, ...command.params }] : []));
  const [row] = await store.select<SharedRow>(SHARED, [
    textArray([...new Set(all.flatMap(({ signatures }) => signatures.map(({ kid }) => kid)))]),
    textArray([...new Set(all.flatMap(({ command }) => command.imvu ?? []))]),
    textArray(all.map(({ digest }) => digest)),
    textArray(all.map(({ signatures }) => signatures[0]?.kid ?? "")),
    textArray(all.map(({ command }) => command.nonce)),
    bigintArray(recorded.map(({ at }) => at)),
    textArray(recorded.map(({ imvu }) => imvu)),
    textArray(recorded.map(({ subject }) => subject)),
    textArray(recorded.map(({ purpose }) => purpose)),
  ]);
  const nonces = new Map<string, readonly string[]>();
  for (const [actor, nonce, digest] of row?.nonces ?? []) nonces.set(`${actor} ${nonce}`, [...(nonces.get(`${actor} ${nonce}`) ?? []), digest]);
  return {
    keys: knownIn(row?.keys ?? []),
    imvus: new Map((row?.imvus ?? []).map(projection.withoutBefore).map((imvu) => [imvu.id, imvu])),
    earlier: new Map((row?.earlier ?? []).map(projection.seenOf).map((seen) => [seen.digest, seen])),
    nonces,
    consents: new Map((row?.consents ?? []).map(([at, state, text]) => [at, { state, text }])),
  };
}

type FromStore = Pick<Facts, "signatures" | "nonceSeen" | "registration" | "newZone" | "zoneClaims" | "meters" | "consent"> & {
  readonly actor: string | null;
  readonly imvu: Imvu | undefined;
  readonly allocated: NodeFacts["allocated"];
  readonly identity: IdentityFacts | null;
  readonly operators: OperatorFacts | null;
  readonly erasure: ErasureFact | null;
  readonly revenue: RevenueFact | null;
  readonly tariffs: TariffFact | null;
  readonly payout: PayoutFact | null;
};

async function readFor(store: Store, world: World, shared: Shared, opened: OpenedCommand, at: number): Promise<FromStore> {
  const { command, digest } = opened;
  const signatures = signatureFactsOf(opened, (kid) => shared.keys.get(kid));
  const imvu = command.imvu === null ? undefined : shared.imvus.get(command.imvu);
  const consents = command.op === "consent.record" && imvu;
  return {
    signatures,
    actor: signatures[0]?.identity ?? null,
    imvu,
    nonceSeen: (shared.nonces.get(`${projection.actorOf({ signatures })} ${command.nonce}`) ?? []).some((other) => other !== digest),
    identity: identityFacts(shared, opened),
    consent: consents ? (shared.consents.get(at) ?? { state: "none", text: null }) : null,
    ...(asksMore(command) ? await store.snapshot((tx) => readMore(tx, world, opened, imvu, signatures)) : NO_MORE),
  };
}

type More = Pick<FromStore, "registration" | "newZone" | "zoneClaims" | "meters" | "allocated" | "operators" | "erasure" | "revenue" | "tariffs" | "payout">;
const NO_MORE: More = { registration: null, newZone: null, zoneClaims: [], meters: null, allocated: null, operators: null, erasure: null, revenue: null, tariffs: null, payout: null };

/** Whether gates read more of the tables for it than what every command is judged by. */
function asksMore(command: Command): boolean {
  return isMetered(command) || asksForRoom(command) || isOperatorCommand(command) || isErasure(command) || isRevenue(command) || broughtBy(command).length > 0 || domainsIn(command).length > 0;
}

async function readMore(tx: ReadTx, world: World, { command }: OpenedCommand, imvu: Imvu | undefined, signatures: readonly SignatureFact[]): Promise<More> {
  const operators = await operatorFacts(tx, command, signatures);
  // What stands outside the units is nothing to who is no operator: not even what kind of entry it is.
  const seesEntry = command.op !== "platform.erase" || (operators !== null && operators.signers.length > 0);
  // Nor does it tell a stranger which payouts there are.
  const seesPayout = operators !== null && operators.signers.length > 0;
  const newZone = command.op === "imvu.create" ? world.zoneOfNext(await projection.nextImvuNumber(tx)) : command.op === "imvu.import" ? command.params.zone : null;
  return {
    newZone,
    registration: await registrationFacts(tx, command),
    operators,
    erasure: isErasure(command) && seesEntry ? await erasureFacts(tx, command) : null,
    payout: isPayoutOrder(command) && seesPayout ? await payoutFacts(tx, command) : null,
    revenue: isRevenue(command) && imvu ? await revenueFacts(tx, imvu.id, command) : null,
    tariffs: citesTariffs(command) ? { published: await hasTariff(tx, command.params.currency ?? EUR) } : null,
    zoneClaims: newZone !== null || domainsIn(command).length > 0 ? zoneClaimsFor(command, newZone, await projection.boundZones(tx)) : [],
    allocated: asksForRoom(command) ? await projection.allocatedFigures(tx, command.imvu) : null,
    meters: !isMetered(command) ? null : imvu ? await metersOf(tx, imvu.id) : command.op === "imvu.create" || command.op === "imvu.import" ? world.meteredResources : null,
  };
}

/** Gate 6 reads the meters of the commands that it judges, but for sales and payouts and budgets. */
function isMetered(command: Command): boolean {
  return GATES[5].appliesTo[command.op] && !isRevenue(command) && !isPayoutOrder(command) && command.op !== "imvu.budget.set";
}

/** Commands that gate 6 judges by what was published in their currency. */
function citesTariffs(command: Command): command is Extract<Command, { op: "platform.tariff.publish" | "imvu.create" | "imvu.import" }> {
  return command.op === "platform.tariff.publish" || isFounding(command);
}

/** Gates 7 and 12 compare what is used; an engine is asked for no other command. */
function usesFigures({ op }: Command): boolean {
  return GATES[6].appliesTo[op] || GATES[11].appliesTo[op];
}

/** Who signed, by the registry as it is now. */
export function signatureFacts(opened: OpenedCommand, keys: ReadonlyMap<KeyId, KeyNow>): readonly SignatureFact[] {
  return signatureFactsOf(opened, (kid) => keys.get(kid));
}

async function registrationFacts(tx: ReadTx, command: Command): Promise<Facts["registration"]> {
  const brought = broughtBy(command);
  if (brought.length === 0) return null;
  const nameTaken = command.op === "identity.register" && (await ringByName(tx, command.params.name)) !== undefined;
  return { nameTaken, keyTaken: (await knownKids(tx, brought.map(kidOf))).size > 0 };
}

function identityFacts({ keys }: Shared, { command, signatures }: OpenedCommand): IdentityFacts | null {
  const signer = signatures[0];
  const ring = isIdentityCommand(command) && signer ? keys.get(signer.kid)?.ring : undefined;
  if (!ring) return null;
  const kid = command.op === "identity.key.revoke" ? command.params.kid : undefined;
  return {
    name: ring.name,
    liveKeys: ring.keys.filter(({ ended }) => ended === null).length,
    keys: ring.keys.length,
    recoveryKid: ring.recovery?.kid ?? null,
    named: kid !== undefined && ring.keys.some((held) => held.kid === kid) ? stateIn(ring, kid) : null,
    pendingSince_ms: ring.pending?.since_ms ?? null,
  };
}

async function operatorFacts(tx: ReadTx, command: Command, signatures: readonly SignatureFact[]): Promise<OperatorFacts | null> {
  if (!isOperatorCommand(command)) return null;
  const operators = await operatorNames(tx);
  const identity = "identity" in command.params ? command.params.identity : undefined;
  return {
    count: operators.length,
    signers: operators.filter((name) => signatures.some((one) => one.valid && one.status === "live" && one.identity === name)),
    registered: identity !== undefined && (await ringByName(tx, identity)) !== undefined,
    operator: identity !== undefined && operators.includes(identity),
  };
}
