import type { Envelope, ImvuStatus, MemberRole, Resource } from "../../contract/index.ts";
import type { Currency, Fqdn, IdentityName, ImvuId, Jurisdiction, KeyId, Sha256, TimeZone } from "../../kernel/index.ts";
import type { KeyState } from "../identity/index.ts";

/**
 * Everything the seventeen gates read besides the signed command: plain JSON from ONE database snapshot and
 * the engines' own answers. It is written into the command's ledger entry, so that anyone can judge again;
 * hence no more than is read, and nothing secret. `null` always means "could not be read, or is not there":
 * a gate that needs it denies.
 *
 * These are type aliases, not interfaces, so that they are assignable to `Json`.
 */
export type Facts = {
  readonly v: 1;
  /** When the command was judged; milliseconds since the Unix epoch. */
  readonly now_ms: number;
  /** Zones the platform itself gives away lie under it. */
  readonly suffix: Fqdn;
  /** One per signature of the command, in its order: [0] is the actor, the others are approvals. */
  readonly signatures: readonly SignatureFact[];
  /** An earlier command in the ledger carries this nonce. (The very same command again is answered before it is judged.) */
  readonly nonceSeen: boolean;
  /** Only for commands that bring keys; `nameTaken` is asked of identity.register alone. */
  readonly registration: { readonly nameTaken: boolean; readonly keyTaken: boolean } | null;
  /** The IMVU that the payload names; null when it names none, or none that exists. */
  readonly imvu: ImvuFacts | null;
  /** imvu.create: the zone the platform will bind. imvu.import: the zone of the bundle. Otherwise null. */
  readonly newZone: Fqdn | null;
  /** Zones bound to an IMVU that equal, contain or lie under a domain name in the command or `newZone`; for imvu.import also the zone of the IMVU that has the arriving id. */
  readonly zoneClaims: readonly { readonly zone: Fqdn; readonly imvu: ImvuId }[];
  readonly node: NodeFacts | null;
  /** Read from the engines for `imvu`; null when there is no IMVU or they could not be asked. */
  readonly used: UsedFacts | null;
  /**
   * Resources that have a meter; null for a command that gate 6 does not judge. Existing IMVU: the series of its newest reading; a new one: every resource that
   * the running fabrics will meter from its first second.
   */
  readonly meters: readonly Resource[] | null;
  /** One per SHA-256 blob that the params name. */
  readonly blobs: readonly BlobFact[];
  /** Only for consent.record: what is recorded of this subject and purpose so far. */
  readonly consent: ConsentFact | null;
  /** Only for commands on an identity's keys: the one that the first signer belongs to. Entries from before there were such commands have none. */
  readonly identity?: IdentityFacts | null;
  /** Only for commands that operators give. Entries from before there were such commands have none. */
  readonly operators?: OperatorFacts | null;
  /** Only for commands that erase: what stands at the index they name; null: nothing that the command could be about. Entries from before there were such commands have none. */
  readonly erasure?: ErasureFact | null;
  /** Only for sales and what is paid back of them. Entries from before there were such commands have none. */
  readonly revenue?: RevenueFact | null;
  /** Only for platform.tariff.publish, imvu.create and imvu.import: what was published before. Entries from before there was a choice of currencies and time zones have none, and a notice by UTC. */
  readonly tariffs?: TariffFact | null;
  /** Only for what operators say of a payout: the one they name; null: there is none, or who signs is no operator. Entries from before there were payouts have none. */
  readonly payout?: PayoutFact | null;
  /** Only for commands on snapshots. Entries from before there were such commands have none. */
  readonly snapshots?: SnapshotFacts | null;
  /** Only for imvu.import: what the verified bundle says. */
  readonly bundle: BundleFacts | null;
  readonly platform: {
    /** The sequencer takes entries: the database answers and the disk has room. */
    readonly ledgerWritable: boolean;
    /** The log key is in memory and signs. */
    readonly keyLoaded: boolean;
  };
};

export type SignatureFact = {
  readonly kid: KeyId;
  /** Who the key belongs to; null: nobody on this platform. */
  readonly identity: IdentityName | null;
  /** Key used to verify, base64url: lets a reader verify the signature again; null: unknown. */
  readonly publicKey: string | null;
  /** `recovery` and `pending` are good for a recovery and for nothing else. */
  readonly status: KeyState | "unknown";
  readonly valid: boolean;
};

export type IdentityFacts = {
  readonly name: IdentityName;
  readonly liveKeys: number;
  /** With those that ended. */
  readonly keys: number;
  readonly recoveryKid: KeyId | null;
  /** State of the key that the params name by its id; null: none named, or not this identity's. */
  readonly named: KeyState | null;
  /** When the recovery that waits began, by its ledger entry; null: none waits. */
  readonly pendingSince_ms: number | null;
};

export type OperatorFacts = {
  readonly count: number;
  /** Operators among those whose keys signed. */
  readonly signers: readonly IdentityName[];
  /** Whether the identity in the params is registered, and is an operator. */
  readonly registered: boolean;
  readonly operator: boolean;
};

/** Of the IMVU's document only what is read; made by `imvuFactsOf`. */
export type ImvuFacts = {
  readonly id: ImvuId;
  readonly owner: IdentityName;
  readonly jurisdiction: Jurisdiction;
  readonly status: ImvuStatus;
  readonly zone: Fqdn;
  /** None: EUR. */
  readonly currency?: Currency;
  readonly envelope: Envelope;
  /** Members among the signers. */
  readonly members: readonly { readonly identity: IdentityName; readonly role: MemberRole }[];
  readonly counts: { readonly services: number; readonly recordSets: number; readonly mailboxes: number; readonly routes: number; readonly members: number };
  /** Sum over all mailboxes. */
  readonly mailQuotaBytes: number;
  /** What the command's params name and what of it exists already. */
  readonly named: {
    readonly service: boolean;
    readonly recordSet: boolean;
    readonly mailbox: boolean;
    readonly member: boolean;
    /** The route at the same host and path. */
    readonly route: { readonly ratePerMinute: number | null } | null;
  };
};

export type NodeFacts = {
  readonly name: string;
  readonly jurisdictions: readonly Jurisdiction[];
  readonly capacity: NodeFigures;
  /** Sum of the envelopes of all IMVUs on the node but the one commanded; null: the command asks for no room, so it was not read. */
  readonly allocated: NodeFigures | null;
};

export type NodeFigures = { readonly cpuMillis: number; readonly memoryBytes: number; readonly storageBytes: number };

export type UsedFacts = {
  readonly memoryBytes: number;
  /** On the volume. */
  readonly storageBytes: number;
  readonly processes: number;
  /** Messages in the mailbox that the params name; null: none named, none there, or unreadable. */
  readonly mailboxMessages: number | null;
};

export type BlobFact = {
  readonly digest: Sha256;
  /** It is stored, and the actor uploaded it or it is part of this IMVU already. */
  readonly readable: boolean;
  readonly bytes: number;
};

export type ConsentFact = {
  /** none: nothing was recorded yet. */
  readonly state: "none" | "given" | "withdrawn";
  /** Digest of the text it was about. */
  readonly text: Sha256 | null;
};

export type ErasureFact = {
  /** SHA-256 of the body that stands, or stood, there. */
  readonly commitment: Sha256;
  /** other: what tables, keys or money are told from. */
  readonly kind: "consent" | "refused" | "other" | "erased";
  /** Of the command there; null: none stands there. */
  readonly digest: Sha256 | null;
  /** When that expires, in milliseconds since the Unix epoch; 0 where none stands. */
  readonly exp_ms: number;
  /** The command's outcome, which goes with it; null: it has none. */
  readonly outcome: { readonly index: number; readonly commitment: Sha256 } | null;
  /** Consents of the same subject and purpose that were recorded before it and stand. */
  readonly earlier: number;
};

export type RevenueFact = {
  /** What stands under the command's source id; same: in every figure what the command says. */
  readonly known: { readonly index: number; readonly same: boolean } | null;
  /** What of the sale that the command reverses was not paid back before, with the decimals of its currency; null: none is named, or there is no such sale. */
  readonly left: string | null;
  /** Instant of the unit's first reading, in milliseconds since the Unix epoch; null: it has none. */
  readonly since_ms: number | null;
};

export type TariffFact = {
  /** Some tariff in the command's currency stands in the log. */
  readonly published: boolean;
};

export type PayoutFact = {
  readonly state: "created" | "executed" | "returned";
};

export type SnapshotFacts = {
  /** That the unit has. */
  readonly count: number;
  /** The newest, where no command changed the unit after it; null: there is none such. */
  readonly fresh: { readonly id: string; readonly at_ms: number } | null;
  /** When a command was last carried out because the snapshot that the params name stood; null: none was. */
  readonly rested_ms: number | null;
};

export type BundleFlaw = {
  readonly gate: number;
  /** End of the code the gate denies with. */
  readonly code: string;
  /** Which part. */
  readonly what: string;
};

export type BundleFacts = {
  readonly manifest: Sha256;
  readonly sourceId: ImvuId;
  readonly zone: Fqdn;
  readonly envelope: Envelope;
  /** None: UTC. */
  readonly timeZone?: TimeZone;
  /** None: EUR. */
  readonly currency?: Currency;
  /** What its parts have against them, by gate; at least one of each gate that has any. */
  readonly flaws: readonly BundleFlaw[];
  /** Thumbprints of the owner's keys in the bundle. */
  readonly ownerKids: readonly KeyId[];
};
