import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach } from "node:test";

/** An empty folder of its own for each test of the file that asks; all of them are gone when its tests are. */
export function folderForEach(): () => string {
  let root = "";
  let folder = "";
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "nexus-cli-"));
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(root, "case-"));
  });
  after(() => rm(root, { recursive: true, force: true }));
  return () => folder;
}
