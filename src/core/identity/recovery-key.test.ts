import assert from "node:assert/strict";
import test from "node:test";
import { createIdentityKey, signingKeyFromJwk } from "./key.ts";
import { formatRecoveryKey, parseRecoveryKey } from "./recovery-key.ts";

test("a recovery key comes back from paper, however it was typed", () => {
  const key = createIdentityKey();
  const written = formatRecoveryKey(key);
  assert.match(written, /^NEXUS-RECOVERY-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
  for (const typed of [written, written.toLowerCase(), written.replace(/(.{7})/g, "$1 "), ` ${written}\n`]) {
    const parsed = parseRecoveryKey(typed);
    assert.ok(parsed.ok && parsed.value.kid === key.kid, typed);
  }
});

test("the same seed is always written the same", () => {
  // RFC 8032 §7.1, test 1; the text was computed by another implementation of BIP-173.
  const key = signingKeyFromJwk({ kty: "OKP", crv: "Ed25519", d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
  assert.equal(formatRecoveryKey(key), "NEXUS-RECOVERY-KEY-1N4SMR800L4DXPW5YFT6F9MPVC3ZYN3TF0VEXJXTS8WKQX89W0ASQFHFHHZ");
});

test("a wrong character, another kind of key, and what is none are refused without being repeated", () => {
  const written = formatRecoveryKey(createIdentityKey());
  const wrong = [...written].map((character, at) => (at < 20 ? undefined : written.slice(0, at) + (character === "Q" ? "P" : "Q") + written.slice(at + 1))).filter((one) => one !== undefined);
  for (const typed of [...wrong, written.slice(0, -1), `${written}Q`, "", "x", `AGE-SECRET-KEY-1${"Q".repeat(58)}`, "🔑".repeat(40), "A".repeat(10_000)]) {
    const parsed = parseRecoveryKey(typed);
    assert.ok(!parsed.ok, typed);
    assert.equal(parsed.code, "BAD_RECOVERY_KEY");
    assert.ok(typed.length < 10 || !parsed.message.includes(typed));
  }
});
