import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Directory } from "../identity-binding/directory.ts";
import type { Fqdn, ImvuId, MailAddress } from "../../kernel/index.ts";
import { linesOf, listenUnix } from "../unix-server.ts";
import { policyAction, quotaAsker, servePolicy } from "./policy.ts";
import { answerMap, serveSocketmap } from "./socketmap.ts";

function directory(): Directory {
  const made = new Directory();
  made.announceDomain("imvu001.world" as Fqdn, "IMVU-001" as ImvuId);
  made.announceAccount({ address: "hello@imvu001.world" as MailAddress, imvu: "IMVU-001" as ImvuId, uid: 1, home: "/x", password: "x", quotaBytes: 1, probe: false });
  made.expect("late@imvu003.world" as MailAddress, "IMVU-003" as ImvuId);
  return made;
}

test("socketmap: known, pending, unknown; every address of a hosted zone has an owner", () => {
  const ask = (request: string) => answerMap(directory(), request);
  assert.equal(ask("domains imvu001.world"), "OK IMVU-001");
  assert.equal(ask("domains elsewhere.example"), "NOTFOUND ");
  assert.match(ask("domains imvu003.world"), /^TEMP /);
  assert.equal(ask("mailboxes Hello@imvu001.world"), "OK hello@imvu001.world");
  assert.equal(ask("mailboxes @imvu001.world"), "NOTFOUND ");
  assert.match(ask("mailboxes late@imvu003.world"), /^TEMP /);
  assert.equal(ask("logins hello@imvu001.world"), "OK hello@imvu001.world");
  assert.equal(ask("logins ghost@imvu001.world"), "OK -");
  assert.equal(ask("logins x@deep.sub.imvu001.world"), "OK -");
  assert.equal(ask("logins x@elsewhere.example"), "NOTFOUND ");
  assert.equal(ask("logins @imvu001.world"), "NOTFOUND ");
  assert.match(ask("passwords hello@imvu001.world"), /^PERM /);
});

test("policy: the envelope rules as SMTP replies", () => {
  const ask = (more: Record<string, string>) => policyAction(directory(), new Map(Object.entries({ request: "smtpd_access_policy", ...more })));
  assert.equal(ask({ sasl_username: "hello@imvu001.world", sender: "hello@imvu001.world" }), "DUNNO");
  assert.match(ask({ sasl_username: "hello@imvu001.world", sender: "" }), /^550 5\.7\.1 .*null sender/);
  assert.match(ask({ sasl_username: "hello@imvu001.world", sender: "x@y.example" }), /^550 5\.7\.1 /);
  assert.match(ask({ sender: "x@imvu001.world" }), /^550 5\.7\.1 /);
  assert.match(ask({ sasl_username: "late@imvu003.world", sender: "late@imvu003.world" }), /^451 4\.3\.0 /);
  assert.match(ask({ request: "junction" }), /^451 /);
});

async function converse(serve: Parameters<typeof listenUnix>[3], pieces: readonly string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "nx-sock-"));
  const server = await listenUnix(join(dir, "s"), { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, 0o600, serve);
  try {
    const socket = connect(join(dir, "s"));
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    socket.end();
    let text = "";
    for await (const chunk of socket) text += chunk;
    return text;
  } finally {
    await server.close();
    await rm(dir, { recursive: true });
  }
}

test("the wire: split, joined and malformed requests", async () => {
  const map = (pieces: readonly string[]) => converse((socket) => serveSocketmap(directory(), socket), pieces);
  assert.equal(await map(["21:domains imvu0", "01.world,21:domains imvu001.world,"]), "11:OK IMVU-001,11:OK IMVU-001,");
  assert.equal(await map(["99999999:"]), "");
  assert.equal(await map(["5:abcdefgh"]), "");
  const policy = (pieces: readonly string[], quota = "552 full") => converse((socket) => servePolicy(directory(), async () => quota, socket), pieces);
  const request = "request=smtpd_access_policy\nsender=x@y.example\n";
  assert.equal(await policy([`${request}\n${request}`, "\n"]), "action=DUNNO\n\naction=DUNNO\n\n");
  assert.equal(await policy([`${request}protocol_state=END-OF-MESSAGE\nrecipient=a@b.example\n\n`]), "action=552 full\n\n");
  assert.equal(await policy([`${request}protocol_state=END-OF-MESSAGE\nrecipient=\n\n`]), "action=DUNNO\n\n");
  assert.equal(await policy(["x".repeat(20_000)]), "");
});

test("quota: Dovecot is asked with the true size as if at RCPT; its action is the answer, and silence is a fault", async () => {
  const dir = await mkdtemp(join(tmpdir(), "nx-quota-"));
  const asked: string[] = [];
  let answer = "action=552 5.2.2 full\n\n";
  const server = await listenUnix(join(dir, "q"), { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, 0o600, async (socket) => {
    for await (const line of linesOf(socket, 4_096)) {
      asked.push(line);
      if (line === "") socket.end(answer);
    }
  });
  try {
    const ask = () => quotaAsker(join(dir, "q"))(new Map([["protocol_state", "END-OF-MESSAGE"], ["recipient", "a@b.world"], ["size", "7000"]]));
    assert.equal(await ask(), "552 5.2.2 full");
    assert.deepEqual(asked, ["protocol_state=RCPT", "recipient=a@b.world", "size=7000", ""]);
    answer = "";
    await assert.rejects(ask(), /closed the connection/);
  } finally {
    await server.close();
    await rm(dir, { recursive: true });
  }
});
