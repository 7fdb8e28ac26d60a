import type { Command, Receipt, Verdict } from "../../contract/index.ts";
import { accept, Fault, type ImvuId, type Json, type KeyId, messageOf, type Outcome, refuse, sha256Hex } from "../../kernel/index.ts";
import { isIdentityCommand, type OpenedCommand, openCommand } from "../identity/index.ts";
import { hasStanding, isErasure, isPayoutOrder, judge, refusalOf } from "../policy-engine/index.ts";
import type { Appended } from "../ledger/index.ts";
import { Admission, type AdmissionDeps, type Intent } from "./admission.ts";
import { Bucket } from "./bucket.ts";
import { denied } from "./denied.ts";
import type { Worked } from "./effects.ts";
import { type Loaded, signatureFacts } from "./facts-loader.ts";
import { Gather, oneBatch } from "./gather.ts";
import type { KeyNow } from "./identities.ts";
import { KnownKeys } from "./known-keys.ts";
import { Operations, type Operation } from "./operations.ts";
import { Outcomes } from "./outcomes.ts";
import * as projection from "./projection.ts";
import { asJson, type CommandRecord, type FailedRecord } from "./record.ts";
import { type AroundStep, Saga, type StepEvent } from "./saga.ts";
import { Turns } from "./turns.ts";
import { Writer } from "./writer.ts";

/** What the command room needs of the world beyond the database. */
export interface BusDeps extends AdmissionDeps {
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

/** Looked up together, by those who come at the same time. */
const LOOKUPS_MAX = 256;
/** Commands of nobody who is registered: each leaves an entry, and keys cost nothing. */
const STRANGERS_BURST = 120;
const STRANGERS_PER_SECOND = 2;

/** verify → judge → intent → steps → outcome; the only way a change enters the platform. */
export class CommandBus {
  private readonly deps: BusDeps;
  private readonly turns = new Turns();
  private readonly strangers = new Bucket(STRANGERS_BURST, STRANGERS_PER_SECOND);
  private readonly admission: Admission;
  private readonly outcomes: Outcomes;
  private readonly keys: Gather<readonly KeyId[], ReadonlyMap<KeyId, KeyNow>>;
  private readonly known: KnownKeys;
  readonly operations = new Operations();

  constructor(deps: BusDeps) {
    this.deps = deps;
    const writer = new Writer(deps.ledger);
    this.admission = new Admission(deps, writer);
    this.outcomes = new Outcomes(writer, deps.effects);
    this.known = new KnownKeys(deps.store);
    this.keys = new Gather<readonly KeyId[], ReadonlyMap<KeyId, KeyNow>>(async (all) => {
      const keys = await this.known.of(all.flat());
      return all.map(() => keys);
    }, oneBatch(LOOKUPS_MAX));
  }

  /** Starts a command, or joins the one with the same digest. A usage refusal comes at once and leaves no trace. */
  submit(signed: unknown): Outcome<Operation> {
    const opened = openCommand(signed);
    if (!opened.ok) return opened;
    // By payload and signatures: an approval added to a refused command makes it worth judging again.
    const key = sha256Hex(JSON.stringify(opened.value.signed));
    return accept(this.operations.begin(key, (report) => this.execute(opened.value, report)));
  }

  /** Keeps a unit still: its commands wait until `work` is done, as they do for each other. */
  async still<T>(imvu: ImvuId, work: () => Promise<T>): Promise<T> {
    return await this.turns.take(imvu, work);
  }

  /** Verdicts without any effect or entry. */
  async dryRun(signed: unknown): Promise<Outcome<Json>> {
    const opened = openCommand(signed);
    if (!opened.ok) return opened;
    const [{ facts }] = (await this.deps.loadFacts([opened.value])) as readonly [Loaded];
    const verdicts = judge(opened.value, facts);
    const { command } = opened.value;
    const refusal = refusalOf(command, facts, verdicts);
    // A stranger learns from a rehearsal no more than from the command itself.
    if (refusal && !hasStanding(command, facts)) return refusal;
    return accept(asJson({ dryRun: true, allowed: refusal === undefined, ...(refusal ? { refusal: { code: refusal.code, message: refusal.message } } : {}), verdicts }));
  }

  private async execute(opened: OpenedCommand, report: (event: StepEvent) => void): Promise<Outcome<Json>> {
    const { command } = opened;
    // What operators say of a unit's payout waits for the unit like its own commands: it is judged when the one before it is told.
    const turn = command.imvu ?? (isPayoutOrder(command) ? command.params.imvu : `${command.op}/${opened.digest}`);
    // Before any turn: a crowd of strangers must not stand in the way of those who are known.
    if ((await this.actorOf(opened)) === "unknown" && !this.strangers.take(this.deps.clock.now()))
      return refuse("busy", "STRANGERS_MANY", "more commands of unregistered keys than the platform takes at a time", "wait a minute, then send it again; registered identities are not concerned");
    return await this.turns.take(turn, async () => {
      let admitted = await this.admission.admit(opened);
      if ("earlier" in admitted && admitted.earlier.state === "accepted") {
        // Its turn is ours, so nobody is at work on it: the database went away between intent and outcome, and this process lived on.
        await this.finish(admitted.earlier);
        admitted = await this.admission.admit(opened);
      }
      if (isIdentityCommand(command)) this.known.forget();
      if ("earlier" in admitted) return await this.answerAgain(opened, admitted.earlier);
      if (!admitted.ok) return admitted;
      return await this.carryOut(opened, admitted.value, report);
    });
  }

  private async actorOf(opened: OpenedCommand): Promise<string> {
    const keys = await this.keys.ask(opened.signatures.map(({ kid }) => kid));
    return projection.actorOf({ signatures: signatureFacts(opened, keys) });
  }

  private async carryOut(opened: OpenedCommand, intent: Intent, report: (event: StepEvent) => void): Promise<Outcome<Json>> {
    const { command, digest } = opened;
    const { after, done } = intent;
    if (done) return await this.answer(intent, done.outcome, done.worked, intent.after?.id ?? command.imvu, []);
    const saga = new Saga(report, this.deps.aroundStep);
    let worked: Worked;
    try {
      worked = await this.work(command, digest, intent, saga);
    } catch (error) {
      const left = await saga.undo();
      return await this.recordFailure(opened, intent, error, left);
    }
    const outcome = await this.outcomes.applied(opened, intent, worked);
    // Answers hold bodies.
    if (isErasure(command)) this.operations.forget();
    return await this.answer(intent, outcome, worked, after?.id ?? command.imvu, saga.timings);
  }

  private async answer(intent: Intent, outcome: Appended, { observed }: Worked, imvu: ImvuId | null, timings: CommandAnswer["timings"]): Promise<Outcome<Json>> {
    const [receipt, proof] = await Promise.all([this.deps.ledger.proven(intent.entry), this.deps.ledger.proven(outcome)]);
    const answer: CommandAnswer = { receipt, verdicts: intent.verdicts, outcome: { receipt: proof, result: observed }, imvu, timings };
    return accept(answer as unknown as Json);
  }

  private async work(command: Command, digest: string, { actor, before, after, allocation }: Intent, saga: Saga): Promise<Worked> {
    // Bodies go with the outcome that says so, in its transaction: no engine has a part in it.
    if (isErasure(command)) return { learned: allocation, observed: allocation };
    return await this.deps.effects.run({ command, digest, actor, before, after, allocation, saga });
  }

  private async recordFailure(opened: OpenedCommand, intent: Intent, error: unknown, left: readonly string[]): Promise<Outcome<never>> {
    const { entry, reason } = await this.outcomes.failed(opened, intent, error, left);
    const hint = left.length === 0 ? "everything was undone; try again, or run 'nexus doctor'" : `not undone: ${left.join("; ")} – run 'nexus doctor'`;
    return refuse("engine", "EFFECT_FAILED", `${opened.command.op}: ${reason}`, hint, { ledgerIndex: entry.index });
  }

  /** The same command again answers the first outcome. */
  private async answerAgain(opened: OpenedCommand, earlier: projection.SeenCommand): Promise<Outcome<Json>> {
    const { ledger } = this.deps;
    const receipt = await ledger.receipt(earlier.intentIndex);
    const record = (JSON.parse(receipt.body) as { data: CommandRecord }).data;
    if (earlier.state === "refused") {
      return denied(opened.command, record, earlier.intentIndex, receipt);
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
    const intent: Intent = { entry: receipt, verdicts: record.verdicts, actor: seen.actor, before, after, allocation: record.allocation, done: undefined };
    const saga = new Saga(() => {}, this.deps.aroundStep);
    try {
      const worked = await this.work(command, seen.digest, intent, saga);
      await this.outcomes.applied(opened.value, intent, worked);
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
