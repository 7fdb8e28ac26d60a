import assert from "node:assert/strict";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { type Called, Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { readMailbox } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { plainEnvironment, run } from "../../src/kernel/index.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";
import { PROFILE, TOKEN, WiseServer } from "../harness/wise-server.ts";

const IBAN = "DE89 3704 0044 0532 0130 00";
const OTHER = "FR14 2004 1010 0505 0001 3M02 606";

/** The instant a little after so many months have ended, as a distance from now. */
function afterMonths(months: number): number {
  const now = new Date();
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1, 0, 0, 30) - now.getTime();
}

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
/** How far everybody's clock is ahead: the platform's, and that of who signs. */
const clock = { ahead_ms: 0, now: () => Date.now() + clock.ahead_ms };

/** The command line on a machine whose clock is as far ahead as the platform's. */
class TurnedCaller extends Caller {
  private readonly origin: string | undefined;

  constructor(home: string, origin?: string) {
    super(home, origin);
    this.origin = origin;
  }

  override async call(...args: string[]): Promise<Called> {
    const turned = `const D = Date; globalThis.Date = class extends D { constructor(...of) { if (of.length === 0) super(D.now() + ${clock.ahead_ms}); else super(...of); } static now() { return D.now() + ${clock.ahead_ms}; } };`;
    const { NODE_COMPILE_CACHE } = process.env;
    const env = plainEnvironment({ NEXUS_HOME: this.home, ...(this.origin === undefined ? {} : { NEXUS_PLATFORM: this.origin }), ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) });
    const ran = await run([process.execPath, "--import", `data:text/javascript,${encodeURIComponent(turned)}`, MAIN, "--json", "--no-input", ...args], { env, timeout_ms: 300_000 });
    const text = ran.stdout.toString("utf8");
    return { code: ran.code, printed: text.trim() === "" ? undefined : JSON.parse(text), said: ran.stderr, ms: 0 };
  }
}

/** A month is closed by turning clocks: everything else – commands, gates, files, the provider's HTTP – is what it is. */
test("payouts: an account, what is owed, a file for the bank, a provider, and what comes back", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "np-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const platformHome = join(root, "p");
  await using wise = await WiseServer.start();
  try {
    const home = await openHome(platformHome, { cacheDir, create: true, checkPorts: true });
    const said: string[] = [];
    const start = () => startPlatform(home, (line) => void said.push(line), { clock });
    let platform = await start();
    const at = async (name: string) => {
      await mkdir(join(root, name), { mode: 0o711 });
      const call = new TurnedCaller(join(root, name), platform.apiOrigin);
      await call.ok("identity", "create", name);
      await call.ok("identity", "register");
      return call;
    };
    try {
      const [owner, maintainer, stranger] = [await at("creator-8891"), await at("creator-7702"), await at("creator-6613")];
      const operator = new TurnedCaller(platformHome);
      const unit: Printed = await owner.ok("imvu", "create", "--name", "ArtGallery", "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25");
      const of = ["--imvu-id", unit.imvu.id] as const;
      await owner.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "maintainer");
      const first = `${unit.imvu.id}-1`;
      const states = async (): Promise<string[]> => (await owner.ok("payout", "list", ...of)).payouts.map(({ id, amount, state }: Printed) => `${id} ${amount} ${state}`);
      /** This month is over: the platform starts after it, closes it, and pays out. */
      const monthLater = async (): Promise<void> => {
        await platform.stop();
        clock.ahead_ms = afterMonths(1);
        platform = await start();
        await untilThereAre(1);
      };
      /** The platform's own word first: to ask again and again by the command line would take the processor from whoever works beside. */
      const untilThereAre = async (many: number): Promise<void> => {
        await eventually(`${many} payouts`, 90_000, async () => (said.filter((line) => / payout .* is created$/.test(line)).length >= many ? true : undefined));
        assert.equal((await states()).length, many);
      };

      await t.test("the account is the owner's word alone, and she is written to", async () => {
        const set = (iban = IBAN) => ["payout", "account", ...of, "--holder", "Ada Lovelace", "--iban", iban];
        await maintainer.refused(3, /^GATE_14_NOT_THE_OWNERS_WILL$/, ...set());
        await stranger.refused(3, /^GATE_14_NOT_THE_OWNERS_WILL$/, ...set());
        // With the operator's own key, as an identity like every other.
        await cp(join(platformHome, "platform/operators"), join(platformHome, "identities"), { recursive: true });
        await operator.refused(3, /^GATE_14_NOT_THE_OWNERS_WILL$/, ...set());
        await owner.refused(2, /^USAGE$/, ...set("DE89 3704 0044 0532 0130 01"));
        await owner.refused(2, /^USAGE$/, "payout", "account", ...of, "--holder", "Ada Lovelace");
        await owner.refused(2, /^USAGE$/, "payout", "account", ...of, "--withdraw", "--iban", IBAN);
        assert.equal((await owner.ok("payout", "account", ...of)).account, null);
        await owner.ok(...set());
        assert.equal((await owner.ok("payout", "account", ...of)).account.iban, IBAN.replaceAll(" ", ""));
        await maintainer.refused(4, /^NO_SUCH_IMVU$/, "payout", "list", ...of);
        await owner.refused(4, /^NOT_AN_OPERATOR$/, "payout", "list");
        const password = (await readFile(unit.mail.passwordFile, "utf8")).trim();
        const login = { address: unit.mail.address, password, ca: (await readFile((await operator.ok("status")).platform.caFile, "utf8")), servername: unit.mail.servername };
        const notice = await eventually("the notice", 30_000, async () => (await readMailbox(unit.mail.imap, login)).find(({ subject }) => subject === `${unit.imvu.id}: where your money goes was changed`));
        assert.ok(!JSON.stringify(notice).includes("3704"), "of the account number only its end");
        assert.ok(notice.source.replaceAll(/=\r?\n/g, "").includes(`nexus payout account --imvu-id ${unit.imvu.id} --holder NAME --iban IBAN`), "what to type names an account again");
      });

      await t.test("what a month pays is a payout, and its file is the bank's", async () => {
        await owner.ok("revenue", "record", ...of, "--source-id", "order-1", "--amount", "1000.00");
        assert.deepEqual((await operator.ok("payout", "file", "--out", join(root, "none.xml"), "--from-name", "Nexus", "--from-iban", OTHER)).payouts, []);
        await monthLater();
        const [{ amount, account }] = (await owner.ok("payout", "list", ...of)).payouts;
        assert.match(amount, /^55\d\.\d\d$/);
        assert.equal(account.iban, IBAN.replaceAll(" ", ""));
        const out = join(root, "payouts.xml");
        const file = ["payout", "file", "--out", out, "--from-name", "Nexus Süd", "--from-iban", OTHER, "--csv"];
        await owner.refused(4, /^NOT_AN_OPERATOR$/, ...file);
        await operator.refused(2, /^USAGE$/, ...file, "--execution-date", "2026-02-30");
        await operator.refused(2, /^USAGE$/, ...file.map((one) => (one === out ? join(root, "payouts.csv") : one)));
        await operator.refused(2, /^BAD_CURRENCY$/, ...file, "--currency", "euro");
        assert.deepEqual((await operator.ok(...file, "--currency", "JPY")).payouts, [], "none is in yen, and no file is written");
        const written = await operator.ok(...file, "--currency", "EUR");
        assert.deepEqual(written.payouts, [{ id: first, amount, currency: "EUR" }]);
        const xml = await readFile(out, "utf8");
        for (const part of [`<EndToEndId>${first}<`, `<InstdAmt Ccy="EUR">${amount}<`, `<CtrlSum>${amount}<`, "<Nm>Nexus Sud<", `<IBAN>${IBAN.replaceAll(" ", "")}<`]) assert.ok(xml.includes(part), part);
        assert.match(await readFile(written.csv, "utf8"), new RegExp(`^id,.*\r\n${first},`));
        assert.equal((await stat(out)).mode & 0o777, 0o600);
        await operator.refused(2, /^USAGE$/, ...file);
      });

      await t.test("what became of it is the operators' word, each step once, and names no amount", async () => {
        const executed = ["payout", "executed", first, "--reference", "bank-17"];
        await owner.refused(3, /^GATE_01_NOT_AN_OPERATOR$/, ...executed);
        await operator.refused(3, /^GATE_06_PAYOUT_UNKNOWN$/, "payout", "executed", `${unit.imvu.id}-9`, "--reference", "bank-17");
        await operator.refused(2, /^USAGE$/, "payout", "executed", "x", "--reference", "bank-17");
        await operator.refused(3, /^GATE_06_PAYOUT_AHEAD$/, ...executed, "--at", "2099-01-01");
        await operator.ok(...executed);
        await operator.refused(3, /^GATE_06_PAYOUT_STATE$/, ...executed);
        assert.match((await states()).join(), / executed$/);
        await operator.ok("payout", "returned", first, "--reason", "AC04 account closed");
        await operator.refused(3, /^GATE_06_PAYOUT_STATE$/, "payout", "returned", first, "--reason", "again");
        await operator.refused(3, /^GATE_06_PAYOUT_STATE$/, ...executed);
        await owner.ok("payout", "account", ...of, "--holder", "Ada Lovelace", "--iban", OTHER);
        // Owed again, it is a payout again, to the new account, within a minute.
        await untilThereAre(2);
        const [, second] = (await owner.ok("payout", "list", ...of)).payouts;
        assert.deepEqual([second.state, second.account.iban], ["created", OTHER.replaceAll(" ", "")]);
      });

      await t.test("a provider pays it once, whatever is lost between; what it gives back is owed again", async () => {
        const token = join(root, "token");
        await writeFile(token, `${TOKEN}\n`, { mode: 0o644 });
        await chmod(token, 0o644);
        const by = (verb: string) => ["payout", verb, "--provider", "wise", "--token-file", token, "--profile", String(PROFILE), "--url", wise.url];
        await operator.refused(2, /^BAD_TOKEN_FILE$/, ...by("send"));
        await chmod(token, 0o600);
        await owner.refused(4, /^NOT_AN_OPERATOR$/, ...by("send"));
        wise.rich = false;
        await operator.refused(6, /^PAYMENT_REJECTED$/, ...by("send"));
        assert.match((await states())[1] ?? "", / created$/);
        wise.rich = true;
        // A crash between payment and word: the provider has the money, and the log has not heard of it.
        const [transfer] = [...wise.transfers.values()];
        assert.ok(transfer);
        transfer.status = "processing";
        transfer.funded += 1;
        const { sent } = await operator.ok(...by("send"));
        assert.deepEqual([sent.length, sent[0].reference, wise.transfers.size, transfer.funded], [1, `wise:${transfer.id}`, 1, 1]);
        assert.equal(wise.recipients.get(transfer.targetAccount)?.iban, OTHER.replaceAll(" ", ""));
        assert.deepEqual((await operator.ok(...by("send"))).sent, []);
        assert.match((await states())[1] ?? "", / executed$/);
        assert.deepEqual((await operator.ok(...by("check"))).checked.map(({ state }: Printed) => state), ["underway"]);
        transfer.status = "funds_refunded";
        assert.deepEqual((await operator.ok(...by("check"))).checked.map(({ state }: Printed) => state), ["returned"]);
        assert.match((await states())[1] ?? "", / returned$/);
        assert.deepEqual(wise.wrong, []);
      });

      await t.test("where there are two operators one alone pays nothing", async () => {
        // Owed again, by what the provider gave back; a platform that starts finds it as one that runs did.
        await platform.stop();
        platform = await start();
        await untilThereAre(3);
        await operator.ok("operator", "add", "creator-6613");
        const third = `${unit.imvu.id}-3`;
        await operator.refused(3, /^GATE_01_SECOND_OPERATOR_MISSING$/, "payout", "send", "--provider", "wise", "--token-file", join(root, "token"), "--profile", String(PROFILE), "--url", wise.url);
        assert.equal(wise.transfers.size, 1);
        const { digest } = await operator.refused(3, /^GATE_01_SECOND_OPERATOR_MISSING$/, "payout", "executed", third, "--reference", "bank-18");
        await stranger.ok("imvu", "approve", digest);
        assert.match((await states())[2] ?? "", / executed$/);
      });

      await t.test("all of it is what the log tells, and leaves with the unit for anybody to verify", async () => {
        const revenue = await operator.ok("verify", "revenue");
        assert.deepEqual([revenue.ok, revenue.payouts, revenue.journal.unbalanced], [true, 3, 0]);
        assert.equal((await operator.ok("ledger", "replay", "--check")).ok, true);
        const exit = await owner.ok("imvu", "exit", ...of, "--export-path", join(root, "exit"));
        const verified = await owner.ok("verify-export", exit.path);
        assert.equal(verified.ok, true, JSON.stringify(verified.failures));
        const events = await readFile(join(exit.path, "ledger/events.jsonl"), "utf8");
        assert.deepEqual([...events.matchAll(/"type":"payout\.(\w+)"/g)].map(([, type]) => type), ["created", "executed", "returned", "created", "executed", "returned", "created", "executed"]);
      });
    } finally {
      await platform.stop();
    }
  } finally {
    await down(platformHome, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
