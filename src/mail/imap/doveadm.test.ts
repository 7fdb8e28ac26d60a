import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Fault, type MailAddress } from "../../kernel/index.ts";
import { type Layout, layoutOf } from "../layout.ts";
import { linesOf, listenUnix } from "../unix-server.ts";
import { countMessages, messagesByFolder } from "./count-messages.ts";
import { doveadm } from "./doveadm.ts";

const BOX = "hello@imvu001.world" as MailAddress;

/** A doveadm-server that says `answer` in pieces of `size` bytes, and what it was asked. */
async function withServer<T>(answer: string, size: number, work: (layout: Layout) => Promise<T>): Promise<{ result: T; asked: readonly string[] }> {
  const dir = await mkdtemp(join(tmpdir(), "nx-d-"));
  const layout = layoutOf({ dir });
  await mkdir(layout.dovecotRun, { recursive: true });
  const asked: string[] = [];
  const bytes = Buffer.from(answer);
  const server = await listenUnix(join(layout.dovecotRun, "doveadm-server"), { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, 0o600, async (socket) => {
    for await (const line of linesOf(socket, 4_096)) {
      asked.push(line);
      if (asked.length < 2) continue;
      socket.setNoDelay();
      for (let from = 0; from < bytes.length; from += size) {
        socket.write(bytes.subarray(from, from + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
    }
  });
  try {
    return { result: await work(layout), asked };
  } finally {
    await server.close();
    await rm(dir, { recursive: true });
  }
}

const says = async (answer: string, size = 3) => (await withServer(answer, size, (layout) => doveadm(layout, BOX, ["mailbox list", "-s"]))).result;
const isFault = (error: unknown) => error instanceof Fault && error.code === "DOVEADM";

test("a reply's fields: ended by tabs, unescaped, in pieces of any size; what was asked is one line", async () => {
  const reply = "+\nINBOX\tA\u0001tB\u0001nC\u00011\t\t\n+\n";
  for (const size of [1, 2, 3, 100]) assert.deepEqual(await says(reply, size), ["INBOX", "A\tB\nC\u0001", ""], `${size}`);
  assert.deepEqual(await says("+\n\n+\n"), [], "an empty reply has no fields");
  const { asked } = await withServer(reply, 10, (layout) => doveadm(layout, BOX, ["mailbox list", "-s"]));
  assert.deepEqual(asked, ["VERSION\tdoveadm-server\t1\t0", `\t${BOX}\tmailbox list\t-s`]);
});

test("a refusal, a password, a closed connection and a smuggled command are faults", async () => {
  for (const answer of ["+\n\n-NOTFOUND\n", "-\n", "", "+\nINBOX\t", "+\nINBOX\t\n"]) await assert.rejects(says(answer), isFault, JSON.stringify(answer));
  await assert.rejects(withServer("+\n\n+\n", 3, (layout) => doveadm(layout, BOX, ["mailbox list", "x\ny"])), TypeError);
});

test("messages are summed over folders; a reply that is no list of counts is a fault, never a zero", async () => {
  const count = async (reply: string) => (await withServer(`+\n${reply}\n+\n`, 5, (layout) => countMessages(layout, BOX))).result;
  assert.equal(await count("INBOX\t3\t12\t40\tempty\t0\t"), 43);
  assert.equal(await count(""), 0);
  for (const odd of ["INBOX\t", "INBOX\tmany\t", "INBOX\t3\tTrash\t", "INBOX\t-1\t"]) await assert.rejects(count(odd), isFault, odd);
  const { result } = await withServer("+\nA/B\t2\tINBOX\t1\t\n+\n", 4, (layout) => messagesByFolder(layout, BOX));
  assert.deepEqual([...result], [["A/B", 2], ["INBOX", 1]]);
});
