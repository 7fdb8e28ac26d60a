import type { Readable } from "node:stream";
import type { Imvu } from "../contract/index.ts";
import type { Operation } from "../core/command/index.ts";
import type { PublicKey } from "../core/identity/index.ts";
import type { Clock, IdentityName, ImvuId, Json, KeyId, Outcome, Sha256 } from "../kernel/index.ts";


/** What the API asks of the platform behind it. Everything that changes something goes through `submit`. */
export interface PlatformPort {
  readonly clock: Clock;
  /** `http://127.0.0.1:PORT`: what signed requests must name as their target. */
  readonly apiOrigin: string;
  status(): Promise<Json>;
  /** For Prometheus; nothing in it tells of one IMVU or identity. */
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  submit(signed: unknown): Outcome<Operation>;
  dryRun(signed: unknown): Promise<Outcome<Json>>;
  operation(digest: string): Operation | undefined;
  keyOf(kid: KeyId): Promise<PublicKey | undefined>;
  identityOf(kid: KeyId): Promise<IdentityName | undefined>;
  /** What everybody may know of an identity. */
  identity(name: IdentityName): Promise<Json | undefined>;
  /** What it may know of itself. */
  ownRing(name: IdentityName): Promise<Json>;
  operators(): Promise<Json>;
  putBlob(digest: Sha256, by: IdentityName, body: Readable): Promise<Outcome<number>>;
  imvusOf(identity: IdentityName): Promise<readonly Imvu[]>;
  imvu(id: ImvuId): Promise<Imvu | undefined>;
  view(imvu: Imvu): Promise<Json>;
  zoneFile(imvu: Imvu): Promise<string>;
  serviceLogs(imvu: Imvu, service: string, lines: number): Promise<string>;
  readMeters(imvu: Imvu): Promise<Json>;
  /** Makes the bundle that an exit would make now, imports it into a scratch instance, compares, and keeps nothing. */
  rehearseExit(imvu: Imvu): Promise<Json>;
  /** Without a month: of the present one, by the unit's own clock. */
  statement(imvu: Imvu, month: string | undefined): Promise<Outcome<Json>>;
  /** Closed months, newest first. */
  statements(imvu: Imvu): Promise<Json>;
  /** What it used on each day of a month. */
  usage(imvu: Imvu, month: string): Promise<Outcome<Json>>;
  /** Double entry of its closed months, oldest first, or of one. */
  journal(imvu: Imvu, month?: string): Promise<Json>;
  /** Oldest first. */
  sales(imvu: Imvu, page: { readonly sourceId?: string; readonly from: number; readonly limit: number }): Promise<Json>;
  /** A unit's payouts, what is owed beyond them, and where its money goes. */
  payouts(imvu: Imvu): Promise<Json>;
  /** Of all units, oldest first. */
  allPayouts(state: string | undefined): Promise<Json>;
  /** Those that are to be made, reckoned from the log, with receipts of their entries. */
  duePayouts(): Promise<Json>;
  isOperator(name: IdentityName): Promise<boolean>;
  /** The platform's own billing profile, with the entry that set it. */
  seller(): Promise<Json>;
  /** The unit's owner's, and the platform's. */
  billing(imvu: Imvu): Promise<Json>;
  /** Oldest first. */
  invoices(imvu: Imvu): Promise<Json>;
  /** Those of a month; a refusal says why there is none. */
  invoice(imvu: Imvu, month: string): Promise<Outcome<Json>>;
  /** The budget that holds, and what of it and of those before it was reached. */
  budget(imvu: Imvu): Promise<Json>;
  tariff(): Promise<Json>;
  entries(imvu: Imvu, from: number, limit: number): Promise<Json>;
  /** Bodies of a stream as they were hashed, with from ≤ index, in order. `next`: where to go on asking; null at the end. Of `platform` only the platform's own words. */
  bodies(stream: ImvuId | "platform", from: number, limit: number): Promise<Json>;
  /** Oldest first. */
  consents(imvu: Imvu, page: { readonly subject?: string; readonly from: number; readonly limit: number }): Promise<Json>;
  refusals(imvu: Imvu): Promise<Json>;
  /** A command as it was signed, for its actor and for members of the IMVU it is about. */
  signedCommand(digest: string, reader: IdentityName): Promise<Json | undefined>;
  routeToken(imvu: Imvu, identity: IdentityName, host: string): Promise<Outcome<Json>>;
  exitArchive(imvu: Imvu): Promise<{ readonly name: string; readonly bytes: number; readonly body: Readable } | undefined>;
  verifyGates(imvu: ImvuId | undefined): Promise<Json>;
  readonly log: {
    readonly verifierKey: string;
    readonly origin: string;
    checkpoint(): string | undefined;
    receipt(index: number): Promise<{ readonly index: number; readonly leaf: string; readonly proof: string } | undefined>;
    consistency(from: number, to: number): Promise<readonly string[] | undefined>;
    /** A tile or a bundle of commitments by its path, like `tile/0/x001/067.p/8` (C2SP tlog-tiles). */
    tile(path: string): Promise<Uint8Array | undefined>;
    /** Every statement once more, from readings and tariffs. */
    revenue(): Promise<Json>;
    fsck(): Promise<Json>;
    /** Tables against the log. */
    replay(): Promise<Json>;
  };
}
