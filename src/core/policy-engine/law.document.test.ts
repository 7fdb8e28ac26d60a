import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { LAW_DOCUMENT, lawDocument } from "./law.document.ts";
import { lawDigest } from "./law-digest.ts";

test("docs/infra-core/law.md is what the gates say; run src/core/policy-engine/law.document.ts to write it again", async () => {
  assert.equal(await readFile(LAW_DOCUMENT, "utf8"), lawDocument());
});

test("the law's digest changes with any source of it, and with nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nx-law-"));
  try {
    await cp(import.meta.dirname, folder, { recursive: true });
    const digest = lawDigest(folder);
    assert.equal(digest, lawDigest());
    await writeFile(join(folder, "gates/more.test.ts"), "");
    await writeFile(join(folder, "more.fixture.ts"), "");
    await writeFile(join(folder, "more.document.ts"), "");
    assert.equal(lawDigest(folder), digest);
    for (const name of ["gates/15-no-silent-throttling.ts", "judge.ts", "standing.ts", "limits.ts"]) {
      const text = await readFile(join(folder, name), "utf8");
      await writeFile(join(folder, name), `${text} `);
      assert.notEqual(lawDigest(folder), digest, name);
      await writeFile(join(folder, name), text);
    }
    assert.equal(lawDigest(folder), digest);
  } finally {
    await rm(folder, { recursive: true });
  }
});
