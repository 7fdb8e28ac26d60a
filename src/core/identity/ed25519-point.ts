import { Buffer } from "node:buffer";

/**
 * Which 32 bytes may become somebody's key. Some verifiers (Node 20 with OpenSSL 3.0, for one; Node 24 no longer) accept
 * forgeries under small-order points, and a point with two spellings would give one key two thumbprints: both are
 * refused before a key is known, so that everybody's verifier says the same.
 */
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** Every encoding, canonical or not, of the eight points whose order divides 8 (y in hexadecimal, little endian). */
export const SMALL_ORDER_ENCODINGS: ReadonlySet<string> = new Set([
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]);

export type PointFlaw = "length" | "non-canonical" | "small-order" | "off-curve";

/** undefined: a canonical encoding of a point on the curve that is not of small order (RFC 8032 §5.1.3). */
export function pointFlaw(bytes: Uint8Array): PointFlaw | undefined {
  if (bytes.length !== 32) return "length";
  const hex = Buffer.from(bytes).toString("hex");
  if (SMALL_ORDER_ENCODINGS.has(hex)) return "small-order";
  const y = littleEndian(bytes) & ((1n << 255n) - 1n);
  if (y >= P) return "non-canonical";
  return isOnCurve(y) ? undefined : "off-curve";
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

/** x² = (y² − 1) / (d·y² + 1) has a root exactly when the quotient is zero or a quadratic residue (Euler). */
function isOnCurve(y: bigint): boolean {
  const yy = (y * y) % P;
  const u = (yy - 1n + P) % P;
  const v = (D * yy + 1n) % P;
  const quotient = (u * power(v, P - 2n)) % P;
  return quotient === 0n || power(quotient, (P - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
