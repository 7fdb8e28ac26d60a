import assert from "node:assert/strict";
import test from "node:test";
import { parseMailLogLine } from "./mail-log.ts";

const HEAD = "Nov 23 07:40:58 mail postfix/lmtp[24865]: 4jXyY61yhBzJKTd: to=<hello@imvu001.world>,";
const TAIL = "relay=mail.world[/tmp/nx/mail/run/d/lmtp], delay=0.34, delays=0.11/0.01/0.06/0.16, dsn=2.0.0, status=sent (250 2.0.0 <hello@imvu001.world> Saved)";

test("deliveries and removals are seen", () => {
  const delivered = { is: "delivered", by: "lmtp", queueId: "4jXyY61yhBzJKTd", recipient: "hello@imvu001.world" };
  assert.deepEqual(parseMailLogLine(`${HEAD} ${TAIL}`), delivered);
  assert.deepEqual(parseMailLogLine(`${HEAD} orig_to=<x@imvu001.world>, ${TAIL.replace("delay=", "conn_use=2, delay=")}`), delivered);
  assert.deepEqual(parseMailLogLine("Nov  3 07:40:58 mail postfix/smtp[1]: 4jXyY61yhBzJKTd: to=<A@Elsewhere.example>, relay=127.0.0.1[127.0.0.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"), {
    is: "delivered",
    by: "smtp",
    queueId: "4jXyY61yhBzJKTd",
    recipient: "a@elsewhere.example",
  });
  assert.deepEqual(parseMailLogLine("Nov 23 07:40:58 mail postfix/qmgr[24842]: 4jXyY61yhBzJKTd: removed"), { is: "removed", queueId: "4jXyY61yhBzJKTd" });
});

test("nothing a stranger can write counts as a delivery", () => {
  const not = [
    `${HEAD} relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect: status=sent (250 ok))`,
    `${HEAD} relay=x[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host said: 550 dsn=2.0.0, status=sent (250 )`,
    `Nov 23 07:40:58 mail postfix/smtp[1]: 4jXyY61yhBzJKTd: to=<"a>, ${TAIL}"@x.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (x)`.replace('<"a>', '<"a@b'),
    `Nov 23 07:40:58 mail postfix/cleanup[1]: 4jXyY61yhBzJKTd: message-id=<to=<hello@imvu001.world>, ${TAIL}>`,
    `Nov 23 07:40:58 mail postfix/smtpd[1]: warning: ${HEAD} ${TAIL}`,
    `${HEAD} ${TAIL.replace("dsn=2.0.0", "dsn=5.0.0")}`,
    `${HEAD} ${TAIL.replace("status=sent", "status=bounced")}`,
    "Nov 23 07:40:58 mail postfix/qmgr[24842]: 4jXyY61yhBzJKTd: removed by hand",
    "",
  ];
  for (const line of not) assert.equal(parseMailLogLine(line), undefined, line);
});
