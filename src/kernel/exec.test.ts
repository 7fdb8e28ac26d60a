import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PassThrough, Readable } from "node:stream";
import { describe, test } from "node:test";
import { pipeThrough, plainEnvironment, run, runOk } from "./exec.ts";

describe("run", () => {
  test("hands every argument over as it is: no shell reads it", async () => {
    const hostile = ["$(id)", "`id`", "; reboot", "a b", "'", '"', "*", "\n", "\u202e", ""];
    const { stdout } = await run(["printf", "%s\\0", ...hostile]);
    assert.deepEqual(stdout.toString("utf8").split("\0").slice(0, -1), hostile);
  });

  test("a child sees a plain environment, and none of this process's secrets", async () => {
    process.env.NEXUS_TEST_SECRET = "hush";
    try {
      assert.ok(!(await runOk(["env"])).includes("hush"));
      assert.equal(await runOk(["env"], { env: { ONLY: "1" } }), "ONLY=1\n");
      assert.equal(plainEnvironment({ LANG: "x" }).LANG, "x");
    } finally {
      delete process.env.NEXUS_TEST_SECRET;
    }
  });

  test("gives standard input, and an empty one when there is none", async () => {
    assert.equal(await runOk(["cat"], { input: "grüße" }), "grüße");
    assert.equal(await runOk(["cat"]), "");
  });

  test("a program that does not read its input is no fault", async () => {
    assert.equal((await run(["true"], { input: Buffer.alloc(1_000_000) })).code, 0);
  });

  test("a non-zero end is an answer for run, and for runOk a fault with what the program said", async () => {
    const failing = ["sh", "-c", "echo out; echo why >&2; exit 3"] as const;
    assert.deepEqual(await run(failing), { code: 3, stdout: Buffer.from("out\n"), stderr: "why\n" });
    await assert.rejects(runOk(failing), { code: "PROCESS_FAILED", message: /exit 3: why$/ });
    await assert.rejects(runOk(["sh", "-c", "echo only out; exit 4"]), { message: /exit 4: only out$/ });
  });

  test("what cannot start, does not end, or floods is a fault that says which", async () => {
    await assert.rejects(run(["/nowhere/at/all"]), { code: "PROCESS_START", message: /\/nowhere\/at\/all/ });
    await assert.rejects(run(["sleep", "60"], { timeout_ms: 30 }), { code: "PROCESS_TIMEOUT", retry: true, message: /sleep did not end within 30 ms/ });
    await assert.rejects(run(["yes"], { output_bytes_max: 4_096 }), { code: "PROCESS_OUTPUT", message: /more than 4096 bytes/ });
  });

  test("a child that a signal ended does not look like one that went well", async () => {
    assert.notEqual((await run(["sh", "-c", "kill -9 $$"])).code, 0);
  });
});

describe("pipeThrough", () => {
  test("streams through a program and ends with it", async () => {
    const out = new PassThrough();
    const [text] = await Promise.all([out.setEncoding("utf8").toArray(), pipeThrough(["tr", "a-z", "A-Z"], Readable.from(["abc", "def"]), out, 5_000)]);
    assert.equal(text.join(""), "ABCDEF");
  });

  test("is a fault when the program fails, and when it never ends", async () => {
    await assert.rejects(pipeThrough(["sh", "-c", "echo no >&2; exit 2"], undefined, undefined, 5_000), { code: "PROCESS_FAILED", message: /exit 2: no/ });
    await assert.rejects(pipeThrough(["sleep", "60"], undefined, undefined, 30), { code: "PROCESS_FAILED" });
    await assert.rejects(pipeThrough(["/nowhere/at/all"], undefined, undefined, 5_000), { code: "ENOENT" });
  });
});
