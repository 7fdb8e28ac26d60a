/**
 * Command: verify → judge → intent → steps → outcome, and what a crash interrupted; the one way a change enters.
 * The engines are behind the Effects port; every projection row is written in the transaction of its ledger entry.
 * Depends on identity, ledger, policy-engine, store, contract and kernel.
 */
export { type CommandAnswer, CommandBus } from "./bus.ts";
export type { Effects, Work, Worked } from "./effects.ts";
export { factsLoader, type LoadFacts, type World } from "./facts-loader.ts";
export { buyersNow, SELLER, sellerNow } from "./billing.ts";
export { consentHistory } from "./consents.ts";
export { newestReading, PUT_READING } from "./readings.ts";
export { meteredSince, salesOf } from "./sales.ts";
export { type Budget, type BudgetReached, budgetsOf, putReached, reachedOf } from "./budgets.ts";
export { type Drift, driftsOf, type FoundDrift, lastDrift, putDrift } from "./drifts.ts";
export { putTariff } from "./tariff-rows.ts";
export type { Operation } from "./operations.ts";
export { accountCommands, type PayoutRow, payoutsOf } from "./payouts.ts";
export { keyNow, operatorNames, putOperator, putRing, recoveringRings, ringByName } from "./identities.ts";
export { allImvus, imvuById, type OthersRefusals, othersRefusals } from "./projection.ts";
export { type AppliedRecord, asJson, type CommandRecord, type FailedRecord } from "./record.ts";
export { commandByDigest, refusalsOf } from "./refusals.ts";
export { replayUnits } from "./replay.ts";
export { replayCheck } from "./replay-check.ts";
export { type AroundStep, Saga, type StepEvent, type StepTiming } from "./saga.ts";
