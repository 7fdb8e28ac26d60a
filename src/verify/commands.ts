import { z } from "zod";
import { GATES as GATE_COUNT } from "../core/handshake/index.ts";
import { type OpenedCommand, openCommand } from "../core/identity/index.ts";
import { erasedBy } from "../core/ledger/pure.ts";
import { erasedWith, type Facts, isErasure, judge } from "../core/policy-engine/index.ts";
import { canonicalJson, type Json, messageOf } from "../kernel/index.ts";
import type { Manifest } from "./bundle/manifest.ts";
import { MANIFEST_PATH } from "./bundle/path.ts";
import { type AuditRecord, repeatedOf } from "./derived-files.ts";
import { Counter, type Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";
import type { Registry } from "./registry.ts";

const zRecord = z.object({
  digest: z.string(),
  jws: z.json(),
  facts: z.looseObject({ signatures: z.array(z.json()) }),
  verdicts: z.array(z.object({ gate: z.int(), verdict: z.string(), code: z.string().optional() }).loose()),
  law: z.string(),
});
const zOutcome = z.object({ digest: z.string(), intent: z.int(), learned: z.json().optional() });

/**
 * Every command of a bundle once more: form, digest, signatures by the keys live at the time, the law it cites, and the
 * seventeen verdicts derived again from the recorded facts.
 */
export class CommandCheck {
  readonly commands = new Counter();
  readonly verdicts = new Counter();
  private readonly registry: Registry;
  private readonly failures: Failures;
  private readonly laws = new Map<string, number>();
  private readonly nonces = new Map<string, number>();
  private readonly intents = new Map<string, number>();
  /** What each accepted order to erase takes away. */
  private readonly orders = new Map<string, Json>();
  private readonly exits = new Map<number, string>();

  constructor(registry: Registry, failures: Failures) {
    this.registry = registry;
    this.failures = failures;
  }

  /** Data of a `platform.law` entry: digests named in it are the law from there on. */
  learnLaw({ index, body }: Entry): void {
    for (const value of Object.values(body.data ?? {})) if (typeof value === "string" && !this.laws.has(value)) this.laws.set(value, index);
  }

  /** @returns what the audit files say of the command; undefined when it cannot be read. */
  check(entry: Entry): AuditRecord | undefined {
    this.commands.of += 1;
    this.verdicts.of += GATE_COUNT;
    const what = `entry ${entry.index} (${entry.body.type})`;
    const parsed = zRecord.safeParse(entry.body.data);
    if (!parsed.success) {
      this.failures.add(what, "a recorded command", parsed.error.issues[0]?.message ?? "something else");
      return undefined;
    }
    const record = parsed.data;
    const opened = openCommand(record.jws);
    if (!opened.ok) {
      this.failures.add(what, "a command that can be read", opened.message);
      return undefined;
    }
    const before = this.failures.total;
    const { command, digest } = opened.value;
    this.equal(`${what} digest`, digest, record.digest);
    this.checkSignatures(what, entry, opened.value, record.facts.signatures);
    this.checkPlace(what, entry, opened.value);
    if (entry.body.type === "command.accepted" && isErasure(command)) this.orders.set(digest, erasedWith(command, record.facts as unknown as Facts));
    const law = this.laws.get(record.law);
    if (law === undefined || law >= entry.index) this.failures.add(`${what} law`, "the digest of a law that the platform published before", record.law);
    this.checkVerdicts(what, entry, opened.value, record.facts as unknown as Facts, record.verdicts as readonly Json[]);
    const flaw = entry.body.type === "command.accepted" ? this.registry.follow(opened.value, entry.index, Date.parse(entry.body.time)) : undefined;
    if (flaw) this.failures.add(what, "keys and a name that it can be about", flaw);
    if (this.failures.total === before) this.commands.good += 1;
    const signers = opened.value.signatures.map(({ kid }) => kid);
    return { op: command.op, digest, signers, ...repeatedOf(command), verdicts: parsed.data.verdicts.map(({ gate, verdict, code }) => (code === undefined ? { gate, verdict } : { gate, verdict, code })) };
  }

  /** An outcome follows the intent that was signed before it, once. */
  checkOutcome({ index, body }: Entry): void {
    const parsed = zOutcome.safeParse(body.data);
    const intent = parsed.success ? this.intents.get(parsed.data.digest) : undefined;
    if (!parsed.success || intent !== parsed.data.intent) {
      this.failures.add(`entry ${index} (${body.type})`, "the outcome of a command that was accepted before and had none", canonicalJson(body.data));
      return;
    }
    this.intents.delete(parsed.data.digest);
    const order = this.orders.get(parsed.data.digest);
    if (order !== undefined && body.type === "effect.applied") this.equal(`entry ${index} (${body.type}) erased`, canonicalJson(order), canonicalJson(parsed.data.learned ?? null));
    else if (erasedBy(body).length > 0) this.failures.add(`entry ${index} (${body.type})`, "nothing erased: its command ordered nothing", canonicalJson(parsed.data.learned ?? null));
  }

  /** The owner's command that the manifest says it answers. */
  checkExit({ exit }: Manifest): void {
    if (exit && this.exits.get(exit.index) !== exit.command) this.failures.add(`${MANIFEST_PATH} exit`, `an accepted imvu.exit ${exit.command} at entry ${exit.index}`, this.exits.get(exit.index) ?? "none");
  }

  private checkSignatures(what: string, { index, body }: Entry, opened: OpenedCommand, recorded: readonly Json[]): void {
    const derived = this.registry.signatureFacts(opened, index);
    for (const [at, fact] of derived.entries()) this.equal(`${what} signature ${at + 1}`, canonicalJson(fact), canonicalJson(recorded[at] ?? null));
    if (recorded.length !== derived.length) this.failures.add(`${what} signatures`, String(derived.length), String(recorded.length));
    if (body.type === "command.accepted" && derived.some(({ valid }) => !valid)) this.failures.add(what, "signatures that verify", "an accepted command with one that does not");
    const [first] = derived;
    const ended = first?.status === "revoked" || first?.status === "rotated";
    if (first?.valid && first.identity !== null) this.equal(`${what} actor`, ended ? "unknown" : first.identity, body.actor);
  }

  private checkPlace(what: string, { index, body }: Entry, { command, digest }: OpenedCommand): void {
    if (command.imvu !== null && body.type === "command.accepted") this.equal(`${what} stream`, command.imvu, body.stream);
    if (body.type !== "command.accepted") return;
    const key = `${body.actor} ${command.nonce}`;
    const earlier = this.nonces.get(key);
    if (earlier !== undefined) this.failures.add(what, "a nonce that was not used before", `the one of entry ${earlier}`);
    this.nonces.set(key, index);
    this.intents.set(digest, index);
    if (command.op === "imvu.exit") this.exits.set(index, digest);
  }

  private checkVerdicts(what: string, { body }: Entry, opened: OpenedCommand, facts: Facts, recorded: readonly Json[]): void {
    let derived: readonly Json[];
    try {
      derived = JSON.parse(JSON.stringify(judge(opened, facts))) as Json[];
    } catch (error) {
      this.failures.add(`${what} facts`, "facts that the gates can read", messageOf(error));
      return;
    }
    for (const [at, verdict] of derived.entries()) {
      const [is, said] = [canonicalJson(verdict), canonicalJson(recorded[at] ?? null)];
      if (is === said) this.verdicts.good += 1;
      else this.failures.add(`${what} gate ${at + 1}`, is, said);
    }
    if (recorded.length !== GATE_COUNT) this.failures.add(`${what} verdicts`, String(GATE_COUNT), String(recorded.length));
    const denied = derived.some((verdict) => (verdict as { verdict: string }).verdict === "deny");
    if (denied !== (body.type === "command.refused")) this.failures.add(what, denied ? "a refusal: a gate denies" : "an acceptance: no gate denies", body.type);
  }

  private equal(what: string, expected: string, found: string): void {
    if (expected !== found) this.failures.add(what, expected, found);
  }
}
