import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Fault } from "../../kernel/index.ts";
import { layoutOf } from "../layout.ts";
import { renderMainCf } from "./main-cf.ts";
import { renderMasterCf } from "./master-cf.ts";

const layout = layoutOf({ dir: "/home/x" });
const settings = { layout, hostname: "mail.world", listenAddress: "127.0.0.1", smarthost: null, ports: { smtp: 2025, submission: 2587, submissions: 2465 } };

test("main.cf and master.cf are, line for line, the ones the contract tests ran with", async () => {
  const golden = (name: string) => readFile(join(import.meta.dirname, "golden", name), "utf8");
  assert.equal(renderMainCf(settings), await golden("main.cf"));
  assert.equal(renderMasterCf(settings), await golden("master.cf"));
});

test("main.cf: everything in the home, nothing local, fail closed", () => {
  const lines = new Map(renderMainCf(settings).trimEnd().split("\n").map((line) => [line.slice(0, line.indexOf(" =")), line.slice(line.indexOf(" =") + 2).trim()]));
  const is = (name: string, value: string) => assert.equal(lines.get(name), value, name);
  is("queue_directory", "/home/x/mail/queue");
  is("data_directory", "/home/x/mail/data");
  is("maillog_file", "/home/x/log/mail.log");
  is("maillog_file_prefixes", "/home/x/log");
  for (const name of ["mydestination", "mynetworks", "alias_maps", "alias_database", "local_recipient_maps", "virtual_alias_maps"]) is(name, "");
  is("inet_interfaces", "127.0.0.1");
  is("smtp_bind_address", "0.0.0.0");
  is("smtpd_relay_restrictions", "reject_unauth_destination");
  is("milter_default_action", "tempfail");
  is("smtpd_policy_service_default_action", "451 4.3.5 policy unavailable");
  is("smtpd_milters", "unix:/home/x/mail/run/milter.sock");
  is("virtual_mailbox_domains", "socketmap:unix:/home/x/mail/run/map.sock:domains");
  is("smtpd_tls_auth_only", "yes");
  is("enable_long_queue_ids", "yes");
  assert.equal(lines.has("relayhost"), false);
  for (const value of lines.values()) assert.doesNotMatch(value, /\/(etc|var)\//);
  assert.match(renderMainCf({ ...settings, smarthost: "[192.0.2.1]:25" }), /^relayhost = \[192\.0\.2\.1\]:25$/m);
  assert.throws(() => renderMainCf({ ...settings, hostname: "x\nmynetworks = 0.0.0.0/0" }), TypeError);
});

test("master.cf: three listeners on the home's address, no pickup, chroot nowhere, TLS before AUTH", () => {
  const text = renderMasterCf(settings);
  const services = text.split("\n").filter((line) => line !== "" && !line.startsWith(" "));
  assert.deepEqual(services.filter((line) => line.includes(" inet ")).map((line) => line.split(" ")[0]), ["127.0.0.1:2025", "127.0.0.1:2587", "127.0.0.1:2465"]);
  for (const line of services) assert.equal(line.split(" ")[4], "n", line);
  assert.ok(!services.some((line) => line.startsWith("pickup")));
  const submission = text.slice(text.indexOf("127.0.0.1:2587"), text.indexOf("127.0.0.1:2465"));
  for (const option of ["smtpd_tls_security_level=encrypt", "smtpd_sender_restrictions=reject_sender_login_mismatch", "smtpd_client_restrictions=permit_sasl_authenticated,reject"]) assert.ok(submission.includes(`-o ${option}\n`), option);
  const port25 = text.slice(0, text.indexOf("127.0.0.1:2587"));
  assert.ok(port25.includes("-o smtpd_sasl_exceptions_networks=static:all\n"));
  assert.ok(!port25.includes("permit_sasl"));
  assert.match(renderMasterCf({ ...settings, listenAddress: "::1" }), /^\[::1\]:2025 inet/);
});

test("a home whose path the engines cannot be told is refused by name", () => {
  for (const dir of ["/home/with space", "/home/$x", "/home/x\ny", "/home/{a}", "relative", `/${"x".repeat(90)}`]) assert.throws(() => layoutOf({ dir }), (error: unknown) => error instanceof Fault && error.code === "MAIL_PATH", dir);
  assert.ok(layoutOf({ dir: `/${"x".repeat(59)}` }));
});
