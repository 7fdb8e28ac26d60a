import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Fault } from "../../kernel/index.ts";
import { layoutOf } from "../layout.ts";
import { linesOf, listenUnix } from "../unix-server.ts";
import { vsizes } from "./vsizes.ts";

/** A doveadm-server that answers each login by what stands before its `@`; what it was asked, by connection. */
async function asked(addresses: readonly string[], greeting = "+"): Promise<{ found: Record<string, string>; connections: readonly (readonly string[])[] }> {
  const dir = await mkdtemp(join(tmpdir(), "nx-d-"));
  const layout = layoutOf({ dir });
  await mkdir(layout.dovecotRun, { recursive: true });
  const connections: string[][] = [];
  const server = await listenUnix(join(layout.dovecotRun, "doveadm-server"), { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, 0o600, async (socket) => {
    const mine: string[] = [];
    connections.push(mine);
    for await (const line of linesOf(socket, 4_096)) {
      if (line.startsWith("VERSION")) {
        socket.write(`${greeting}\n`);
        continue;
      }
      const [, user = "", ...command] = line.split("\t");
      mine.push(user);
      assert.deepEqual(command, ["mailbox status", "-t", "vsize", "*"]);
      const local = user.split("@")[0] ?? "";
      if (local.startsWith("dies")) return void socket.destroy();
      socket.write(/^\d+$/.test(local) ? `${local}\t\n+\n` : local === "none" ? "\n-NOUSER\n" : `${local}\t\n+\n`);
    }
  });
  try {
    const found = await vsizes(layout, addresses);
    return { found: Object.fromEntries([...found].map(([address, value]) => [address, value instanceof Fault ? `${value.code}` : String(value)])), connections };
  } finally {
    await server.close();
    await rm(dir, { recursive: true });
  }
}

test("many logins are asked about on one connection; one that is unknown or answered oddly is a fault, never a zero", async () => {
  const many = Array.from({ length: 300 }, (_, at) => `${at}@imvu001.world`);
  const all = await asked(many);
  assert.deepEqual(all.found, Object.fromEntries(many.map((address, at) => [address, String(at)])));
  assert.deepEqual(all.connections, [many]);
  const odd = await asked(["7@x.world", "none@x.world", "many@x.world", "8@x.world"]);
  assert.deepEqual(odd.found, { "7@x.world": "7", "none@x.world": "MAIL_STORAGE", "many@x.world": "MAIL_STORAGE", "8@x.world": "8" });
  assert.equal(odd.connections.length, 1);
});

test("a login with which the connection ends is a fault alone; those behind it are asked again, so many times", async () => {
  const { found, connections } = await asked(["1@x.world", "dies@x.world", "2@x.world"]);
  assert.deepEqual(found, { "1@x.world": "1", "dies@x.world": "MAIL_STORAGE", "2@x.world": "2" });
  assert.deepEqual(connections.map((one) => one[0]), ["1@x.world", "2@x.world"]);
  const dead = Array.from({ length: 9 }, (_, at) => `dies${at}@x.world`);
  const gone = await asked([...dead, "3@x.world"]);
  assert.deepEqual(new Set(Object.values(gone.found)), new Set(["MAIL_STORAGE"]));
  assert.deepEqual([Object.keys(gone.found).length, gone.connections.length], [10, 5]);
  assert.deepEqual((await asked(["4@x.world"], "-")).found, { "4@x.world": "MAIL_STORAGE" });
});

test("a name that would be another command is refused before anything is said", async () => {
  await assert.rejects(vsizes(layoutOf({ dir: "/nowhere" }), ["a\tb"]), TypeError);
});
