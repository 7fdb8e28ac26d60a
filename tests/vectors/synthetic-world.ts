import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { type Envelope, GIB, type Imvu, type MeterReading, type Op, type Reading, type ReadingSet, type ReadingSummary, RESOURCES, type Resource, type SignedCommand } from "../../src/contract/index.ts";
import { Account, type Correction, DEFAULT_PRICES_V1, PayoutBook, type PayoutMade, type PayoutSettled, type Invoice, type InvoiceForm, invoiceOf, parsePeriod, type Preceding, saleOf, settledData, split, type Statement, type StatementForm, statement, type Tariff, termsOf, usageLines } from "../../src/core/handshake/index.ts";
import { addApproval, type CommandFields, commandFields, type OpenedCommand, openCommand, type SigningKey, signCommand, signingKeyFromJwk } from "../../src/core/identity/index.ts";
import { noteSigner, signNote } from "../../src/core/ledger/pure.ts";
import { erasedWith, type Facts, isAllowed, isErasure, isSnapshotCommand, judge, type RegisteredKey, signatureFactsOf } from "../../src/core/policy-engine/index.ts";
import { BundleWriter, type FinishedBundle, REPORT_PATH, renderReport, writeIdentitySection, writeLedgerSection } from "../../src/imvu/export/index.ts";
import { type Currency, decimalText, EUR, type Fqdn, type IdentityName, imvuIdOf, type Json, type Jurisdiction, type KeyId, MONEY_DECIMALS, minorDecimals, money, parseDecimal, type ServiceName, type Sha256, sha256Hex, type TimeZone } from "../../src/kernel/index.ts";
import { BUYER, SELLER } from "../harness/invoices.ts";
import { SyntheticLog } from "./synthetic-log.ts";

export const IMVU = imvuIdOf(42);
export const LAW = sha256Hex("the law of this world");
export const BEGIN_MS = Date.UTC(2026, 10, 3, 9);
const MINUTE_MS = 60_000;
const OWNER = "creator-8891" as IdentityName;
const STRANGER = "workshop-17" as IdentityName;
const ENVELOPE: Envelope = { cpuMillis: 2_000, memoryBytes: 4 * GIB, storageBytes: 50 * GIB, iops: 100, bandwidthBps: 100_000_000, processes: 512, burst: null };
const DOCUMENT: Imvu = {
  id: IMVU, number: 42, name: "ArtGallery", slug: "artgallery", owner: OWNER, jurisdiction: "EU-GDPR" as Jurisdiction, status: "active", zone: "imvu042.world" as Fqdn,
  createdAt: new Date(BEGIN_MS).toISOString(), envelope: ENVELOPE, services: [{ name: "web" as ServiceName, source: { kind: "runtime", runtime: "static", content: sha256Hex("site") }, port: 8080, env: {} }],
  records: [], dkim: [], mailboxes: [], routes: [], members: [{ identity: OWNER, role: "owner" }],
};

/** What a dishonest platform may do while it writes its log; each hook leaves everything after it consistent. */
export interface Dishonesty {
  command?(record: Record<string, unknown>, op: Op): Record<string, unknown>;
  statement?(made: Statement): Statement;
  reading?(set: ReadingSet, at: number): ReadingSet;
  summary?(made: ReadingSummary): ReadingSummary;
  jws?(signed: SignedCommand, op: Op): SignedCommand;
  data?(data: Json, type: string): Json;
  /** Appends the accepted command a second time. */
  readonly replay?: boolean;
  /** Accepts the stranger's signature as live before his registration stands in the log. */
  readonly lateKey?: boolean;
  /** Takes a command of the key that gave way to another as if it were live still. */
  readonly oldKey?: boolean;
  /** Lets a recovery key command the IMVU. */
  readonly recoveryCommands?: boolean;
  /** Closes November twice. */
  readonly closedTwice?: boolean;
  /** The November statement knows so many readings fewer than it should. */
  readonly headBack?: number;
  /** Prices change, announced so many days ahead. */
  readonly noticeDays?: number;
  /** A body goes that nobody ordered erased; or the one that was ordered stays; or the order's outcome takes a reading along. */
  readonly erasure?: "unordered" | "standing" | "more";
  /** Books the same sale twice, pays more back than was sold, or corrects a month by nothing. */
  readonly sales?: "twice" | "more" | "nothing";
  correction?(made: Correction): Correction;
  /** December closes and nothing has corrected November. */
  readonly uncorrected?: boolean;
  /** Honest: November and its correction are invoiced. */
  readonly invoiced?: boolean;
  /** Honest where it never falls: what November's invoice and its correction's are written in. */
  readonly invoiceForms?: readonly [InvoiceForm, InvoiceForm];
  invoice?(made: Invoice): Invoice;
  /** Honest: a log from before there were sales. */
  readonly older?: boolean;
  /** Honest: the unit is captured, and a restore is refused because no capture is fresh. */
  readonly snapshots?: boolean;
  /** Honest: a counter was found to have fallen. */
  readonly drift?: boolean;
  /** In which form a month's statement is written; honest while none is older than the one before. */
  readonly forms?: Readonly<Record<string, StatementForm>>;
  /** Honest: the owner agreed to this clock. */
  readonly timeZone?: TimeZone;
  /** Honest: the owner agreed to this currency, and a tariff of it was published after the first. */
  readonly currency?: Currency;
  /** Honest: prices in this currency are published last, and are nothing to the unit. */
  readonly alsoPrices?: Currency;
  /** No tariff of it was. */
  readonly withoutPrices?: boolean;
  /** Statements cite the first tariff, whatever its currency. */
  readonly citesFirst?: boolean;
  /** A sale in this currency is accepted. */
  readonly sellsIn?: Currency;
  /** The platform closes months by another clock than was agreed. */
  readonly closesBy?: TimeZone;
  /** The unit's document says another clock. */
  readonly documentSays?: TimeZone;
  /** Prices for January are published on 1 December at 20:00, UTC: in time by UTC, and where clocks are ahead too late. */
  readonly lateInTheEast?: boolean;
  /** Honest when empty: the owner names an account, November is paid out, executed and returned, and paid out again; December's correction is carried forward. */
  readonly payouts?: {
    made?(data: PayoutMade): Json;
    settled?(data: PayoutSettled): Json;
    /** Executed a second time; or signed by a key that nobody registered; or paid although the account was withdrawn. */
    readonly lie?: "twice" | "nobody" | "withdrawn";
  };
  /** Honest: a reading is taken between drawing December's open statement and appending it. */
  readonly late?: boolean;
}

/** A tariff that does not name restricted routes prices them as other bytes. */
const { "network.restricted.in": _in, "network.restricted.out": _out, ...PRICES } = DEFAULT_PRICES_V1;
/** A million answers are included; CPU time has two further prices that November reaches, and one that it does not. */
const STEPPED = {
  prices: { "dns.answers": "0.000000000" },
  tiers: {
    "compute.cpu": [{ above: "2.000000000", price: "0.000001500" }, { above: "5.000000001", price: "0.000000500" }, { above: "1000.000000000", price: "0.000000100" }],
    "dns.answers": [{ above: "1000000", price: "0.000000200" }],
  },
} as const;

/** As if every unit cost what the first does, with the sums that follow. */
export function withoutSteps(made: Statement): Statement {
  const first = usageLines(Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, made.lines.reduce((sum, line) => (line.resource === resource ? sum + (parseDecimal(line.quantity, RESOURCES[resource].decimals) as bigint) : sum), 0n)])) as Record<Resource, bigint>, { prices: { ...PRICES, ...STEPPED.prices } });
  const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
  const gross = money(first.usage + ((parseDecimal(made.gross, MONEY_DECIMALS) as bigint) - (parseDecimal(made.usage ?? "0", MONEY_DECIMALS) as bigint)));
  const { creator, platform } = split(gross);
  return { ...made, lines: first.lines, usage: text(first.usage), gross: text(gross), creator: text(creator), platform: text(platform) };
}

/** As if there had been readings all the time. */
export function withoutGaps(made: Statement): Statement {
  return { ...made, flags: made.flags.filter(({ what }) => what !== "gap"), flagged: made.flags.filter(({ what }) => what !== "gap").length };
}

/** A tariff whose second step is not above its first. */
export function fallingSteps(data: Json, type: string): Json {
  return type === "platform.tariff" ? { ...(data as object), tiers: { "compute.cpu": [...STEPPED.tiers["compute.cpu"]].reverse() as unknown as Json } } as Json : data;
}

/** In the form of statements from before there were sales, and as if there were none: every other figure fits. */
export function withoutSales({ v: _v, usage, revenue: _r, payout: _p, ...made }: Statement): Statement {
  const gross = usage ?? made.gross;
  const { creator, platform } = split(money(parseDecimal(gross, MONEY_DECIMALS) as bigint));
  return { ...made, gross, creator: decimalText(creator, MONEY_DECIMALS), platform: decimalText(platform, MONEY_DECIMALS) };
}

/** A platform's short life in one log: two identities, an IMVU, commands accepted and refused, readings over two months, sales, a statement and its correction, an exit. */
export class SyntheticWorld {
  readonly log: SyntheticLog;
  readonly keys = new Map<string, SigningKey>();
  private readonly registered = new Map<KeyId, RegisteredKey & { readonly index: number }>();
  private readonly lies: Dishonesty;
  private readonly readings: { index: number; set: MeterReading }[] = [];
  private readonly account: Account;
  private readonly book = new PayoutBook(IMVU);
  private tariffIndex = 0;
  private billedAt = -1;
  private invoiced: Preceding | null = null;
  private there: Facts["erasure"] = null;
  tariff: Tariff;
  exit: { command: Sha256; index: number } = { command: sha256Hex(""), index: -1 };

  constructor(lies: Dishonesty = {}, origin = "test.nexus.example/log") {
    this.lies = lies;
    this.account = new Account(IMVU, termsOf({ timeZone: lies.closesBy ?? lies.timeZone, currency: lies.currency }));
    const { prices, ...steps } = STEPPED;
    const plain = { currency: "EUR", validFrom: new Date(BEGIN_MS).toISOString() } as const;
    this.tariff = lies.older ? { v: 1, ...plain, prices: DEFAULT_PRICES_V1 } : { v: 2, ...plain, prices: { ...PRICES, ...prices }, ...steps };
    this.log = new SyntheticLog(noteSigner(origin, privateKeyOf(`log ${origin}`)), BEGIN_MS);
    this.live();
  }

  private live(): void {
    this.append("platform", "platform.created", "platform", { origin: this.log.signer.name });
    this.append("platform", "platform.law", "platform", { law: LAW });
    this.tariffIndex = this.append("platform", "platform.tariff", "platform", this.tariff as unknown as Json).index;
    if (this.lies.currency !== undefined && !this.lies.withoutPrices) {
      const { index } = this.append("platform", "platform.tariff", "platform", { ...this.tariff, currency: this.lies.currency, validFrom: "2026-11-01T00:00:00.000Z" } as unknown as Json);
      if (!this.lies.citesFirst) [this.tariffIndex, this.tariff] = [index, { ...this.tariff, currency: this.lies.currency }];
    }
    if (this.lies.alsoPrices !== undefined) this.append("platform", "platform.tariff", "platform", { ...this.tariff, currency: this.lies.alsoPrices, validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } as unknown as Json);
    if (this.lies.noticeDays !== undefined) this.append("platform", "platform.tariff", "platform", { ...this.tariff, validFrom: new Date(this.log.now_ms + this.lies.noticeDays * 24 * 60 * MINUTE_MS).toISOString() } as unknown as Json);
    this.register(OWNER);
    const stranger = this.keyOf(STRANGER);
    if (this.lies.lateKey) this.registered.set(stranger.kid, { publicKey: stranger.publicKey, identity: STRANGER, status: "live", index: -1 });
    else this.register(STRANGER);
    const password = sha256Hex("a crypt(3) hash");
    this.command(OWNER, "imvu.create", null, { name: "ArtGallery", owner: OWNER, jurisdiction: "EU-GDPR", envelope: ENVELOPE as unknown as Json, runtime: "static", mailboxPasswordHash: password, ...(this.lies.timeZone === undefined ? {} : { timeZone: this.lies.timeZone }), ...(this.lies.currency === undefined ? {} : { currency: this.lies.currency }) });
    this.read(0n);
    this.command(OWNER, "dns.set", IMVU, { name: "www.imvu042.world", type: "A", ttl: 300, values: ["203.0.113.7"] });
    this.command(STRANGER, "dns.set", IMVU, { name: "www.imvu042.world", type: "A", ttl: 300, values: ["198.51.100.1"] });
    this.command("nobody-00", "dns.remove", IMVU, { name: "www.imvu042.world", type: "A" });
    this.log.now_ms = Date.UTC(2026, 10, 20);
    this.read(7_000_000_001n);
    this.command(OWNER, "imvu.scale", IMVU, { envelope: { ...ENVELOPE, cpuMillis: 4_000 } as unknown as Json });
    this.rotate(OWNER);
    this.command(`${OWNER} recovery`, "dns.remove", IMVU, { name: "www.imvu042.world", type: "A" });
    if (this.lies.drift) this.append(IMVU, "drift.found", "platform", { v: 1, imvu: IMVU, what: "counter-fell", at: new Date(BEGIN_MS).toISOString(), series: "dns.answers boot b1 epoch e1", was: "9", now: "4" });
    if (this.lies.snapshots) for (const [op, params] of [["imvu.snapshot.create", { label: null }], ["imvu.snapshot.restore", { id: "S1" }]] as const) this.command(OWNER, op, IMVU, params);
    this.command(OWNER, "consent.record", IMVU, { subject: "user-17", purpose: "newsletter", text: sha256Hex("the terms"), state: "given" });
    const recorded = this.log.all.length;
    const forgotten = this.command(OWNER, "consent.record", IMVU, { subject: "user-18", purpose: "newsletter", text: sha256Hex("the terms"), state: "given" });
    if (!this.lies.older) this.sell("order-17", "12.34", Date.UTC(2026, 10, 20));
    if (this.lies.sales === "twice") this.sell("order-17", "12.34", Date.UTC(2026, 10, 20));
    if (!this.lies.older) {
      this.log.now_ms = Date.UTC(2026, 10, 30, 23, 34);
      this.read(31_000_000_007n);
    }
    this.log.now_ms = Date.UTC(2026, 11, 1, 0, 1);
    if (this.lies.erasure !== "unordered") this.erase(forgotten, recorded);
    if (this.lies.erasure !== "standing") for (const index of [recorded, recorded + 1]) this.log.erased.add(index);
    if (this.lies.invoiced) {
      this.billedAt = this.log.all.length;
      this.command(OWNER, "imvu.billing.set", IMVU, JSON.parse(JSON.stringify(BUYER)) as CommandFields["params"]);
    }
    if (this.lies.older) this.read(31_000_000_007n);
    else this.summarise();
    if (this.lies.payouts) this.nameAccount("DE89370400440532013000");
    this.close("2026-11");
    if (this.lies.payouts) this.payOut(this.lies.payouts);
    if (this.lies.closedTwice) this.close("2026-11");
    if (!this.lies.older) this.sellLate();
    this.read(32_000_000_000n);
    this.close("2026-12");
    if (this.lies.lateInTheEast) {
      this.log.now_ms = Date.UTC(2026, 11, 1, 20);
      this.append("platform", "platform.tariff", "platform", { ...this.tariff, validFrom: "2027-01-01T00:00:00.000Z" } as unknown as Json);
    }
    const exit = this.command(OWNER, "imvu.exit", IMVU, { encryptTo: null }, false);
    this.exit = { command: exit.digest, index: this.log.all.length - 1 };
    if (this.lies.lateKey) {
      this.registered.delete(stranger.kid);
      this.register(STRANGER);
    }
  }

  keyOf(name: string): SigningKey {
    const known = this.keys.get(name);
    if (known) return known;
    const { d, x } = createPrivateKeyJwk(`identity ${name}`);
    const key = signingKeyFromJwk({ kty: "OKP", crv: "Ed25519", d, x });
    this.keys.set(name, key);
    return key;
  }

  private register(name: IdentityName): void {
    const [key, recovery] = [this.keyOf(name), this.keyOf(`${name} recovery`)];
    this.command(name, "identity.register", null, { name, publicKey: key.publicKey.text, recoveryKey: recovery.publicKey.text });
    const index = this.log.all.length - 2;
    this.registered.set(key.kid, { publicKey: key.publicKey, identity: name, status: "live", index });
    this.registered.set(recovery.kid, { publicKey: recovery.publicKey, identity: name, status: this.lies.recoveryCommands ? "live" : "recovery", index });
  }

  /** The name's old key gives way to another. */
  private rotate(name: IdentityName): void {
    const [old, next] = [this.keyOf(name), this.keyOf(`${name} next`)];
    this.command(name, "identity.key.rotate", null, { publicKey: next.publicKey.text }, true, [next]);
    if (!this.lies.oldKey) this.registered.set(old.kid, { ...(this.registered.get(old.kid) as RegisteredKey & { index: number }), status: "rotated" });
    this.registered.set(next.kid, { publicKey: next.publicKey, identity: name, status: "live", index: this.log.all.length - 2 });
    if (!this.lies.oldKey) this.keys.set(name, next);
  }

  /** The owner orders the body of his command at `index` erased, and its outcome's with it. */
  private erase(erased: OpenedCommand, index: number): void {
    const [commitment, outcome] = [index, index + 1].map((at) => this.log.all[at]?.leaf.toString("hex") as Sha256);
    this.there = { commitment: commitment as Sha256, kind: "consent", digest: erased.digest as Sha256, exp_ms: erased.command.exp, outcome: { index: index + 1, commitment: outcome as Sha256 }, earlier: 0 };
    this.command(OWNER, "imvu.erase", IMVU, { index, commitment: commitment as string, order: sha256Hex("a letter") });
  }

  private command(actor: string, op: Op, imvu: typeof IMVU | null, params: CommandFields["params"], outcome = true, more: readonly SigningKey[] = []): OpenedCommand {
    this.log.now_ms += MINUTE_MS;
    const nonce = createHash("sha256").update(`nonce ${this.log.all.length}`).digest().subarray(0, 16).toString("base64url");
    const honest = more.reduce(addApproval, signCommand(commandFields(op, imvu, params, this.log.now_ms, nonce), this.keyOf(actor)));
    const opened = openCommand(this.lies.jws?.(honest, op) ?? honest);
    if (!opened.ok) throw new TypeError(opened.message);
    const facts = this.facts(opened.value);
    const verdicts = judge(opened.value, facts);
    const accepted = isAllowed(verdicts);
    const record = { digest: opened.value.digest, jws: opened.value.signed, facts, verdicts, law: LAW, allocation: null };
    const data = (this.lies.command?.(record, op) ?? record) as unknown as Json;
    const identity = facts.signatures[0]?.identity ?? (op === "identity.register" ? (params.name as string) : "unknown");
    const stream = op.startsWith("identity.") ? identity : IMVU;
    const intent = this.append(stream, accepted ? "command.accepted" : "command.refused", identity, data);
    if (this.lies.replay && op === "dns.set" && accepted) this.append(stream, "command.accepted", identity, data);
    const sale = accepted ? saleOf(opened.value.command) : undefined;
    if (sale) this.account.book(sale, { index: intent.index, streamSeq: intent.streamSeq, time_ms: this.log.now_ms });
    if (accepted && outcome) this.append(stream, "effect.applied", "platform", { digest: opened.value.digest, intent: intent.index, op, imvu, learned: this.learned(opened.value, facts), observed: null });
    return opened.value;
  }

  private learned({ command }: OpenedCommand, facts: Facts): Json {
    if (!isErasure(command)) return null;
    const taken = erasedWith(command, facts) as { readonly command: Json; readonly erased: readonly Json[] };
    const [reading] = this.readings;
    const { index, leaf } = this.log.all[reading?.index ?? 0] as { index: number; leaf: Buffer };
    if (this.lies.erasure !== "more") return { ...taken };
    this.log.erased.add(index);
    return { ...taken, erased: [...taken.erased, { index, commitment: leaf.toString("hex") }] };
  }

  private facts(opened: OpenedCommand): Facts {
    const { command } = opened;
    const signatures = signatureFactsOf(opened, (kid) => this.registered.get(kid));
    const creating = command.op === "imvu.create";
    const signers = new Set(signatures.map(({ identity }) => identity));
    return {
      v: 1, now_ms: this.log.now_ms, suffix: "world" as Fqdn, signatures, nonceSeen: false,
      registration: command.op === "identity.register" || command.op === "identity.key.rotate" ? { nameTaken: false, keyTaken: false } : null,
      ...(command.op === "identity.register" ? { identity: null } : {}),
      ...(command.op === "identity.key.rotate" ? { identity: { name: OWNER, liveKeys: 1, keys: 1, recoveryKid: this.keyOf(`${OWNER} recovery`).kid, named: null, pendingSince_ms: null } } : {}),
      imvu: command.imvu === null ? null : {
        id: IMVU, owner: OWNER, jurisdiction: DOCUMENT.jurisdiction, status: "active", zone: DOCUMENT.zone, envelope: ENVELOPE, ...(this.moneyOf(command) === undefined ? {} : { currency: this.moneyOf(command) }),
        members: DOCUMENT.members.filter(({ identity }) => signers.has(identity)), counts: { services: 1, recordSets: 4, mailboxes: 1, routes: 1, members: DOCUMENT.members.length },
        mailQuotaBytes: GIB, named: { service: false, recordSet: false, mailbox: false, member: false, route: null },
      },
      ...(saleOf(command) ? { revenue: { known: null, left: command.op === "revenue.reverse" ? this.amountOf("12.35") : null, since_ms: BEGIN_MS } } : {}),
      ...(isSnapshotCommand(command) ? { snapshots: { count: 0, fresh: null, rested_ms: null } } : {}),
      consent: command.op === "consent.record" ? { state: "none", text: null } : null,
      ...(isErasure(command) ? { erasure: this.there ?? null } : {}),
      newZone: creating ? DOCUMENT.zone : null,
      zoneClaims: command.imvu === null ? [] : [{ zone: DOCUMENT.zone, imvu: IMVU }],
      node: { name: "node-1", jurisdictions: [DOCUMENT.jurisdiction], capacity: { cpuMillis: 64_000, memoryBytes: 256 * GIB, storageBytes: 4_096 * GIB }, allocated: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 } },
      used: command.imvu === null ? null : { memoryBytes: 1, storageBytes: 1, processes: 1, mailboxMessages: null },
      meters: Object.keys(RESOURCES) as Resource[],
      blobs: creating ? [{ digest: command.params.mailboxPasswordHash, readable: true, bytes: 60 }] : [],
      bundle: null, platform: { ledgerWritable: true, keyLoaded: true },
    };
  }

  /** A platform that takes a sale in another currency tells the gates what they want to hear. */
  private moneyOf(command: OpenedCommand["command"]): Currency | undefined {
    return saleOf(command) ? (this.lies.sellsIn ?? this.lies.currency) : this.lies.currency;
  }

  private amountOf(amount: string): string {
    const decimals = minorDecimals(this.lies.sellsIn ?? this.lies.currency ?? EUR);
    const [major = "", minor = ""] = amount.split(".");
    return decimals === 0 ? `${major}${minor}`.replace(/^0+(?=\d)/, "") : `${major}.${minor.padEnd(decimals, "0")}`;
  }

  private read(total: bigint): void {
    this.log.now_ms += MINUTE_MS;
    const readings = (Object.keys(RESOURCES) as Resource[]).map((resource): Reading => ({ resource, value: String(total), boot: "b1", epoch: "e1" }));
    const honest: ReadingSet = { imvu: IMVU, at: new Date(this.log.now_ms).toISOString(), readings };
    this.readings.push({ index: this.log.all.length, set: honest });
    this.append(IMVU, "meter.reading", "platform", (this.lies.reading?.(honest, this.readings.length) ?? honest) as unknown as Json);
  }

  /** Half an hour around the month's end in one entry: what counters said last before each quarter of an hour, and each level. */
  private summarise(): void {
    this.log.now_ms += MINUTE_MS;
    const values = Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, RESOURCES[resource].kind === "gauge" ? "31000000007 4000000001 17 5000000003" : "31000000008 31500000000 31700000000"]));
    const honest: ReadingSummary = {
      v: 2, imvu: IMVU, from: new Date(Date.UTC(2026, 10, 30, 23, 40)).toISOString(), at: new Date(this.log.now_ms).toISOString(),
      levels: [0, 10 * MINUTE_MS, 20 * MINUTE_MS - 1], counters: [5 * MINUTE_MS - 1, 20 * MINUTE_MS], lives: [{ boot: "b1", epoch: "e1", values }],
    };
    this.readings.push({ index: this.log.all.length, set: honest });
    this.append(IMVU, "meter.reading", "platform", (this.lies.summary?.(honest) ?? honest) as unknown as Json);
  }

  private sellLate(): void {
    this.sell("order-18", "0.01", Date.UTC(2026, 11, 1));
    this.sell("order-19", "5.55", Date.UTC(2026, 11, 1, 0, 0, 1));
    this.command(OWNER, "revenue.reverse", IMVU, { sourceId: "refund-17", reverses: "order-17", amount: this.amountOf(this.lies.sales === "more" ? "12.35" : "2.34"), currency: this.lies.sellsIn ?? this.lies.currency ?? EUR, at: "2026-11-30T12:00:00.000Z" });
    if (this.lies.uncorrected) this.log.now_ms = Date.UTC(2027, 0, 1, 0, 1);
    else this.correct("2026-11");
    if (this.lies.sales === "nothing") this.correct("2026-11");
  }

  private sell(sourceId: string, amount: string, at_ms: number): void {
    this.command(OWNER, "revenue.record", IMVU, { sourceId, amount: this.amountOf(amount), currency: this.lies.sellsIn ?? this.lies.currency ?? EUR, at: new Date(at_ms).toISOString() });
  }

  private correct(month: string): void {
    const head = this.log.all.filter(({ stream }) => stream === IMVU).at(-1);
    const made = head && this.account.correction(month, { streamSeq: head.streamSeq, sha256: head.leaf.toString("hex") });
    if (!made) throw new TypeError(month);
    const { index } = this.append(IMVU, "statement.corrected", "platform", (this.lies.correction?.(made) ?? made) as unknown as Json);
    this.account.correct(made, index);
    this.book.owe(made, index);
    this.bill(made, index);
  }

  private nameAccount(iban: string): void {
    const account = { holder: "Ada Lovelace", kind: "person", iban };
    const { command, digest } = this.command(OWNER, "imvu.payout.account", IMVU, { account });
    if (command.op === "imvu.payout.account") this.book.name(command.params.account, digest, this.log.all.length - 2);
    if (this.lies.payouts?.lie === "withdrawn") this.command(OWNER, "imvu.payout.account", IMVU, { account: null });
  }

  private payOut(lies: NonNullable<Dishonesty["payouts"]>): void {
    const create = () => {
      const due = this.book.due("EUR");
      if (!due) throw new TypeError("nothing is owed");
      const { index } = this.append(IMVU, "payout.created", "platform", lies.made?.(due) ?? (due as unknown as Json));
      this.book.create(due, index);
      return due.id;
    };
    const settle = (payout: string, op: "platform.payout.execute" | "platform.payout.return") => {
      this.log.now_ms += MINUTE_MS;
      const at = new Date(this.log.now_ms).toISOString();
      const params = { imvu: IMVU, payout, at, ...(op === "platform.payout.execute" ? { reference: "bank-17" } : { reason: "AC04 account closed" }) };
      const nonce = createHash("sha256").update(`nonce ${this.log.all.length}`).digest().subarray(0, 16).toString("base64url");
      const opened = openCommand(signCommand(commandFields(op, null, params, this.log.now_ms, nonce), this.keyOf(lies.lie === "nobody" ? "nobody-01" : STRANGER)));
      if (!opened.ok || (opened.value.command.op !== "platform.payout.execute" && opened.value.command.op !== "platform.payout.return")) throw new TypeError(op);
      const { type, data } = settledData(opened.value.command, opened.value.digest, opened.value.signed);
      const { index } = this.append(IMVU, type, "platform", lies.settled?.(data) ?? (data as unknown as Json));
      this.book.settle(payout, op === "platform.payout.execute" ? "executed" : "returned", opened.value.digest, index);
    };
    const first = create();
    settle(first, "platform.payout.execute");
    if (lies.lie === "twice") settle(first, "platform.payout.execute");
    settle(first, "platform.payout.return");
    create();
  }

  /** Between the owner and a seller whose own command stands in no bundle. */
  private bill(made: Statement | Correction, index: number): void {
    if (!this.lies.invoiced) return;
    const issued = new Date(this.log.now_ms).toISOString().slice(0, 10);
    const form = this.lies.invoiceForms?.[this.invoiced ? 1 : 0];
    const invoice = invoiceOf({ ...(form === undefined ? {} : { form }), imvu: IMVU, billed: { index, made }, seller: { index: 1, profile: SELLER }, buyer: { index: this.billedAt, profile: BUYER }, origin: this.log.signer.name, issued, sequence: this.invoiced ? 9 : 7, preceding: this.invoiced });
    if (!invoice) throw new TypeError("no share");
    this.invoiced = { number: invoice.number, issued };
    this.append(IMVU, "invoice.issued", "platform", (this.lies.invoice?.(JSON.parse(JSON.stringify(invoice)) as Invoice) ?? invoice) as unknown as Json);
  }

  private close(name: string): void {
    const terms = termsOf({ timeZone: this.lies.closesBy ?? this.lies.timeZone, currency: this.lies.currency });
    const period = parsePeriod(name, terms.timeZone);
    if (!period.ok) throw new TypeError(name);
    const closed = this.log.now_ms >= period.value.end_ms;
    const readings = this.readings.slice(0, this.readings.length - (closed ? (this.lies.headBack ?? 0) : 0));
    const stream = this.log.all.filter((entry) => entry.stream === IMVU);
    const known = this.lies.headBack && closed ? stream.filter(({ index }) => index < (this.readings.at(-1)?.index ?? 0)) : stream;
    const head = known.at(-1);
    const made = statement({
      terms, imvu: IMVU, period: period.value, tariff: { index: this.tariffIndex, tariff: this.tariff }, readings,
      streamHead: head ? { streamSeq: head.streamSeq, sha256: head.leaf.toString("hex") } : null, closed,
      ...(this.lies.older ? {} : { revenue: this.account.revenue(name, head?.streamSeq ?? -1) }), form: this.lies.older ? 1 : (this.lies.forms?.[name] ?? 3),
    });
    if (this.lies.late && !closed) this.read(33_000_000_000n);
    const { index } = this.append(IMVU, "statement.closed", "platform", (this.lies.statement?.(made) ?? made) as unknown as Json);
    if (closed) this.account.close(made, index);
    if (closed) this.book.owe(made, index);
    if (closed) this.bill(made, index);
  }

  private append(stream: string, type: Parameters<SyntheticLog["append"]>[0]["type"], actor: string, data: Json) {
    const plain = JSON.parse(JSON.stringify(data)) as Json;
    return this.log.append({ stream, type, actor, data: this.lies.data?.(plain, type) ?? plain });
  }

  async identityEntriesOf(kids: readonly string[]): Promise<readonly number[]> {
    const names = new Set(kids.map((kid) => this.registered.get(kid as KeyId)?.identity));
    return [...this.registered.values()].filter(({ identity }) => names.has(identity)).map(({ index }) => index);
  }

  readonly sign = (text: string): string => signNote(text, [this.log.signer]);

  /** The bundle as an export writes it, with a file or two for each section. */
  async writeBundle(dir: string, verifier: string): Promise<FinishedBundle> {
    const writer = await BundleWriter.create(dir);
    const createdAt = new Date(this.log.now_ms).toISOString();
    const held = [...this.registered.values()].filter(({ status }) => status !== "recovery");
    const keys = held.map(({ publicKey, identity, status, index }) => ({ identity, kid: publicKey.kid, publicKey: publicKey.text, status: status as "live" | "rotated", registered: index, ended: status === "live" ? null : index }));
    const [timeZone, currency] = [this.lies.documentSays ?? this.lies.timeZone, this.lies.currency];
    await writeIdentitySection(writer, { ...DOCUMENT, ...(timeZone === undefined ? {} : { timeZone }), ...(currency === undefined ? {} : { currency }) }, keys);
    await writer.file("domains/zones/imvu042.world.zone", "$ORIGIN imvu042.world.\n@ 3600 IN SOA ns.world. hostmaster.world. 1 7200 3600 1209600 300\n");
    await writer.file("mail/mailboxes/hello@imvu042.world/INBOX.mbox", "From a@b Tue Nov  3 09:00:00 2026\nSubject: one\n\nbody\n");
    await writer.file("compute/volumes/web.tar.zst", Buffer.from([40, 181, 47, 253, 0, 1, 2, 3]));
    await writer.file("verify.mjs", verifier);
    const jurisdiction = { imvu: IMVU, declared: DOCUMENT.jurisdiction, nodes: [{ name: "node-1", jurisdictions: [DOCUMENT.jurisdiction] }] };
    const ledger = await writeLedgerSection(writer, { imvu: IMVU, ledger: this.log, through: this.exit.index, identityEntriesOf: (kids) => this.identityEntriesOf(kids), jurisdiction });
    writer.omit("compute/vms", "the IMVU has no virtual machine");
    await writer.file(REPORT_PATH, renderReport({ imvu: DOCUMENT, createdAt, ledger, logKey: this.log.verifierKey, ...writer.contents() }));
    return await writer.finish({ imvu: IMVU, createdAt, toolVersion: "0.1.0", ledger, exit: this.exit, sign: this.sign });
  }
}

/** The same keys in every run: RFC 8410 PKCS #8 around 32 bytes that a name gives. */
function privateKeyOf(name: string): KeyObject {
  const seed = createHash("sha256").update(name).digest();
  return createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]), format: "der", type: "pkcs8" });
}

function createPrivateKeyJwk(name: string): { d: string; x: string } {
  const { d, x } = privateKeyOf(name).export({ format: "jwk" });
  if (d === undefined || x === undefined) throw new TypeError(name);
  return { d, x };
}

