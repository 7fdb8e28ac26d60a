import { ARRIVING } from "./arriving.ts";
import { LEAVING } from "./leaving.ts";
import { LIVING } from "./living.ts";
import type { LifeStep } from "./world.ts";

/** The life of an IMVU, each step on the ones before. */
export const LIFE: readonly LifeStep[] = [...ARRIVING, ...LIVING, ...LEAVING];
