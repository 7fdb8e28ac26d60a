import { chainFlaw, Erasures, openCheckpoint, parseVerifierKey, type StreamHead } from "../core/ledger/pure.ts";
import { inspectBundle } from "./bundle/inspect.ts";
import type { Manifest } from "./bundle/manifest.ts";
import { BUNDLE_LIMITS, type BundleLimits } from "./bundle/unpack.ts";
import { CommandCheck } from "./commands.ts";
import { DerivedCheck } from "./derived-check.ts";
import { entryTexts, parseLine, readEntries } from "./entry-reader.ts";
import { Counter, Failures, type Failure, type Tally } from "./failures.ts";
import { CHECKPOINT_PATH, type Entry, entriesPath, type GoneEntry } from "./ledger-files.ts";
import type { LiveReport } from "./live/report.ts";
import { InvoiceCheck } from "./invoices.ts";
import { Registry } from "./registry.ts";
import { PayoutCheck } from "./payouts.ts";
import { StatementCheck } from "./statements.ts";
import { agreedIn, checkDocument } from "./terms.ts";

export interface VerifyOptions {
  /** The log's verifier key as the reader knows it from elsewhere; without it the bundle's own is taken. */
  readonly logKey?: string;
  readonly limits?: BundleLimits;
}

const ITS_BODY = "its body: nothing of this group is ever erased";

export const COUNTED = ["entries", "commands", "verdicts", "statements", "files"] as const;
export type Counted = (typeof COUNTED)[number];

export interface Verification {
  readonly ok: boolean;
  /** How many of each were verified and found good. */
  readonly counts: Readonly<Record<Counted, number>>;
  /** How many of each there are. */
  readonly of: Readonly<Record<Counted, number>>;
  /** In the order found, at most FAILURES_KEPT_MAX. */
  readonly failures: readonly Failure[];
  readonly failuresTotal: number;
  readonly imvu: string | null;
  readonly createdAt: string | null;
  readonly logKey: string | null;
  /** Of a log in a folder: how many bodies were there, and good. */
  readonly bodies?: number;
  /** Of a log that was read where it is served. */
  readonly live?: LiveReport;
}

/** Everything about an unpacked bundle that can be known without its platform: files, ledger, commands, verdicts, statements. */
export async function verifyBundle(dir: string, options: VerifyOptions = {}): Promise<Verification> {
  const failures = new Failures();
  const { manifest, logKey, files } = await inspectBundle(dir, options.limits ?? BUNDLE_LIMITS, options.logKey, failures);
  const tallies: Record<Counted, Tally> = { entries: new Counter(), commands: new Counter(), verdicts: new Counter(), statements: new Counter(), files };
  if (manifest && logKey !== undefined) Object.assign(tallies, await verifyLedger(dir, manifest, logKey, failures));
  const numbers = (key: "good" | "of") => Object.fromEntries(COUNTED.map((name) => [name, tallies[name][key]])) as Record<Counted, number>;
  return {
    // Nothing is true of a bundle whose ledger was never looked at, whatever the reason.
    ok: failures.total === 0 && manifest !== undefined && logKey !== undefined,
    counts: numbers("good"),
    of: numbers("of"),
    failures: failures.list,
    failuresTotal: failures.total,
    imvu: manifest?.imvu ?? null,
    createdAt: manifest?.createdAt ?? null,
    logKey: logKey ?? null,
  };
}

async function verifyLedger(dir: string, manifest: Manifest, logKey: string, failures: Failures): Promise<Partial<Record<Counted, Tally>>> {
  const entries = new Counter();
  const verifier = parseVerifierKey(logKey);
  const checkpoint = verifier.ok ? openCheckpoint(manifest.ledger.checkpoint, verifier.value) : verifier;
  if (!checkpoint.ok) {
    failures.add(CHECKPOINT_PATH, `a checkpoint signed by ${logKey}`, checkpoint.message);
    return {};
  }
  const registry = new Registry();
  const commands = new CommandCheck(registry, failures);
  const statements = new StatementCheck(manifest.imvu, failures);
  const payouts = new PayoutCheck(manifest.imvu, failures, (opened, index) => registry.signatureFacts(opened, index));
  const invoices = new InvoiceCheck(verifier.ok ? verifier.value.name : "", failures);
  const derived = new DerivedCheck();
  const read = (group: "identities" | "platform" | "events") => readEntries(dir, group, checkpoint.value, entries, failures);

  for await (const entry of read("platform")) {
    if (entry.text === null) failures.add(`entry ${entry.index}`, ITS_BODY, "an erased one");
    else if (entry.body.stream !== "platform") failures.add(`entry ${entry.index}`, "an entry of the platform's stream", entry.body.stream);
    else if (entry.body.type === "platform.law") commands.learnLaw(entry);
    else if (entry.body.type === "platform.tariff") statements.learnTariff(entry);
  }
  for await (const entry of read("identities")) {
    if (entry.text === null) failures.add(`entry ${entry.index}`, ITS_BODY, "an erased one");
    else if (entry.body.type === "command.accepted") commands.check(entry);
    else registerFrom(entry, registry, failures);
  }
  let first = true;
  for await (const text of entryTexts(dir, "events")) {
    if (!first && !text.includes('"type":"statement.')) continue;
    const entry = parseLine(text);
    if (typeof entry !== "string" && entry.text !== null) {
      if (first) statements.agree(entry, agreedIn(entry.body));
      if (entry.body.type.startsWith("statement.")) statements.expect(entry);
    }
    first = false;
  }
  const stream = new StreamCheck(manifest, failures);
  for await (const entry of read("events")) {
    if (entry.text === null) {
      statements.pass(stream.pass(entry), entry.leaf);
      continue;
    }
    stream.follow(entry);
    statements.follow(entry);
    const { type } = entry.body;
    if (type === "command.accepted" || type === "command.refused") {
      const record = commands.check(entry);
      if (record) derived.command(entry, record);
      if (record?.terms && type === "command.accepted") statements.agreedAgain(entry, record.terms);
      if (record?.sale && type === "command.accepted") statements.sold(entry, record.sale);
      if (record?.account !== undefined && type === "command.accepted") payouts.named(record.account, record.digest, entry.index);
      if (record?.buyer && type === "command.accepted") invoices.bills(entry.index, record.buyer);
    } else if (type === "effect.applied" || type === "effect.failed") commands.checkOutcome(entry);
    else if (type === "statement.closed") {
      const statement = statements.check(entry);
      if (statement) {
        derived.statement(statement);
        payouts.owe(statement, entry.index);
      }
      if (statement) invoices.made(entry.index, statement);
    } else if (type === "statement.corrected") {
      const correction = statements.checkCorrection(entry);
      if (correction) {
        derived.correction(correction);
        payouts.owe(correction, entry.index);
      }
      if (correction) invoices.made(entry.index, correction);
    } else if (type === "invoice.issued") {
      const invoice = invoices.check(entry);
      if (invoice) derived.invoice(invoice);
    } else if (type === "drift.found") derived.drift(entry);
    else if (type.startsWith("payout.")) payouts.check(entry);
  }
  stream.finish();
  await checkDocument(dir, statements.agreed, failures);
  commands.checkExit(manifest);
  derived.finish(manifest, logKey, registry.keyLines(), failures);
  return { entries, commands: commands.commands, verdicts: commands.verdicts, statements: both(statements.statements, invoices.invoices) };
}

/** Invoices are counted among the statements that they are made of. */
function both(a: Tally, b: Tally): Tally {
  return { good: a.good + b.good, of: a.of + b.of };
}

function registerFrom({ index, body }: Entry, registry: Registry, failures: Failures): void {
  const { name, publicKey } = (body.data ?? {}) as { name?: unknown; publicKey?: unknown };
  const flaw = body.type === "identity.registered" ? registry.registered(name, publicKey, index) : `an entry of type ${body.type}`;
  if (flaw) failures.add(`entry ${index} (${body.type})`, "the registration of a free name and key", flaw);
}

/** The IMVU's stream from its first entry to the one the manifest names, without a gap. */
class StreamCheck {
  private readonly manifest: Manifest;
  private readonly failures: Failures;
  private head: StreamHead | undefined;
  private last = -1;
  private readonly erasures = new Erasures();

  constructor(manifest: Manifest, failures: Failures) {
    this.manifest = manifest;
    this.failures = failures;
  }

  /** @returns which of its stream an entry is whose body is gone: the next one links to it. */
  pass({ index, leaf }: GoneEntry): number {
    const streamSeq = (this.head?.streamSeq ?? -1) + 1;
    this.head = { streamSeq, time: this.head?.time ?? "", leaf };
    this.last = index;
    this.erasures.gone({ index, stream: this.manifest.imvu, leaf });
    return streamSeq;
  }

  follow({ index, body, leaf }: Entry): void {
    const flaw = body.stream === this.manifest.imvu ? chainFlaw(body, this.head) : `it belongs to stream ${body.stream}`;
    if (flaw) this.failures.add(`${entriesPath("events")} entry ${index}`, `the next entry of stream ${this.manifest.imvu}`, flaw);
    this.head = { streamSeq: body.streamSeq, time: body.time, leaf };
    this.last = index;
    for (const standing of this.erasures.ordered(body)) this.failures.add(`entry ${standing}`, `no body: entry ${index} ordered it erased`, "one, or another's commitment");
  }

  finish(): void {
    for (const gone of this.erasures.unordered()) this.failures.add(`${entriesPath("events")} entry ${gone}`, "its body, or an entry that orders it erased", "neither");
    const { index } = this.manifest.ledger;
    if (this.last !== index) this.failures.add(entriesPath("events"), `entry ${index} at its end`, this.last < 0 ? "no entry" : `entry ${this.last}`);
  }
}
