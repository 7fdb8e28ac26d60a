import type { Command, Imvu, Receipt, Verdict } from "../../contract/index.ts";
import { accept, type Clock, Fault, type ImvuId, type Json, type KeyId, messageOf, type Outcome, refuse, type Refusal, rfc3339, sha256Hex } from "../../kernel/index.ts";
import { isIdentityCommand, type OpenedCommand, openCommand } from "../identity/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { type Facts, hasStanding, isAllowed, isOperatorCommand, judge, refusalOf, wantsApproval } from "../policy-engine/index.ts";
import type { Store } from "../store/index.ts";
import { Bucket } from "./bucket.ts";
import { putConsent } from "./consents.ts";
import type { Effects, Worked } from "./effects.ts";
import { signatureFacts } from "./facts-loader.ts";
import { applyIdentity, putOperator, removeOperator } from "./identities.ts";
import { Operations, type Operation } from "./operations.ts";
import * as projection from "./projection.ts";
import { type AppliedRecord, asJson, type CommandRecord, type FailedRecord, withoutFloats } from "./record.ts";
import { type AroundStep, Saga, type StepEvent } from "./saga.ts";
import { Turns } from "./turns.ts";

/** What the loader needs to know of the world beyond the database. */
export interface BusDeps {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly effects: Effects;
  /** SHA-256 over the law's source. */
  readonly law: string;
  loadFacts(opened: OpenedCommand): Promise<Facts>;
  /** A command that names this unit was refused. */
  onRefused?(imvu: ImvuId): void;
  /** Somebody began to recover this identity with its recovery key. */
  onRecovery?(identity: string): void;
  /** Faults put into steps by a test. */
  readonly aroundStep?: AroundStep;
}

/** The answer to an accepted command; the same again for the same command sent twice. */
export interface CommandAnswer {
  readonly receipt: Receipt;
  readonly verdicts: readonly Verdict[];
  readonly outcome: { readonly receipt: Receipt; readonly result: Json };
  readonly imvu: ImvuId | null;
  readonly timings: readonly { readonly step: string; readonly ms: number }[];
}

const JUDGING = "judging";
/** Commands of nobody who is registered: each leaves an entry, and keys cost nothing. */
const STRANGERS_BURST = 120;
const STRANGERS_PER_SECOND = 2;

/** verify → judge → intent → steps → outcome; the only way a change enters the platform. */
export class CommandBus {
  private readonly deps: BusDeps;
  private readonly turns = new Turns();
  private readonly strangers = new Bucket(STRANGERS_BURST, STRANGERS_PER_SECOND);
  readonly operations = new Operations();

  constructor(deps: BusDeps) {
    this.deps = deps;
  }

  /** Starts a command, or joins the one with the same digest. A usage refusal comes at once and leaves no trace. */
  submit(signed: unknown): Outcome<Operation> {
    const opened = openCommand(signed);
    if (!opened.ok) return opened;
    // By payload and signatures: an approval added to a refused command makes it worth judging again.
    const key = sha256Hex(JSON.stringify(opened.value.signed));
    return accept(this.operations.begin(key, (report) => this.execute(opened.value, report)));
  }

  /** Verdicts without any effect or entry. */
  async dryRun(signed: unknown): Promise<Outcome<Json>> {
    const opened = openCommand(signed);
    if (!opened.ok) return opened;
    const facts = await this.deps.loadFacts(opened.value);
    const verdicts = judge(opened.value, facts);
    const { command } = opened.value;
    const refusal = refusalOf(command, facts, verdicts);
    // A stranger learns from a rehearsal no more than from the command itself.
    if (refusal && !hasStanding(command, facts)) return refusal;
    return accept(asJson({ dryRun: true, allowed: refusal === undefined, ...(refusal ? { refusal: { code: refusal.code, message: refusal.message } } : {}), verdicts }));
  }

  private async execute(opened: OpenedCommand, report: (event: StepEvent) => void): Promise<Outcome<Json>> {
    const { command } = opened;
    const turn = command.imvu ?? `${command.op}/${opened.digest}`;
    // Before any turn: a crowd of strangers must not stand in the way of those who are known.
    const signatures = await this.deps.store.snapshot((tx) => signatureFacts(tx, opened));
    if (projection.actorOf({ signatures }) === "unknown" && !this.strangers.take(this.deps.clock.now()))
      return refuse("busy", "STRANGERS_MANY", "more commands of unregistered keys than the platform takes at a time", "wait a minute, then send it again; registered identities are not concerned");
    return await this.turns.take(turn, async () => {
      let earlier = await this.deps.store.snapshot((tx) => projection.seenCommand(tx, opened.digest));
      if (earlier?.state === "accepted") {
        // Its turn is ours, so nobody is at work on it: the database went away between intent and outcome, and this process lived on.
        await this.finish(earlier);
        earlier = await this.deps.store.snapshot((tx) => projection.seenCommand(tx, opened.digest));
      }
      if (earlier && !(earlier.state === "refused" && earlier.signed !== JSON.stringify(opened.signed))) return await this.answerAgain(opened, earlier);
      const admitted = await this.turns.take(JUDGING, () => this.admit(opened));
      if (!admitted.ok) return admitted;
      return await this.carryOut(opened, admitted.value, report);
    });
  }

  /** Judges and writes the intent or the refusal. One command at a time, so that two cannot spend the same room. */
  private async admit(opened: OpenedCommand): Promise<Outcome<Intent>> {
    const { ledger, clock, effects, law, store } = this.deps;
    const { command, digest } = opened;
    const facts = await this.deps.loadFacts(opened);
    const verdicts = judge(opened, facts);
    const denied = !isAllowed(verdicts);
    const before = command.imvu ? await store.snapshot((tx) => projection.imvuById(tx, command.imvu as ImvuId)) : undefined;
    // A registration is the one command of somebody the platform does not know yet: it is his first own entry.
    const actor = command.op === "identity.register" && isAllowed(verdicts) ? command.params.name : projection.actorOf(facts);
    const seen = { digest, actor, nonce: command.nonce, op: command.op, imvu: command.imvu, signed: JSON.stringify(opened.signed) };
    if (denied) {
      const record: CommandRecord = { digest, jws: opened.signed, facts, verdicts, law, allocation: null };
      // What nobody signed is nobody's entry: it must not fill an owner's stream.
      const stream = actor === "unknown" ? "platform" : (before?.id ?? actor);
      const [entry] = await ledger.append([{ stream, type: "command.refused", actor, data: asJson(record) }], async (tx, [appended]) => {
        await projection.recordSeen(tx, { ...seen, state: "refused", intentIndex: (appended as { index: number }).index });
      });
      const index = (entry as { index: number }).index;
      if (command.imvu) this.deps.onRefused?.(command.imvu);
      return deny(command, record, index, await ledger.receipt(index));
    }
    const objection = await effects.objection(command, before);
    if (objection) return objection;
    const at = rfc3339(clock.now());
    const allocation = await effects.allocate(command, actor, at, await store.snapshot(projection.nextImvuNumber));
    const after = effects.after(command, before, allocation);
    const record: CommandRecord = { digest, jws: opened.signed, facts, verdicts, law, allocation };
    const stream = streamOf(command, after?.id ?? before?.id, actor);
    const [entry] = await ledger.append([{ stream, type: "command.accepted", actor, data: asJson(record) }], async (tx, [appended]) => {
      const { index, time } = appended as { index: number; time: string };
      await projection.recordSeen(tx, { ...seen, imvu: after?.id ?? command.imvu, state: "accepted", intentIndex: index });
      if (command.op === "consent.record" && command.imvu) await putConsent(tx, command.imvu, command.params, index);
      if (isIdentityCommand(command)) await applyIdentity(tx, command, opened.signatures[0]?.kid as KeyId, actor, { index, time_ms: Date.parse(time) });
      if (command.op === "platform.operator.add") await putOperator(tx, command.params.identity, index);
      if (command.op === "platform.operator.remove") await removeOperator(tx, command.params.identity);
      if (after && !before) await projection.addImvu(tx, { ...after, status: "creating" }, index);
      // Room that is asked for is taken at once; the smaller of two sizes is given back only when the kernel has confirmed it.
      if (after && before) await projection.reserve(tx, before, after, index);
    });
    if (command.op === "identity.recovery.begin") this.deps.onRecovery?.(actor);
    return accept({ index: (entry as { index: number }).index, verdicts, actor, before, after, began: performance.now() });
  }

  private async carryOut(opened: OpenedCommand, intent: Intent, report: (event: StepEvent) => void): Promise<Outcome<Json>> {
    const { command, digest } = opened;
    const { before, after, actor } = intent;
    const saga = new Saga(report, this.deps.aroundStep);
    let worked: Worked;
    try {
      worked = await this.deps.effects.run({ command, digest, actor, before, after, saga });
    } catch (error) {
      const left = await saga.undo();
      return await this.recordFailure(opened, intent, error, left);
    }
    const result = await this.recordSuccess(opened, intent, worked);
    const receipts = await Promise.all([this.deps.ledger.receipt(intent.index), this.deps.ledger.receipt(result)]);
    const answer: CommandAnswer = {
      receipt: receipts[0],
      verdicts: intent.verdicts,
      outcome: { receipt: receipts[1], result: worked.observed },
      imvu: after?.id ?? command.imvu,
      timings: saga.timings,
    };
    return accept(asJson(answer));
  }

  private async recordSuccess(opened: OpenedCommand, intent: Intent, worked: Worked): Promise<number> {
    const { command, digest } = opened;
    const { after, before } = intent;
    const imvu = after?.id ?? command.imvu;
    const record: AppliedRecord = { digest, intent: intent.index, op: command.op, imvu, learned: worked.learned, observed: withoutFloats(worked.observed) };
    const stream = streamOf(command, imvu, intent.actor);
    const [entry] = await this.deps.ledger.append([{ stream, type: "effect.applied", actor: "platform", data: asJson(record) }], async (tx, [appended]) => {
      const { index } = appended as { index: number };
      if (after) await projection.putImvu(tx, this.deps.effects.withLearned(after, worked.learned), index);
      else if (before) await projection.putImvu(tx, before, index);
      await projection.settleSeen(tx, digest, "applied", index, worked.observed);
    });
    return (entry as { index: number }).index;
  }

  private async recordFailure(opened: OpenedCommand, intent: Intent, error: unknown, left: readonly string[]): Promise<Outcome<never>> {
    const { command, digest } = opened;
    const imvu = intent.after?.id ?? command.imvu;
    const reason = messageOf(error).slice(0, 4_000);
    const record: FailedRecord = { digest, intent: intent.index, op: command.op, imvu, reason, left };
    const [entry] = await this.deps.ledger.append([{ stream: streamOf(command, imvu, intent.actor), type: "effect.failed", actor: "platform", data: asJson(record) }], async (tx, [appended]) => {
      const { index } = appended as { index: number };
      if (intent.before) await projection.putImvu(tx, intent.before, index);
      else if (intent.after) await projection.removeImvu(tx, intent.after.id);
      await projection.settleSeen(tx, digest, "failed", index, asJson(record));
    });
    const { index } = entry as { index: number };
    return refuse("engine", "EFFECT_FAILED", `${command.op}: ${reason}`, left.length === 0 ? "everything was undone; try again, or run 'nexus doctor'" : `not undone: ${left.join("; ")} – run 'nexus doctor'`, { ledgerIndex: index });
  }

  /** The same command again answers the first outcome. */
  private async answerAgain(opened: OpenedCommand, earlier: projection.SeenCommand): Promise<Outcome<Json>> {
    const { ledger } = this.deps;
    const receipt = await ledger.receipt(earlier.intentIndex);
    const record = (JSON.parse(receipt.body) as { data: CommandRecord }).data;
    if (earlier.state === "refused") {
      return deny(opened.command, record, earlier.intentIndex, receipt);
    }
    const outcomeIndex = earlier.outcomeIndex as number;
    if (earlier.state === "failed") {
      const { reason } = (JSON.parse((await ledger.receipt(outcomeIndex)).body) as { data: FailedRecord }).data;
      return refuse("engine", "EFFECT_FAILED", `${opened.command.op}: ${reason}`, "this command failed before; sign a new one", { ledgerIndex: outcomeIndex });
    }
    const answer: CommandAnswer = {
      receipt,
      verdicts: record.verdicts,
      outcome: { receipt: await ledger.receipt(outcomeIndex), result: earlier.result },
      imvu: earlier.imvu,
      timings: [],
    };
    return accept(asJson(answer));
  }

  /**
   * At start: every intent without an outcome is carried out again under its idempotency keys. When that cannot be done,
   * the engines are brought back to what they were before, and the failure is recorded.
   */
  async resume(say: (line: string) => void): Promise<number> {
    const open = await this.deps.store.snapshot(projection.openCommands);
    for (const seen of open) {
      say(`finishing ${seen.op} (entry ${seen.intentIndex}), which a crash interrupted`);
      await this.finish(seen);
    }
    return open.length;
  }

  /** Carries out an intent without an outcome again, or undoes it; records which. */
  private async finish(seen: projection.SeenCommand): Promise<void> {
    const receipt = await this.deps.ledger.receipt(seen.intentIndex);
    const record = (JSON.parse(receipt.body) as { data: CommandRecord }).data;
    const opened = openCommand(record.jws);
    if (!opened.ok) throw new TypeError(`entry ${seen.intentIndex} holds a command that cannot be read: ${opened.message}`);
    const { command } = opened.value;
    const before = command.imvu ? (await this.deps.store.snapshot((tx) => projection.imvuBeforeReserve(tx, command.imvu as ImvuId))) : undefined;
    const after = this.deps.effects.after(command, before, record.allocation);
    const intent: Intent = { index: seen.intentIndex, verdicts: record.verdicts, actor: seen.actor, before, after, began: performance.now() };
    const saga = new Saga(() => {}, this.deps.aroundStep);
    try {
      const worked = await this.deps.effects.run({ command, digest: seen.digest, actor: seen.actor, before, after, saga });
      await this.recordSuccess(opened.value, intent, worked);
    } catch (error) {
      // The log did not answer, and an outcome may stand in it: a second one must not. The intent stays open and is finished another time.
      if (error instanceof Fault && error.code.startsWith("LEDGER_")) throw error;
      const id = after?.id ?? command.imvu;
      const left: string[] = [...(await saga.undo())];
      if (id) await this.deps.effects.converge(id, before).catch((fault) => left.push(messageOf(fault)));
      await this.recordFailure(opened.value, intent, error, left);
    }
  }
}

/** Where a command's entries stand: with its unit; what operators do with the platform, before everybody; the rest with who signed. */
function streamOf(command: Command, imvu: ImvuId | null | undefined, actor: string): string {
  return imvu ?? (isOperatorCommand(command) ? "platform" : actor);
}

interface Intent {
  readonly index: number;
  readonly verdicts: readonly Verdict[];
  readonly actor: string;
  readonly before: Imvu | undefined;
  readonly after: Imvu | undefined;
  readonly began: number;
}

/** A stranger is told nothing that depends on the IMVU: neither verdicts nor the entry that lies in its stream. */
function deny(command: Command, record: Pick<CommandRecord, "digest" | "facts" | "verdicts">, index: number, receipt: Receipt): Refusal {
  const refusal = refusalOf(command, record.facts, record.verdicts, index);
  if (!refusal) throw new TypeError(`entry ${index} refuses a command that no gate denied`);
  if (!hasStanding(command, record.facts)) return refusal;
  const hint = wantsApproval(record.verdicts) ? `ask ${record.facts.imvu?.owner ?? "another operator"} to run: nexus imvu approve ${record.digest}` : refusal.hint;
  return { ...refusal, hint, digest: record.digest, verdicts: record.verdicts, receipt } as Refusal;
}
