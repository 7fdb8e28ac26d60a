import type { Command, Imvu, Resource } from "../../contract/index.ts";
import type { Clock, Fqdn, ImvuId, KeyId, Sha256 } from "../../kernel/index.ts";
import { broughtBy, isIdentityCommand, kidOf, type OpenedCommand, stateIn } from "../identity/index.ts";
import {
  type BlobFact, type BundleFacts, blobsIn, type Facts, type IdentityFacts, imvuFactsOf, isOperatorCommand, type NodeFacts, type OperatorFacts, type RegisteredKey, type SignatureFact, signatureFactsOf, type UsedFacts,
  zoneClaimsFor,
} from "../policy-engine/index.ts";
import type { ReadTx, Store } from "../store/index.ts";
import { consentNow } from "./consents.ts";
import { isKeyKnown, keyNow, operatorNames, ringByName } from "./identities.ts";
import * as projection from "./projection.ts";

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

/** One database snapshot and the engines' answers, for one command. Anything that cannot be read becomes null, and null denies. */
export function factsLoader(store: Store, clock: Clock, world: World): (opened: OpenedCommand) => Promise<Facts> {
  return async (opened) => {
    const { command } = opened;
    const bundle = await world.bundle(command).catch(() => null);
    const ledgerWritable = await world.ledgerWritable().catch(() => false);
    const read = await store.snapshot(async (tx) => {
      const signatures = await signatureFacts(tx, opened);
      const actor = signatures[0]?.identity ?? null;
      const imvu = command.imvu ? await projection.imvuById(tx, command.imvu) : undefined;
      const all = await projection.allImvus(tx);
      const newZone = command.op === "imvu.create" ? world.zoneOfNext(await projection.nextImvuNumber(tx)) : command.op === "imvu.import" ? command.params.zone : null;
      return {
        signatures,
        actor,
        imvu,
        newZone,
        nonceSeen: await projection.nonceSeen(tx, actor ?? "unknown", command.nonce, opened.digest),
        registration: await registrationFacts(tx, command),
        identity: await identityFacts(tx, opened),
        operators: await operatorFacts(tx, command, signatures),
        zoneClaims: zoneClaimsFor(command, newZone, all.map((one) => ({ zone: one.zone, imvu: one.id }))),
        allocated: allocatedBy(all, command.imvu),
        consent: command.op === "consent.record" && imvu ? await consentNow(tx, imvu.id, command.params) : null,
        meters: imvu ? await metersOf(tx, imvu.id) : command.op === "imvu.create" || command.op === "imvu.import" ? world.meteredResources : null,
      };
    });
    const { imvu } = read;
    return {
      v: 1,
      now_ms: clock.now(),
      suffix: world.suffix,
      signatures: read.signatures,
      nonceSeen: read.nonceSeen,
      registration: read.registration,
      imvu: imvu ? imvuFactsOf(imvu, command, read.signatures) : null,
      newZone: read.newZone,
      zoneClaims: read.zoneClaims,
      node: { ...world.node, allocated: read.allocated },
      used: imvu ? await world.used(imvu, command).catch(() => null) : null,
      meters: read.meters,
      blobs: await Promise.all(blobsIn(command).map((digest) => world.blob(digest as Sha256, read.actor, imvu))),
      consent: read.consent,
      ...(isIdentityCommand(command) ? { identity: read.identity } : {}),
      ...(isOperatorCommand(command) ? { operators: read.operators } : {}),
      bundle,
      platform: { ledgerWritable, keyLoaded: world.keyLoaded },
    };
  };
}

/** Who signed, by the registry as it is now. */
export async function signatureFacts(tx: ReadTx, opened: OpenedCommand): Promise<readonly SignatureFact[]> {
  const known = new Map<KeyId, RegisteredKey>();
  for (const { kid } of opened.signatures) {
    const key = await keyNow(tx, kid);
    if (key) known.set(kid, key);
  }
  return signatureFactsOf(opened, (kid) => known.get(kid));
}

async function registrationFacts(tx: ReadTx, command: Command): Promise<Facts["registration"]> {
  const brought = broughtBy(command);
  if (brought.length === 0) return null;
  const nameTaken = command.op === "identity.register" && (await ringByName(tx, command.params.name)) !== undefined;
  let keyTaken = false;
  for (const text of brought) keyTaken ||= await isKeyKnown(tx, kidOf(text));
  return { nameTaken, keyTaken };
}

async function identityFacts(tx: ReadTx, { command, signatures }: OpenedCommand): Promise<IdentityFacts | null> {
  const signer = signatures[0];
  const key = isIdentityCommand(command) && signer ? await keyNow(tx, signer.kid) : undefined;
  if (!key) return null;
  const { name, keys, recovery, pending } = key.ring;
  const kid = command.op === "identity.key.revoke" ? command.params.kid : undefined;
  return {
    name,
    liveKeys: keys.filter(({ ended }) => ended === null).length,
    keys: keys.length,
    recoveryKid: recovery?.kid ?? null,
    named: kid !== undefined && keys.some((held) => held.kid === kid) ? stateIn(key.ring, kid) : null,
    pendingSince_ms: pending?.since_ms ?? null,
  };
}

async function operatorFacts(tx: ReadTx, command: Command, signatures: readonly SignatureFact[]): Promise<OperatorFacts | null> {
  if (!isOperatorCommand(command)) return null;
  const operators = await operatorNames(tx);
  const { identity } = command.params;
  return {
    count: operators.length,
    signers: operators.filter((name) => signatures.some((one) => one.valid && one.status === "live" && one.identity === name)),
    registered: (await ringByName(tx, identity)) !== undefined,
    operator: operators.includes(identity),
  };
}

function allocatedBy(all: readonly Imvu[], except: ImvuId | null): NodeFacts["allocated"] {
  const others = all.filter((imvu) => imvu.id !== except);
  const sum = (key: "cpuMillis" | "memoryBytes" | "storageBytes") => others.reduce((total, imvu) => total + imvu.envelope[key], 0);
  return { cpuMillis: sum("cpuMillis"), memoryBytes: sum("memoryBytes"), storageBytes: sum("storageBytes") };
}

async function metersOf(tx: ReadTx, imvu: ImvuId): Promise<readonly Resource[] | null> {
  const rows = await tx.query<{ resource: Resource }>(
    "SELECT DISTINCT resource FROM reading WHERE imvu = $1 AND entry_index = (SELECT max(entry_index) FROM reading WHERE imvu = $1) ORDER BY resource",
    [imvu],
  );
  return rows.length > 0 ? rows.map((row) => row.resource) : null;
}
