/**
 * Handshake: what usage costs and who gets it – tariff, rating, the 55/45 split, statements.
 * Pure and exact: bigint only, the same figures in the platform and in the offline verifier.
 * Depends on kernel and contract.
 */
export { Account, type Correction, type SalePlace } from "./account.ts";
export { FORECAST_AFTER_MS, percentUsed, reachesOf } from "./budget.ts";
export { type CounterFall, fallsIn } from "./falls.ts";
export { type Forecast, forecastOf } from "./forecast.ts";
export { type Billed, daysOf, type Invoice, invoiceOf, type Preceding, type Profile, seriesOf, shareOf } from "./invoice.ts";
export { itemOf, notesOf, plain } from "./invoice-text.ts";
export { invoiceXml } from "./invoice-xml.ts";
export { type JournalAccount, type Posting, postingsOf } from "./journal.ts";
export { type Gathered, gather } from "./gathering.ts";
export type { Payout } from "./payout.ts";
export { payoutPostings, type PayoutState, type PayoutStep } from "./payout-postings.ts";
export { PayoutBook, type PayoutAccount, type PayoutMade, type PayoutSettled, settledData, type StandingPayout } from "./payouts.ts";
export { type Period, parsePeriod, periodAfter, periodOf } from "./period.ts";
export { type MeterFlag, openRating, type Rating, type UsedReadings } from "./rating.ts";
export { lastSetOf, parseReadingSet, resourcesOf, toldIn } from "./reading-form.ts";
export { NO_REVENUE, type Revenue, type Sale, saleOf } from "./revenue.ts";
export { CREATOR_SHARE_PERCENT, GATES, PLATFORM_SHARE_PERCENT, type Shares, split } from "./split.ts";
export { type DayUsage, UsageByDay } from "./usage-by-day.ts";
export { FLAGS_MAX, type Statement, type StatementForm, statement, statementOf, type StatementHead } from "./statement.ts";
export { announcedForAll, announcedInTime, DEFAULT_PRICES_V1, notForThePast, parseTariff, TARIFF_V1, TARIFF_V2, type Tariff, type TariffEntry, tariffInForce } from "./tariff.ts";
export { FIRST_TERMS, sameTerms, type Terms, termsIn, termsOf } from "./terms.ts";
export { type StatementLine, usageLines } from "./usage-lines.ts";
