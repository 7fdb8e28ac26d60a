/**
 * Kernel: the words every room speaks – ids, money, time, digests, canonical JSON, refusals and faults.
 * Pure but for exec (the only place that starts a process), atomic-file and the system clock.
 * Depends on nothing of ours.
 */
export { ensureFolder, type FileOwner, writeFileAtomic } from "./atomic-file.ts";
export { canonicalBytes, canonicalJson, type Json, parseCanonicalJson } from "./canonical.ts";
export { type Clock, rfc3339, sleep, systemClock } from "./clock.ts";
export { type Currency, EUR, minorDecimals, parseCurrency } from "./currency.ts";
export { parseSha256, type Sha256, sha256, sha256File, sha256Hex } from "./digest.ts";
export { type ChildProcess, pipeThrough, plainEnvironment, type Ran, run, runOk, start } from "./exec.ts";
export { Fault, messageOf } from "./fault.ts";
export { type Bic, type Iban, ibanSpelled, parseBic, parseIban } from "./iban.ts";
export {
  type DisplayName,
  type Fqdn,
  type IdentityName,
  IMVU_NUMBER_MAX,
  type ImvuId,
  imvuIdOf,
  imvuNumberOf,
  isWithinZone,
  type Jurisdiction,
  type KeyId,
  type MailAddress,
  parseDisplayName,
  parseFqdn,
  parseIdentityName,
  parseImvuId,
  parseJurisdiction,
  parseKeyId,
  parseMailAddress,
  parseServiceName,
  quoteForPeople,
  RESERVED_LABELS,
  type ServiceName,
  slugOf,
} from "./ids.ts";
export { AHEAD_MS_MAX, beginningOf, dateIn, lastTurn } from "./local-date.ts";
export { decimalText, MONEY_DECIMALS, type Money, money, PRICE_DECIMALS, parseDecimal } from "./money.ts";
export { type Accepted, accept, type Outcome, type Refusal, refuse } from "./refusal.ts";
export { parseTimeZone, type TimeZone, UTC } from "./time-zone.ts";
export { zstdCompressed } from "./zstd.ts";
export { inSlices } from "./slices.ts";
export { together, togetherOf } from "./together.ts";
