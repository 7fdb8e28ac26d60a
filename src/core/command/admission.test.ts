import assert from "node:assert/strict";
import test from "node:test";
import { Fault } from "../../kernel/index.ts";
import type { OpenedCommand } from "../identity/index.ts";
import type { Appended } from "../ledger/index.ts";
import { STORE_LOST } from "../store/index.ts";
import { together } from "./admission.ts";
import { writeTogether } from "./write-together.ts";

const waits = (op: string, imvu: string | null, nonce: string) => ({ command: { op, imvu, nonce } }) as unknown as OpenedCommand;

test("only commands of which none can matter to another are judged together", () => {
  const [a, b, c] = [waits("dns.set", "IMVU-001", "n1"), waits("consent.record", "IMVU-002", "n2"), waits("dns.set", "IMVU-003", "n3")];
  assert.equal(together([a, b, c]), 3);
  assert.equal(together([a, b, waits("dns.set", "IMVU-001", "n4")]), 2, "a unit twice");
  assert.equal(together([a, waits("dns.set", "IMVU-002", "n1"), c]), 1, "a nonce twice");
  for (const op of ["identity.register", "identity.key.rotate", "platform.operator.add", "imvu.create", "imvu.import"]) {
    assert.equal(together([waits(op, null, "n9"), a]), 1, `${op} goes alone`);
    assert.equal(together([a, b, waits(op, null, "n9"), c]), 2, `${op} waits for its own turn`);
  }
  assert.equal(together([waits("imvu.scale", "IMVU-009", "n9"), a]), 1, "a node's room is everybody's");
  assert.equal(together([a, waits("imvu.scale", "IMVU-009", "n9")]), 1);
  assert.equal(together([b, c], [a]), 2, "beside one at work on another unit");
  assert.equal(together([a], [a]), 0, "a unit that is at work");
  assert.equal(together([b, waits("dns.set", "IMVU-008", "n1")], [a]), 1, "a nonce that is at work");
  assert.equal(together([a, b], [waits("imvu.create", null, "n9")]), 0, "beside what goes alone nothing is judged");
  assert.equal(together([waits("imvu.create", null, "n9"), a], [b]), 0, "what goes alone waits, and nobody overtakes it");
  assert.equal(together(Array.from({ length: 400 }, (_, at) => waits("dns.set", `IMVU-${at + 100}`, `m${at}`))), 256);
});

const entry = (index: number) => ({ index }) as Appended;

test("one that the log refuses fails for itself alone", async () => {
  const asked: number[][] = [];
  const written = await writeTogether([1, 2, 3], async (some) => {
    asked.push([...some]);
    if (some.includes(2)) throw new Fault("LEDGER_BODY_TOO_LARGE", "too large");
    return some.map(entry);
  });
  assert.deepEqual(asked, [[1, 2, 3], [1], [2], [3]]);
  assert.deepEqual([written[0], written[2]], [entry(1), entry(3)]);
  assert.ok(written[1] && "fault" in written[1]);
});

test("when nobody knows whether it was written, nothing is written a second time", async () => {
  for (const code of [STORE_LOST, "LEDGER_WRITE", "LEDGER_CLOSED", "LEDGER_FORK_REFUSED"]) {
    let calls = 0;
    const written = await writeTogether<number, object>([1, 2], async () => {
      calls += 1;
      throw new Fault(code, "gone", { retry: true });
    });
    assert.equal(calls, 1, code);
    assert.ok(written.every((one) => "fault" in one));
  }
});
