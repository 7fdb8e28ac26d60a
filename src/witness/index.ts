/**
 * Witness: both sides of C2SP tlog-witness – the server that cosigns what others' logs publish, and a log's collecting of cosignatures.
 * A creator runs the server with no platform and no database; the platform runs the collector.
 * Depends on kernel and the ledger's pure part.
 */
export type { WitnessPeer } from "./ask.ts";
export { Collector, type WitnessPolicy } from "./collector.ts";
export { readKept } from "./kept.ts";
export { WitnessMemory } from "./memory.ts";
export { serveWitness } from "./serve.ts";
