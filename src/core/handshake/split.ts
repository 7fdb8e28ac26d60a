import { type Money, money } from "../../kernel/index.ts";

/** The three constants of the law. Code, not configuration. */
export const CREATOR_SHARE_PERCENT = 55n;
export const PLATFORM_SHARE_PERCENT = 45n;
export const GATES = 17;

const WHOLE_PERCENT = 100n;

export interface Shares {
  readonly creator: Money;
  readonly platform: Money;
}

/**
 * platform = ⌊gross × 45 / 100⌋, creator = gross − platform; the floor goes toward −∞ for negative amounts too.
 * Invariants, for every bigint: creator + platform = gross, and the platform never gets more than its exact 45 percent
 * (for a loss: never bears less). Where 10^-21 of a unit cannot be divided it is the creator's.
 * So split(a) and split(−a) need not cancel: a gross of 1 and its reversal leave +1 with the creator and −1 with the platform.
 */
export function split(gross: Money): Shares {
  const platform = floorDivide(gross * PLATFORM_SHARE_PERCENT, WHOLE_PERCENT);
  return { creator: money(gross - platform), platform: money(platform) };
}

/** bigint division truncates toward zero; the law says floor. */
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}
