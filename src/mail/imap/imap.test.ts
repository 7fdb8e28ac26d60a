import assert from "node:assert/strict";
import test from "node:test";
import type { ImvuId, MailAddress } from "../../kernel/index.ts";
import { Directory } from "../identity-binding/directory.ts";
import { layoutOf } from "../layout.ts";
import { answerDict } from "./dict.ts";
import { renderDictAuthConf, renderDovecotConf } from "./dovecot-conf.ts";

const layout = layoutOf({ dir: "/home/x" });

test("dovecot.conf: in the home, TLS before passwords, mail synced", () => {
  const text = renderDovecotConf({ layout, homeId: "abc123", hostname: "mail.world", listenAddress: "127.0.0.1", ports: { imap: 2143, imaps: 2993 } });
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
