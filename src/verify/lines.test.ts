import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LINE_BYTES_MAX, linesOf } from "./lines.ts";

let scratch = "";
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-lines-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

async function read(content: string | Uint8Array): Promise<string[]> {
  const path = join(scratch, "lines");
  await writeFile(path, content);
  const lines: string[] = [];
  for await (const line of linesOf(path)) lines.push(line);
  return lines;
}

test("lines across chunk borders, with characters of several bytes on them", async () => {
  for (const length of [1, 100, 65_530, LINE_BYTES_MAX]) {
    const line = "é".repeat(length >> 1) + "x".repeat(length % 2);
    assert.deepEqual(await read(`${line}\n${line}\n\n${line}\n`), [line, line, "", line], String(length));
  }
  assert.deepEqual(await read(""), []);
});

test("a line without end, one too long, and bytes that are no UTF-8 are thrown out", async () => {
  await assert.rejects(read("a\nb"), RangeError);
  await assert.rejects(read(`${"x".repeat(LINE_BYTES_MAX + 1)}\n`), RangeError);
  await assert.rejects(read("x".repeat(LINE_BYTES_MAX * 3)), RangeError);
  await assert.rejects(read(Buffer.from([0x61, 0xc3, 0x0a])), TypeError);
  await assert.rejects(read(Buffer.from([0xff, 0x0a])), TypeError);
});
