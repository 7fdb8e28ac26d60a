import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test, type TestContext } from "node:test";
import { extract } from "tar-stream";
import { zEnvelope } from "../contract/index.ts";
import { Fault, type IdentityName, refuse, type Refusal } from "../kernel/index.ts";
import type { Done } from "./client.ts";
import { DryRun } from "./dry-run.ts";
import { EXIT, Failure, failureOfAnswer, failureOfRefusal, failureOfThrown, usageFailure } from "./failure.ts";
import { bytesText, many, paint, print, printFailure, say, stepPrinter, table } from "./output.ts";
import { keepPassword } from "./passwords.ts";
import { newPassphrase, passphraseFrom, passphraseOf } from "./passphrase.ts";
import { keepReceipt } from "./receipts.ts";
import { tarFolder } from "./tar-folder.ts";
import { ENVELOPE_DEFAULT, envelopeOf, lifetimeOf, whole } from "./units.ts";
import { failureOfUsage } from "./usage.ts";

let root = "";
let folder = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-cli-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
});
after(() => rm(root, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("exit codes", () => {
  test("each kind of refusal has its own meaning for scripts", () => {
    const codes = (["usage", "conflict", "unauthenticated", "gate", "not-found", "engine", "busy"] as Refusal["kind"][]).map((kind) => [kind, failureOfRefusal(refuse(kind, "C", "m", "h")).exitCode]);
    assert.deepEqual(Object.fromEntries(codes), { usage: 2, conflict: 2, unauthenticated: 3, gate: 3, "not-found": 4, engine: 6, busy: 5 });
  });

  test("a refusal means the same whether it was made here or answered by the platform", () => {
    for (const kind of ["usage", "conflict", "unauthenticated", "gate", "not-found", "engine"] as Refusal["kind"][]) {
      const { ok: _, ...error } = refuse(kind, "C", "m", "h", { gate: 7, asked: 9, allowed: 4, ledgerIndex: 3 });
      const answered = failureOfAnswer(400, { error });
      assert.deepEqual([answered.exitCode, answered.document], [failureOfRefusal(refuse(kind, "C", "m", "h")).exitCode, error]);
    }
  });

  test("an answer without an error document is the platform's mistake and says its status", () => {
    for (const body of [undefined, null, {}, "text", 7, []]) {
      const failure = failureOfAnswer(502, body);
      assert.deepEqual([failure.exitCode, failure.document.code], [EXIT.engine, "BAD_ANSWER"]);
      assert.match(failure.message, /502/);
    }
    assert.equal(failureOfAnswer(500, { error: { code: "NEW", message: "m", hint: "h", kind: "something-new" } }).exitCode, EXIT.engine);
  });

  test("a platform that is not there differs from one whose engine failed, and from what the caller did wrong", () => {
    const codeOf = (code: string) => failureOfThrown(new Fault(code, "m")).exitCode;
    assert.deepEqual(["NOT_RUNNING", "UNREACHABLE", "HOME_IN_USE", "BAD_CONFIGURATION", "NOT_ROOT", "PROCESS_FAILED"].map(codeOf), [5, 5, 2, 2, 2, 6]);
  });

  test("a failure stays itself, and anything else that is thrown is our mistake and says so", () => {
    const failure = usageFailure("m", "h");
    assert.equal(failureOfThrown(failure), failure);
    for (const thrown of [new TypeError("x is undefined"), "text", undefined]) assert.deepEqual([failureOfThrown(thrown).document.code, failureOfThrown(thrown).exitCode], ["INTERNAL", EXIT.engine]);
  });
});

/** What is written while `work` runs, by stream. */
function written(context: TestContext, work: () => void): { out: string; err: string } {
  const text = { out: "", err: "" };
  const out = context.mock.method(process.stdout, "write", (chunk: string) => {
    text.out += chunk;
    return true;
  });
  const err = context.mock.method(process.stderr, "write", (chunk: string) => {
    text.err += chunk;
    return true;
  });
  try {
    work();
  } finally {
    out.mock.restore();
    err.mock.restore();
  }
  return text;
}

const people = { json: false, quiet: false };
const script = { json: true, quiet: true };

describe("output", () => {
  test("the answer goes to standard output, everything said meanwhile to standard error", (context) => {
    const { out, err } = written(context, () => {
      say(people, "working");
      print(people, { a: 1 }, () => ["one", "two"]);
    });
    assert.deepEqual([out, err], ["one\ntwo\n", "working\n"]);
  });

  test("a script gets one JSON document and nothing else, for a failure too", (context) => {
    const { out, err } = written(context, () => {
      say(script, "working");
      stepPrinter(script)({ sentence: "s", state: "done", ms: 1 });
      print(script, { a: "ü" }, () => assert.fail("no lines for a script"));
    });
    assert.deepEqual([JSON.parse(out), err], [{ a: "ü" }, ""]);
    const failed = written(context, () => printFailure(script, usageFailure("m", "h")));
    assert.deepEqual([JSON.parse(failed.out), failed.err], [{ error: { code: "USAGE", message: "m", hint: "h", kind: "usage" } }, ""]);
  });

  test("a failure says what, its code, where it is recorded, and what to type next", (context) => {
    const { out, err } = written(context, () => printFailure(people, new Failure({ code: "GATE_07", message: "too much", hint: "nexus imvu scale", ledgerIndex: 12 }, EXIT.gate)));
    assert.equal(out, "");
    for (const part of [/error.*too much.*\[GATE_07\]/, /ledger entry 12/, /next: nexus imvu scale/]) assert.match(err, part);
  });

  test("steps are shown when they end, with what went wrong below", (context) => {
    const step = stepPrinter(people);
    const { err } = written(context, () => {
      step({ sentence: "sign the zone", state: "start", ms: 0 });
      step({ sentence: "sign the zone", state: "failed", ms: 1.6, detail: "line one\nline two" });
    });
    assert.equal(err.split("\n").length, 4);
    assert.match(err, /sign the zone.* 2 ms/);
    assert.match(err, /\n {4}line one\n {4}line two/);
  });

  test("text from elsewhere cannot move the cursor, retitle the window, hide, or turn a line around", (context) => {
    const hostile = ["\u001b[2J", "\u001b]0;owned\u0007", "\u001b[8m", "\u001b[31;5m", "\u001bc", "\u009b2J", "\r", "\b", "\u007f", "\u202e", "\u2066", "\u200f", "\u061c", "\0"];
    for (const text of hostile) {
      const { out, err } = written(context, () => {
        print(people, null, () => [text]);
        say(people, text);
        stepPrinter(people)({ sentence: text, state: "done", ms: 0, detail: text });
        printFailure(people, new Failure({ code: "C", message: text, hint: text }, 1));
      });
      for (const shown of [out, err]) {
        assert.ok(!shown.includes(text), JSON.stringify(text));
        assert.ok(shown.includes("\\u"), JSON.stringify(text));
      }
    }
  });

  test("colours appear only where a terminal reads, and then really do", (context) => {
    const stream = (isTTY: boolean) => ({ isTTY }) as NodeJS.WriteStream;
    const { NO_COLOR } = process.env;
    delete process.env.NO_COLOR;
    assert.equal(paint("red", "x", stream(false)), "x");
    const red = paint("red", "x", stream(true));
    assert.equal(red, "\u001b[31mx\u001b[0m");
    assert.equal(written(context, () => print(people, null, () => [red])).out, `${red}\n`);
    process.env.NO_COLOR = "1";
    assert.equal(paint("red", "x", stream(true)), "x");
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
  });

  test("columns are as wide as their widest cell and lines end without blanks", () => {
    assert.deepEqual(table([["a", "bbb", "c"], ["aaa", "b", ""], ["a"]]), ["a    bbb  c", "aaa  b", "a"]);
    assert.deepEqual(table([]), []);
  });

  test("figures stand with their decimal points below each other, whatever signs and decimals they have; heads end where they end", () => {
    const rows = [["", "debit", "what"], ["a", "1020.06", "x"], ["bb", "-9.990", ""], ["c", "300", "y"], ["d", "", ""], ["e", "0.000001", "z"]];
    assert.deepEqual(table(rows, [1]), ["          debit  what", "a   1020.06      x", "bb    -9.990", "c    300         y", "d", "e      0.000001  z"]);
    assert.deepEqual(table([["a", "× 0.5"], ["b", "× 10.25"]], [1]), ["a   × 0.5", "b  × 10.25"]);
    assert.deepEqual(["0", "1", "2"].map((count) => many(Number(count), "unit")), ["0 units", "1 unit", "2 units"]);
  });

  test("sizes are told in the largest unit that fits", () => assert.deepEqual([0, 1_023, 1_024, 1_536, 1024 ** 2, 5 * 1024 ** 3, 1024 ** 4].map(bytesText), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB", "5 GiB", "1 TiB"]));
});

describe("what a person keeps", () => {
  test("both receipts of a command, under the outcome's number, so that a folder lists them in order", async () => {
    const receipt = (index: number) => ({ index, body: "{}", proof: "p" });
    const path = await keepReceipt(folder, { receipt: receipt(41), outcome: { receipt: receipt(42), result: null } } as unknown as Done);
    assert.equal(path, join(folder, "receipts", "000000042.json"));
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")), { intent: receipt(41), outcome: receipt(42) });
    assert.deepEqual([await modeOf(path), await modeOf(join(folder, "receipts"))], [0o600, 0o700]);
  });

  test("a password for nobody else's eyes; a new one replaces the old", async () => {
    await keepPassword(folder, "hello@imvu001.world", "first");
    const path = await keepPassword(folder, "hello@imvu001.world", "second");
    assert.equal(await readFile(path, "utf8"), "second\n");
    assert.deepEqual([await modeOf(path), await modeOf(join(folder, "mailboxes"))], [0o600, 0o700]);
  });
});

describe("a folder to deploy", () => {
  async function entriesOf(tar: Buffer) {
    const entries: (readonly [string, string, string, number, string])[] = [];
    const reader = extract();
    reader.end(tar);
    for await (const entry of reader) {
      const { name, type, mode, mtime, uid, uname } = entry.header;
      assert.deepEqual([mtime?.getTime(), uid, uname], [0, 0, ""]);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      entries.push([name, type ?? "", (mode ?? 0).toString(8), chunks.length, Buffer.concat(chunks).toString()] as const);
    }
    return entries.map(([name, type, mode, , text]) => [name, type, mode, text]);
  }

  test("becomes the same tar whoever made it when: sorted, without owner, time and version control", async () => {
    await mkdir(join(folder, "b/.git"), { recursive: true });
    await mkdir(join(folder, ".git"));
    await writeFile(join(folder, ".git/config"), "secret");
    await writeFile(join(folder, "b/run.sh"), "#!/bin/sh\n", { mode: 0o700 });
    await writeFile(join(folder, "a.html"), "grüße", { mode: 0o600 });
    await writeFile(join(folder, ".well-known"), "x");
    const first = await tarFolder(folder);
    await utimes(join(folder, "a.html"), 1, 1);
    await chmod(join(folder, "a.html"), 0o640);
    assert.ok(first.equals(await tarFolder(folder)));
    assert.deepEqual(await entriesOf(first), [[".well-known", "file", "644", "x"], ["a.html", "file", "644", "grüße"], ["b/", "directory", "755", ""], ["b/run.sh", "file", "755", "#!/bin/sh\n"]]);
  });

  test("with a link in it is refused by the link's name: it could lead to anything on this machine", async () => {
    await mkdir(join(folder, "in"));
    await symlink("/etc/passwd", join(folder, "in/pass\nwd"));
    await assert.rejects(tarFolder(folder), (failure: Failure) => failure.exitCode === EXIT.usage && failure.message.includes('"in/pass\\nwd"'));
  });

  test("that is empty, missing, a file or a link is refused", async () => {
    await assert.rejects(tarFolder(folder), /empty/);
    await mkdir(join(folder, ".git"));
    await assert.rejects(tarFolder(folder), /empty/);
    await writeFile(join(folder, "file"), "");
    await symlink(folder, join(folder, "link"));
    for (const name of ["none", "file", "link"]) await assert.rejects(tarFolder(join(folder, name)), /is not a folder/);
  });
});

describe("sizes as people type them", () => {
  test("mean exact figures", () => {
    assert.deepEqual(envelopeOf({ cpu: "0.5", memory: "1.5", storage: "10", iops: "500", bandwidth: "2.5", processes: "64", burst: "2x5m" }), { cpuMillis: 500, memoryBytes: 1.5 * 1024 ** 3, storageBytes: 10 * 1024 ** 3, iops: 500, bandwidthBps: 2_500_000, processes: 64, burst: { factor: 2, seconds: 300 } });
    assert.equal(envelopeOf({ cpu: "0.001" }).cpuMillis, 1);
  });

  test("that are not named stay as they were, and the usual ones are lawful", () => {
    assert.deepEqual(envelopeOf({}), ENVELOPE_DEFAULT);
    const before = { ...ENVELOPE_DEFAULT, burst: { factor: 3, seconds: 9 } };
    assert.deepEqual(envelopeOf({ cpu: "2" }, before), { ...before, cpuMillis: 2_000 });
    assert.equal(envelopeOf({ burst: "none" }, before).burst, null);
    assert.ok(zEnvelope.safeParse(ENVELOPE_DEFAULT).success);
  });

  test("that are no numbers are refused with the flag's name", () => {
    for (const flag of ["cpu", "memory", "storage", "iops", "bandwidth", "processes", "burst"] as const)
      for (const text of ["", "0", "-1", "1e3", "0x10", " 1", "1.", ".5", "1,5", "two", "1.0001", "٣", "9".repeat(10), "x".repeat(10_000), "2x0s", "2x61m", "2x5h"]) {
        const expected = (failure: unknown) => failure instanceof Failure && failure.exitCode === EXIT.usage && failure.message.startsWith(`--${flag}: `) && failure.message.length < 200 && /\S/.test(failure.document.hint);
        assert.throws(() => envelopeOf({ [flag]: text }), expected, `--${flag} ${text.slice(0, 20)}`);
      }
  });

  test("a whole number keeps to its bounds", () => {
    assert.deepEqual([whole("n", "1", 1, 9), whole("n", "9", 1, 9)], [1, 9]);
    for (const text of ["0", "10", "1.0", "9".repeat(16)]) assert.throws(() => whole("n", text, 1, 9), /--n: .*from 1 to 9/);
  });
});

describe("what was typed wrongly", () => {
  const usage = (code: string, message: string) => failureOfUsage({ code, message }, "nexus imvu");

  test("is answered with the flag, the rule, and what to type", () => {
    const failure = usage("commander.invalidArgument", "error: option '--imvu-id <id>' argument 'x' is invalid. imvu \"x\": is not an IMVU id – use something like IMVU-001");
    assert.deepEqual([failure.exitCode, failure.message, failure.document.hint], [EXIT.usage, '--imvu-id: imvu "x": is not an IMVU id', "use something like IMVU-001"]);
    assert.equal(usage("commander.unknownOption", "error: unknown option '--colour'").document.hint, "nexus imvu --help");
    assert.match(usage("commander.help", "(outputHelp)").message, /nexus imvu wants a verb/);
  });

  test("is cut short and kept on one line, however long and wild it was", () => {
    for (const typed of ["x".repeat(10_000), `${"a\n".repeat(100)}\u001b[2J${"b".repeat(100)}`]) {
      const { message } = usage("commander.unknownOption", `error: unknown option '${typed}'`);
      assert.ok(message.length <= 400 && !message.includes("\n"), message);
    }
  });
});

test("a dry run says in four lines what the seventeen would say", () => {
  const verdicts = [{ gate: 1, verdict: "pass" }, { gate: 2, verdict: "not-applicable" }, { gate: 15, verdict: "deny", code: "GATE_15_OWNER_APPROVAL_MISSING" }] as const;
  const refused = new DryRun({ dryRun: true, allowed: false, refusal: { code: "GATE_15_OWNER_APPROVAL_MISSING", message: "gate 15 refuses" }, verdicts: JSON.parse(JSON.stringify(verdicts)) });
  assert.deepEqual(refused.lines(), ["would be refused  gate 15 refuses [GATE_15_OWNER_APPROVAL_MISSING]", "  pass            1", "  deny            15", "  not applicable  2"]);
  const allowed = new DryRun({ dryRun: true, allowed: true, verdicts: JSON.parse(JSON.stringify(verdicts.slice(0, 2))) });
  assert.deepEqual([allowed.allowed, allowed.lines()[0]], [true, "would be done  nothing was changed"]);
});

describe("a passphrase", () => {
  const name = "creator-8891" as IdentityName;
  const holding = async (text: string, mode = 0o600) => {
    const path = join(folder, "passphrase");
    await writeFile(path, text, { mode });
    await chmod(path, mode);
    return path;
  };
  after(() => {
    delete process.env.NEXUS_PASSPHRASE_FILE;
  });

  test("comes from a file of its owner's alone, without the line's end", async () => {
    process.env.NEXUS_PASSPHRASE_FILE = await holding("grüße und küsse\n");
    const read = await passphraseOf(name, false);
    assert.ok(read?.ok && read.value === "grüße und küsse");
    process.env.NEXUS_PASSPHRASE_FILE = await holding("correct horse", 0o640);
    const exposed = await passphraseOf(name, false);
    assert.ok(exposed?.ok === false && exposed.code === "PASSPHRASE_FILE" && exposed.hint.includes("chmod 600"));
    process.env.NEXUS_PASSPHRASE_FILE = join(folder, "none");
    const none = await passphraseOf(name, false);
    assert.ok(none?.ok === false && none.code === "PASSPHRASE_FILE");
  });

  test("that is new has 8 to 1024 characters, and somebody to say it", async () => {
    for (const [text, ok] of [["1234567", false], ["12345678", true], ["x".repeat(1_024), true], ["x".repeat(1_025), false]] as const) assert.equal((await passphraseFrom(await holding(text))).ok, ok, String(text.length));
    delete process.env.NEXUS_PASSPHRASE_FILE;
    const nobody = await newPassphrase(name, false);
    assert.ok(!nobody.ok && nobody.code === "NO_PASSPHRASE");
  });
});

test("a command's time is a number of minutes, hours or days, at most seven days", () => {
  assert.deepEqual(["1m", "90m", "12h", "7d"].map(lifetimeOf), [60_000, 5_400_000, 43_200_000, 604_800_000]);
  for (const bad of ["", "0m", "8d", "169h", "1", "1s", "-1m", "1.5h", "1m ", "99999d"]) assert.throws(() => lifetimeOf(bad), (error: unknown) => error instanceof Failure && error.message.startsWith("--valid-for"), bad);
});
