import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sha256Hex } from "../../kernel/index.ts";
import { listTree } from "./listing.ts";

const document = sha256Hex("document");
const MTIME = 1_700_000_000;
let root = "";
const list = (bytesMax = 1_000_000) => listTree(root, { document, uidBase: process.getuid?.() ?? 0, bytesMax });

before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-listing-"));
  await mkdir(join(root, "web/sub"), { recursive: true });
  await writeFile(join(root, "web/b"), "hello");
  await writeFile(join(root, "web/sub/a b%"), "");
  // Bytes that are no UTF-8, and a name that sorts before "b" by its bytes and behind it by many alphabets.
  await writeFile(Buffer.concat([Buffer.from(join(root, "web/")), Buffer.from([0xff, 0x0a])]), "odd");
  await writeFile(join(root, "web/B"), "capital");
  await symlink("sub/a b%", join(root, "web/to"));
  execFileSync("/usr/bin/mkfifo", [join(root, "web/pipe")]);
  await chmod(join(root, "web/b"), 0o4750);
  await utimes(join(root, "web/b"), MTIME, new Date(-500));
});
after(() => rm(root, { recursive: true, force: true }));

/** The form as the documentation tells it, by other hands: nothing of ours, no library of ours. */
const STRANGER = `
import hashlib, json, os, stat, sys
from urllib.parse import quote
root, document, base = os.fsencode(sys.argv[1]), sys.argv[2], int(sys.argv[3])
out = hashlib.sha256(b"nexus-snapshot/v1\\ndocument " + document.encode() + b"\\n")
name = lambda raw: quote(raw, safe="/")
def walk(folder, prefix):
    for raw in sorted(os.listdir(folder)):
        full, path = folder + b"/" + raw, prefix + name(raw)
        s = os.lstat(full)
        kinds = [("directory", stat.S_ISDIR), ("file", stat.S_ISREG), ("link", stat.S_ISLNK), ("pipe", stat.S_ISFIFO), ("socket", stat.S_ISSOCK)]
        kind = next((k for k, test in kinds if test(s.st_mode)), "device")
        line = [path, kind, stat.S_IMODE(s.st_mode), s.st_uid - base, s.st_gid - base, s.st_mtime_ns // 10**9]
        if kind == "file": line += [s.st_size, hashlib.sha256(open(full, "rb").read()).hexdigest()]
        if kind == "link": line.append(name(os.readlink(full)))
        out.update(json.dumps(line, separators=(",", ":")).encode() + b"\\n")
        if kind == "directory": walk(full, path + "/")
walk(root, "")
print(out.hexdigest())
`;

test("a stranger makes the same digest from the same folder", async () => {
  const { digest, bytes, files } = await list();
  assert.deepEqual([bytes, files], [15, 4]);
  assert.equal(digest, execFileSync("python3", ["-c", STRANGER, root, document, String(process.getuid?.() ?? 0)], { encoding: "utf8" }).trim());
});

test("whatever changes changes it, and what is put back gives it back", async () => {
  const { digest } = await list();
  const seen = new Set<string>([digest]);
  const differs = async (what: string, change: () => Promise<unknown>) => {
    await change();
    const now = (await list()).digest;
    assert.ok(!seen.has(now), what);
    seen.add(now);
  };
  await differs("a mode", () => chmod(join(root, "web/b"), 0o750));
  await differs("a time", () => utimes(join(root, "web/b"), MTIME, MTIME));
  await differs("a content of the same length", async () => {
    await writeFile(join(root, "web/b"), "hallo");
    await utimes(join(root, "web/b"), MTIME, MTIME);
  });
  await differs("a name", () => rename(join(root, "web/b"), join(root, "web/c")));
  await differs("a file more", () => link(join(root, "web/c"), join(root, "web/d")));
  await differs("a target", async () => {
    await rm(join(root, "web/to"));
    await symlink("elsewhere", join(root, "web/to"));
  });
  assert.notEqual((await listTree(root, { document: sha256Hex("another"), uidBase: 0, bytesMax: 1_000 })).digest, (await listTree(root, { document, uidBase: 0, bytesMax: 1_000 })).digest);
  assert.notEqual((await listTree(root, { document, uidBase: 1, bytesMax: 1_000 })).digest, (await listTree(root, { document, uidBase: 0, bytesMax: 1_000 })).digest);
});

test("a file of holes cannot keep anybody busy for ever, and who asks can stop it", async () => {
  await truncate(join(root, "web/c"), 1_000_000);
  await assert.rejects(list(), { code: "SNAPSHOT_TOO_LARGE" });
  await truncate(join(root, "web/c"), 5);
  await assert.rejects(listTree(root, { document, uidBase: 0, bytesMax: 1_000_000, signal: AbortSignal.abort() }), { name: "AbortError" });
});
