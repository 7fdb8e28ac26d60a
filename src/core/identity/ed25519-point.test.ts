import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { pointFlaw, SMALL_ORDER_ENCODINGS } from "./ed25519-point.ts";

const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const mod = (n: bigint) => ((n % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [mod(base), exponent]; left > 0n; left >>= 1n, square = mod(square * square)) if (left & 1n) result = mod(result * square);
  return result;
}

function add([x1, y1]: [bigint, bigint], [x2, y2]: [bigint, bigint]): [bigint, bigint] {
  const t = mod(D * mod(x1 * x2) * mod(y1 * y2));
  return [mod((x1 * y2 + x2 * y1) * power(1n + t, P - 2n)), mod((y1 * y2 + x1 * x2) * power(1n - t, P - 2n))];
}

/** x of a point with this y, computed independently of the code under test. */
function xOf(y: bigint): bigint {
  const quotient = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  const root = power(quotient, (P + 3n) / 8n);
  return mod(root * root) === quotient ? root : mod(root * power(2n, (P - 1n) / 4n));
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

test("each listed encoding is of a point whose order divides eight", () => {
  assert.equal(SMALL_ORDER_ENCODINGS.size, 14);
  for (const hex of SMALL_ORDER_ENCODINGS) {
    const y = mod(BigInt(`0x${Buffer.from(hex, "hex").reverse().toString("hex")}`) & ((1n << 255n) - 1n));
    let point: [bigint, bigint] = [xOf(y), y];
    for (let doublings = 0; doublings < 3; doublings += 1) point = add(point, point);
    assert.deepEqual(point, [0n, 1n], hex);
    assert.equal(pointFlaw(Buffer.from(hex, "hex")), "small-order", hex);
  }
});

test("y from p upwards is refused, whatever the sign bit", () => {
  for (let above = 0n; above < 19n; above += 1n) {
    for (const sign of [0n, 1n << 255n]) {
      const flaw = pointFlaw(bytesOf((P + above) | sign));
      assert.ok(flaw === "non-canonical" || flaw === "small-order", `p+${above}: ${flaw}`);
    }
  }
});

test("about half of all y are not on the curve; the base point is", () => {
  assert.equal(pointFlaw(bytesOf(mod(4n * power(5n, P - 2n)))), undefined);
  const flaws = Array.from({ length: 200 }, (_, at) => pointFlaw(bytesOf(BigInt(at) + 1_000n)));
  const off = flaws.filter((flaw) => flaw === "off-curve").length;
  assert.ok(off > 60 && off < 140, `${off} of 200`);
  assert.ok(flaws.every((flaw) => flaw === "off-curve" || flaw === undefined));
});

test("any other length is refused", () => {
  for (const length of [0, 31, 33, 64]) assert.equal(pointFlaw(Buffer.alloc(length, 9)), "length");
});
