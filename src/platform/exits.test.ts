import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { imvuIdOf } from "../kernel/index.ts";
import { Exits } from "./exits.ts";

async function withFolder(names: readonly string[], body: (exits: Exits, left: () => Promise<readonly string[]>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nexus-exits-"));
  try {
    for (const name of names) await (name.endsWith("/") ? mkdir(join(folder, name)) : writeFile(join(folder, name), name));
    await body(new Exits(folder), async () => (await readdir(folder)).sort());
  } finally {
    await rm(folder, { recursive: true });
  }
}

const OLD = "IMVU-001-2026-11-01T000000Z";
const NEW = "IMVU-001-2026-12-01T000000Z";

test("of each unit the newest archive stays, and no unpacked bundle", () =>
  withFolder([`${OLD}/`, `${OLD}.tar.zst`, `${OLD}.tar.zst.sha256`, `${NEW}/`, `${NEW}.tar.zst.age`, `${NEW}.tar.zst.age.sha256`, "IMVU-0010-x.tar.zst", "IMVU-002-2026-11-01T000000Z.tar.zst"], async (exits, left) => {
    assert.equal((await exits.newest(imvuIdOf(1)))?.name, `${NEW}.tar.zst.age`);
    await exits.keepNewest(imvuIdOf(1));
    assert.deepEqual(await left(), [`${NEW}.tar.zst.age`, `${NEW}.tar.zst.age.sha256`, "IMVU-0010-x.tar.zst", "IMVU-002-2026-11-01T000000Z.tar.zst"].sort());
  }));

test("without an archive nothing is taken away", () =>
  withFolder([`${OLD}.partial/`], async (exits, left) => {
    assert.equal(await exits.newest(imvuIdOf(1)), undefined);
    await exits.keepNewest(imvuIdOf(1));
    assert.deepEqual(await left(), [`${OLD}.partial`]);
  }));

test("after a crash only whole archives stay", () =>
  withFolder([`${OLD}.partial/`, `${OLD}/`, `${OLD}.tar.zst.partial`, "import-Xy12/", `${NEW}.tar.zst`, `${NEW}.tar.zst.sha256`], async (exits, left) => {
    await exits.clear();
    assert.deepEqual(await left(), [`${NEW}.tar.zst`, `${NEW}.tar.zst.sha256`]);
  }));
