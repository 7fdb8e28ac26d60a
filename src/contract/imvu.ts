import type { Currency, Fqdn, IdentityName, ImvuId, Jurisdiction, MailAddress, ServiceName, Sha256, TimeZone } from "../kernel/index.ts";
import type { Snapshots } from "./snapshot.ts";

/** The compute envelope an owner agreed to; every number is a hard limit read back from the kernel. */
export interface Envelope {
  /** Thousandths of a core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  /** Read and write operations per second, each. */
  readonly iops: number;
  readonly bandwidthBps: number;
  /** Processes and threads over all services. */
  readonly processes: number;
  /** Extra CPU for a bounded time: `factor` times cpuMillis for at most `seconds`. null: no burst. */
  readonly burst: { readonly factor: number; readonly seconds: number } | null;
}

export type ServiceSource =
  | { readonly kind: "runtime"; readonly runtime: "static" | "node" | "python" /** SHA-256 of an uncompressed tar blob. */; readonly content: Sha256 }
  | { readonly kind: "oci" /** SHA-256 of an OCI archive blob. */; readonly archive: Sha256 }
  | { readonly kind: "image" /** registry/name@sha256:… or :tag */; readonly ref: string };

export interface Service {
  readonly name: ServiceName;
  readonly source: ServiceSource;
  /** TCP port the service listens on inside its namespace. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export type DnsType = "A" | "AAAA" | "CNAME" | "MX" | "TXT" | "CAA" | "SRV" | "NS" | "SSHFP" | "TLSA";

/** One RRset the owner asked for. `name` is the full owner name; values are in presentation format, TXT unquoted. */
export interface DnsRecordSet {
  readonly name: Fqdn;
  readonly type: DnsType;
  readonly ttl: number;
  readonly values: readonly string[];
}

export interface Mailbox {
  readonly address: MailAddress;
  /** SHA-256 of the blob that holds the crypt(3) password hash; the hash itself never enters the ledger. */
  readonly passwordHash: Sha256;
  readonly quotaBytes: number;
}

export type RouteClass = "public" | "private" | "restricted";
export type MemberRole = "owner" | "maintainer" | "billing" | "viewer";

export interface Route {
  readonly class: RouteClass;
  readonly host: Fqdn;
  /** Normalised absolute path prefix. */
  readonly path: string;
  readonly service: ServiceName;
  readonly port: number;
  /** Least role that may pass a restricted route. */
  readonly role: MemberRole | null;
  /** Requests per minute per client address; null: no limit of its own. */
  readonly ratePerMinute: number | null;
}

export type ImvuStatus = "creating" | "active" | "exiting" | "exported" | "exited";

export interface DkimKey {
  readonly selector: string;
  readonly algorithm: "rsa-sha256" | "ed25519-sha256";
  /** The TXT record's text (`v=DKIM1; …`), one string. */
  readonly txt: string;
}

/** One IMVU as the ledger tells it: the projection that plans are made from. */
export interface Imvu {
  readonly id: ImvuId;
  readonly number: number;
  readonly name: string;
  readonly slug: string;
  readonly owner: IdentityName;
  readonly jurisdiction: Jurisdiction;
  readonly status: ImvuStatus;
  readonly zone: Fqdn;
  readonly createdAt: string;
  /** By whose clock its months begin, for good; none: UTC. */
  readonly timeZone?: TimeZone;
  /** In what it is rated, sold and paid, for good; none: EUR. */
  readonly currency?: Currency;
  readonly envelope: Envelope;
  readonly services: readonly Service[];
  /** What the owner set; the platform adds apex SOA, NS, DNSSEC and its own service records when rendering. */
  readonly records: readonly DnsRecordSet[];
  readonly dkim: readonly DkimKey[];
  readonly mailboxes: readonly Mailbox[];
  readonly routes: readonly Route[];
  readonly members: readonly { readonly identity: IdentityName; readonly role: MemberRole }[];
  /** Absent: none was ever taken. */
  readonly snapshots?: Snapshots;
}
