/**
 * IMVU manager: one unit's document, what each command makes of it, and the orders the four fabrics get for it.
 * The document is pure; effects go through the fabrics' ports.
 * Depends on kernel, contract and the command room's port.
 */
export { blueprintTar, RUNTIMES, type Runtime } from "./blueprint.ts";
export { zoneOf } from "./defaults.ts";
export { type Desired, desiredOf } from "./desired.ts";
export { type EffectsDeps, imvuEffects, type Journeys } from "./effects.ts";
export { converge, FABRIC_ORDER, type Fabrics, stepsTo } from "./fabrics.ts";
