import { parentPort } from "node:worker_threads";

/** A rating thread that dies of one unit, as it might of a fault in the engine under it, and is the platform's own for every other. */
export const DOOMED = "Doomed";

parentPort?.on("message", ({ imvu }: { readonly imvu: { readonly name: string } }) => {
  if (imvu.name === DOOMED) process.exit(7);
});
if (parentPort) await import("../../src/platform/rating-worker.ts");
