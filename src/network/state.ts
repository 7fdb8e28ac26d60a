import type { Rates } from "./nexus-net/bandwidth.ts";
import type { LinkState } from "./nexus-net/namespaces.ts";
import type { RouteEntry } from "./routing/route-map.ts";

export interface CertificateState {
  readonly [key: string]: boolean | readonly string[];
  readonly names: readonly string[];
  /** Valid for long enough, and presented by the gateway. */
  readonly good: boolean;
}

/** What stands for one IMVU, read from the kernel and the running gateway. */
export interface NetworkState {
  readonly [key: string]: LinkState | Rates | CertificateState | readonly RouteEntry[] | readonly string[] | boolean | null;
  readonly link: LinkState | null;
  readonly counters: boolean;
  /** Rules that nobody here made, and rules of ours that are gone, in the router and in the IMVU's own namespace. */
  readonly drift: readonly string[];
  readonly rates: Rates;
  readonly certificate: CertificateState | null;
  /** What the running gateway obeys, else what it would read at its start. */
  readonly routes: readonly RouteEntry[];
  /** The files a start would read say the same as the running gateway. */
  readonly stored: boolean;
}
