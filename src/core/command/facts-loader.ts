import type { Command, Imvu, Resource } from "../../contract/index.ts";
import type { Clock, Fqdn, IdentityName, ImvuId, KeyId, Sha256 } from "../../kernel/index.ts";
import { type OpenedCommand, publicKeyFromText } from "../identity/index.ts";
import {
  type BlobFact, type BundleFacts, blobsIn, type Facts, imvuFactsOf, type NodeFacts, type RegisteredKey, type SignatureFact, signatureFactsOf, type UsedFacts,
  zoneClaimsFor,
} from "../policy-engine/index.ts";
import type { ReadTx, Store } from "../store/index.ts";
import { consentNow } from "./consents.ts";
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
      bundle,
      platform: { ledgerWritable, keyLoaded: world.keyLoaded },
    };
  };
}

/** Who signed, by the registry as it is now. */
export async function signatureFacts(tx: ReadTx, opened: OpenedCommand): Promise<readonly SignatureFact[]> {
  const known = new Map<KeyId, RegisteredKey>();
  for (const { kid } of opened.signatures) {
    const row = await projection.identityByKid(tx, kid);
    const key = row && publicKeyFromText(row.publicKey);
    if (row && key?.ok) known.set(kid, { publicKey: key.value, identity: row.name as IdentityName, status: row.status === "live" ? "live" : "revoked" });
  }
  return signatureFactsOf(opened, (kid) => known.get(kid));
}

async function registrationFacts(tx: ReadTx, command: Command): Promise<Facts["registration"]> {
  if (command.op !== "identity.register") return null;
  const key = publicKeyFromText(command.params.publicKey);
  return {
    nameTaken: (await projection.identityByName(tx, command.params.name)) !== undefined,
    keyTaken: key.ok && (await projection.identityByKid(tx, key.value.kid)) !== undefined,
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
