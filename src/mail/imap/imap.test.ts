import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { ImvuId, MailAddress } from "../../kernel/index.ts";
import { Directory } from "../identity-binding/directory.ts";
import { layoutOf } from "../layout.ts";
import { answerDict } from "./dict.ts";
import { renderDictAuthConf, renderDovecotConf } from "./dovecot-conf.ts";
import { quotaBytesOf, quotaRule } from "./quota.ts";

const layout = layoutOf({ dir: "/home/x" });

const text = renderDovecotConf({ layout, homeId: "abc123", hostname: "mail.world", listenAddress: "127.0.0.1", ports: { imap: 2143, imaps: 2993 } });

test("both files are, line for line, the ones the contract tests ran with", async () => {
  const golden = (name: string) => readFile(join(import.meta.dirname, "golden", name), "utf8");
  assert.equal(text, await golden("dovecot.conf"));
  assert.equal(renderDictAuthConf(layout), await golden("dict-auth.conf"));
});

test("dovecot.conf: in the home, TLS before passwords, mail synced", () => {
  for (const line of ["base_dir = /home/x/mail/run/d", "state_dir = /home/x/mail/state", "instance_name = nxabc123", "ssl = required", "disable_plaintext_auth = yes", "mail_fsync = always", "listen = 127.0.0.1", "auth_cache_size = 0"]) {
    assert.ok(text.split("\n").includes(line), line);
  }
  assert.match(text, /port = 2143\n[\s\S]*port = 2993\n\s+ssl = yes/);
  assert.doesNotMatch(text, /\/(etc|var)\//);
  assert.match(renderDictAuthConf(layout), /^uri = proxy:\/home\/x\/mail\/run\/dict\.sock:auth\n/);
});

test("dict: a password is answered only for what the login may be used for", () => {
  const directory = new Directory();
  const account = { address: "hello@imvu001.world" as MailAddress, imvu: "IMVU-001" as ImvuId, uid: 1_000_065_536, home: "/b", password: "{PBKDF2}x", quotaBytes: 5, probe: false };
  directory.announceAccount(account);
  directory.announceAccount({ ...account, address: "probe-1@imvu001.world" as MailAddress, probe: true });
  directory.expect("late@imvu003.world" as MailAddress, "IMVU-003" as ImvuId);
  const ask = (key: string) => answerDict(directory, `Lshared/${key}\tuser`);
  const password = `O${JSON.stringify({ password: "{PBKDF2}x" })}`;
  assert.equal(ask("passdb/imap/TLS/hello@imvu001.world"), password);
  assert.equal(ask("passdb/smtp/secured/hello@imvu001.world"), password);
  for (const where of ["imap/secured", "imap/", "smtp/", "lmtp/"]) assert.equal(ask(`passdb/${where}/hello@imvu001.world`), "N", where);
  assert.equal(ask("passdb/smtp/secured/probe-1@imvu001.world"), password);
  assert.equal(ask("passdb/imap/TLS/probe-1@imvu001.world"), "N");
  assert.equal(ask("userdb/Hello@imvu001.world"), `O${JSON.stringify({ uid: 1_000_065_536, gid: 1_000_065_536, home: "/b", quota_rule: "*:bytes=5" })}`);
  assert.equal(ask("userdb/ghost@imvu001.world"), "N");
  assert.match(ask("userdb/late@imvu003.world") ?? "", /^F/);
  assert.match(ask("priv/x") ?? "", /^F/);
  assert.match(answerDict(directory, "Lpriv/userdb/hello@imvu001.world") ?? "", /^F/);
  assert.match(answerDict(directory, "S1\tx\ty") ?? "", /^F/);
  assert.equal(answerDict(directory, "H3\t2\t0\t\tauth"), undefined);
});

test("quota: the rule is read back as it was written, and no other rule has bytes", () => {
  for (const bytes of [0, 1, 6_000, 8 * 1024 ** 3, Number.MAX_SAFE_INTEGER]) assert.equal(quotaBytesOf(quotaRule(bytes)), bytes);
  assert.equal(quotaRule(1_048_576), "*:bytes=1048576");
  for (const odd of [undefined, "", "*:storage=5", "*:bytes=5M", "*:bytes=-5", "*:bytes=5:messages=1", "Trash:bytes=5", "*:bytes=90071992547409920"]) assert.equal(quotaBytesOf(odd), undefined, odd);
});
