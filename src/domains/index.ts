/**
 * Domains: zones on Knot, signed as they change, and Unbound that validates them; one fabric.
 * Records are judged here; who may change them is not.
 * Depends on kernel and contract.
 */
export { validateRecord } from "./records/validate.ts";
export { type DomainsRoom, openDomainsRoom } from "./room.ts";
export type { DomainsState } from "./state.ts";
