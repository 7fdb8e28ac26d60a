import type { Gate } from "./gate.ts";
import { identityBinding } from "./gates/01-identity-binding.ts";
import { imvuIsolation } from "./gates/02-imvu-isolation.ts";
import { domainOwnership } from "./gates/03-domain-ownership.ts";
import { dnsAuthority } from "./gates/04-dns-authority.ts";
import { mailAttribution } from "./gates/05-mail-attribution.ts";
import { revenueMetering } from "./gates/06-revenue-metering.ts";
import { resourceQuotas } from "./gates/07-resource-quotas.ts";
import { networkPath } from "./gates/08-network-path.ts";
import { jurisdictionTagging } from "./gates/09-jurisdiction.ts";
import { consentLogging } from "./gates/10-consent-logging.ts";
import { auditLogging } from "./gates/11-audit-logging.ts";
import { immutableSnapshots } from "./gates/12-immutable-snapshots.ts";
import { exitPortability } from "./gates/13-exit-portability.ts";
import { noSilentRedirection } from "./gates/14-no-silent-redirection.ts";
import { noSilentThrottling } from "./gates/15-no-silent-throttling.ts";
import { noLeakage } from "./gates/16-no-leakage.ts";
import { platformNonRepudiation } from "./gates/17-platform-non-repudiation.ts";

/** The law, in order. The tuple's length is part of it: an eighteenth or a missing gate does not compile. */
export const GATES: readonly [Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate, Gate] = [
  identityBinding,
  imvuIsolation,
  domainOwnership,
  dnsAuthority,
  mailAttribution,
  revenueMetering,
  resourceQuotas,
  networkPath,
  jurisdictionTagging,
  consentLogging,
  auditLogging,
  immutableSnapshots,
  exitPortability,
  noSilentRedirection,
  noSilentThrottling,
  noLeakage,
  platformNonRepudiation,
];
