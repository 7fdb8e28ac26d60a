import { isWithinZone } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";

/** True when one of two names is, contains or lies under the other. */
export function overlaps(a: string, b: string): boolean {
  return isWithinZone(a, b) || isWithinZone(b, a);
}

/** `name` lies in a zone that is bound to another IMVU than `own`. */
export function isSomeoneElses(name: string, own: string | null, facts: Facts): boolean {
  return facts.zoneClaims.some((claim) => claim.imvu !== own && isWithinZone(name, claim.zone));
}
