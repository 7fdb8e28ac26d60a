import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Evidence, imvuUidBase } from "../../contract/index.ts";
import { ensureFolder, type Fqdn, type ImvuId, imvuNumberOf, type MailAddress, rfc3339, sleep } from "../../kernel/index.ts";
import type { MailParts } from "../parts.ts";
import { doveadm } from "../imap/doveadm.ts";
import { verifySignatures } from "../signing/dkim.ts";
import { type Reply, SmtpSession } from "../smtp/session.ts";
import { ATTRIBUTION_FIELD, parseAttribution } from "./attribution.ts";
import type { Account } from "./directory.ts";

/**
 * Gate 5 asked of the running servers, as a sender would. The probe logs in with an account of its own that lives for this one
 * question: it can send and nothing else, its password is random, what it sends goes to itself, is not metered, and is taken away.
 */
const PROBE_QUOTA_BYTES = 1024 * 1024;
const DELIVERY_TIMEOUT_MS = 10_000;
const DELIVERY_POLL_MS = 50;
const FOREIGN = "somebody@elsewhere.invalid";

/** What was asked, what should come, and what came. */
interface Question {
  readonly what: string;
  readonly reply: Reply;
}

export async function probeAttribution(parts: MailParts, imvu: ImvuId | undefined): Promise<Evidence> {
  const asked: Question[] = [];
  const relay = await askRelay(parts);
  asked.push({ what: "a stranger's relaying", reply: relay });
  const one = imvu ?? [...parts.directory.imvus()].sort()[0];
  const domain = one && parts.directory.domainsOf(one)[0];
  if (!one || !domain) return judge(asked, { verdict: "unproven", detail: `${imvu ?? "no IMVU"} has no mail domain to send from` });
  const account = await openProbeAccount(parts, one, domain);
  try {
    const sent = await askAsLogin(parts, account, asked);
    const refused = judge(asked, undefined);
    if (refused.verdict !== "holds") return refused;
    if (sent.code !== 250) return { verdict: "unproven", detail: `a rightful message was not taken: ${sent.code} ${sent.text}` };
    return await judgeMessage(parts, account, domain, /queued as ([0-9A-Za-z]+)/.exec(sent.text)?.[1] ?? "", refused.detail);
  } finally {
    // The log must be read while it is still known that this was a probe.
    await (await parts.journal()).drain();
    parts.directory.withdrawAccount(account.address);
    await rm(account.home, { recursive: true, force: true });
  }
}

async function askRelay({ site }: MailParts): Promise<Reply> {
  await using smtp = await SmtpSession.open(site.listenAddress, site.ports.smtp);
  await smtp.send("MAIL FROM:<stranger@elsewhere.invalid>");
  return await smtp.send(`RCPT TO:<${FOREIGN}>`);
}

async function openProbeAccount({ site, layout, directory }: MailParts, imvu: ImvuId, domain: Fqdn): Promise<Account & { readonly secret: string }> {
  const name = `probe-${randomBytes(8).toString("hex")}`;
  const secret = randomBytes(16).toString("hex");
  const uid = imvuUidBase(site, imvuNumberOf(imvu));
  const account = {
    address: `${name}@${domain}` as MailAddress,
    imvu,
    uid,
    home: join(layout.passing, name),
    password: `{PLAIN}${secret}`,
    quotaBytes: PROBE_QUOTA_BYTES,
    probe: true,
    secret,
  };
  await ensureFolder(account.home, 0o700, { uid, gid: uid });
  directory.announceAccount(account);
  return account;
}

/** Three things that must be refused, then one that must be taken; returns the answer to that one. */
async function askAsLogin({ site, layout, directory }: MailParts, account: Account & { readonly secret: string }, asked: Question[]): Promise<Reply> {
  const other = [...directory.imvus()].filter((imvu) => imvu !== account.imvu).flatMap((imvu) => directory.accountsOf(imvu))[0]?.address;
  const victim = other ?? directory.accountsOf(account.imvu)[0]?.address ?? FOREIGN;
  await using smtp = await SmtpSession.open(site.listenAddress, site.ports.submission);
  await smtp.startTls(await readFile(layout.certificate, "utf8"));
  const login = await smtp.login(account.address, account.secret);
  if (login.code !== 235) return login;
  for (const [what, sender] of [[`sending as ${victim}`, victim], [`sending as ${FOREIGN}`, FOREIGN], ["the null sender", ""]] as const) {
    await smtp.send(`MAIL FROM:<${sender}>`);
    asked.push({ what, reply: await smtp.send(`RCPT TO:<${account.address}>`) });
    await smtp.send("RSET");
  }
  const deliver = async (from: string) => {
    await smtp.send(`MAIL FROM:<${account.address}>`);
    await smtp.send(`RCPT TO:<${account.address}>`);
    const date = rfc3339(Date.now()).replace(/\.\d+Z$/, "Z");
    return await smtp.sendMessage(`From: <${from}>\r\nTo: <${account.address}>\r\nSubject: probe of gate 5 at ${date}\r\n${ATTRIBUTION_FIELD}: imvu=IMVU-999; mailbox=forged@elsewhere.invalid; queue=FORGED00\r\n\r\nprobe`);
  };
  asked.push({ what: `a From field of ${victim}`, reply: await deliver(victim) });
  return await deliver(account.address);
}

/** A refusal is a 5xx. A 4xx refuses too, but proves only that something is down. */
function judge(asked: readonly Question[], otherwise: Evidence | undefined): Evidence {
  const taken = asked.find(({ reply }) => reply.code < 400);
  if (taken) return { verdict: "broken", detail: `${taken.what} was answered ${taken.reply.code} ${taken.reply.text}` };
  const late = asked.find(({ reply }) => reply.code < 500);
  if (late) return { verdict: "unproven", detail: `${late.what} was only put off: ${late.reply.code} ${late.reply.text}` };
  return otherwise ?? { verdict: "holds", detail: `refused: ${asked.map(({ what, reply }) => `${what} (${reply.code})`).join(", ")}` };
}

async function judgeMessage(parts: MailParts, account: Account, domain: Fqdn, queueId: string, refused: string): Promise<Evidence> {
  const text = await waitForMessage(parts, account);
  if (text === undefined) return { verdict: "unproven", detail: `the probe's message ${queueId} was taken and not delivered within ${DELIVERY_TIMEOUT_MS} ms` };
  const head = text.slice(0, text.indexOf("\n\n"));
  const values = [...head.matchAll(new RegExp(`^${ATTRIBUTION_FIELD}:(.*(?:\\n[ \\t].*)*)`, "gim"))].map((match) => parseAttribution(match[1] as string));
  const [only] = values;
  if (values.length !== 1 || only?.imvu !== account.imvu || only.mailbox !== account.address || only.queueId !== queueId) {
    return { verdict: "broken", detail: `message ${queueId} of ${account.imvu} carries the attributions ${JSON.stringify(values)}` };
  }
  const keys = parts.keyring.resolver(parts.directory, undefined);
  const signatures = await verifySignatures(Buffer.from(text.replace(/\n/g, "\r\n"), "latin1"), parts.dns ?? keys);
  const good = signatures.filter((signature) => signature.passes && signature.domain === domain).map((signature) => signature.algorithm);
  if (!good.includes("rsa-sha256") || !good.includes("ed25519-sha256")) {
    return { verdict: "broken", detail: `message ${queueId} is not signed by ${domain} with both keys: ${signatures.map((one) => `${one.selector} ${one.detail}`).join(", ") || "no signature"}` };
  }
  const source = parts.dns ? "the keys that DNS answers" : "the keys in the home; no DNS resolver was given";
  return { verdict: "holds", detail: `${refused}; message ${queueId} is attributed to ${account.imvu} and its RSA and Ed25519 signatures verify with ${source}` };
}

async function waitForMessage({ layout }: MailParts, account: Account): Promise<string | undefined> {
  for (let waited_ms = 0; waited_ms < DELIVERY_TIMEOUT_MS; waited_ms += DELIVERY_POLL_MS) {
    const [text] = await doveadm(layout, account.address, ["fetch", "text", "mailbox", "INBOX", "ALL"]);
    if (text !== undefined) return text;
    await sleep(DELIVERY_POLL_MS);
  }
  return undefined;
}
