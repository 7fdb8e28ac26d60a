import type { Command, Imvu, Verdict } from "../../contract/index.ts";
import { accept, type Clock, type ImvuId, type Json, type KeyId, type Outcome, type Refusal, rfc3339 } from "../../kernel/index.ts";
import { isIdentityCommand, type OpenedCommand } from "../identity/index.ts";
import type { Appended, Ledger } from "../ledger/index.ts";
import { erasedWith, isAllowed, isErasure, isOperatorCommand, isRevenue, judge } from "../policy-engine/index.ts";
import type { Store, Tx } from "../store/index.ts";
import { isBilling, putBilling } from "./billing.ts";
import { putBudget } from "./budgets.ts";
import { denied } from "./denied.ts";
import type { Effects, Worked } from "./effects.ts";
import type { LoadFacts, Loaded } from "./facts-loader.ts";
import { Gather } from "./gather.ts";
import { applyIdentity, putOperator, removeOperator } from "./identities.ts";
import * as projection from "./projection.ts";
import { appliedRecord, type CommandRecord } from "./record.ts";
import { putSale } from "./sales.ts";
import type { Piece, Placed, Writer } from "./writer.ts";

export interface AdmissionDeps {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly effects: Effects;
  /** SHA-256 over the law's source. */
  readonly law: string;
  readonly loadFacts: LoadFacts;
  /** A command was judged and written down. */
  onJudged?(verdicts: readonly Verdict[]): void;
  /** A command that names this unit was refused. */
  onRefused?(imvu: ImvuId): void;
  /** A unit's money goes to another account from now on, or to none. */
  onPayoutAccount?(imvu: ImvuId): void;
  /** Somebody began to recover this identity with its recovery key. */
  onRecovery?(identity: string): void;
}

/** An accepted command on its way to its effects. */
export interface Intent {
  readonly entry: Pick<Appended, "index" | "body">;
  readonly verdicts: readonly Verdict[];
  readonly actor: string;
  readonly before: Imvu | undefined;
  readonly after: Imvu | undefined;
  readonly allocation: Json;
  /** The outcome stands beside it already. */
  readonly done: { readonly outcome: Appended; readonly worked: Worked } | undefined;
}

const BATCH_COMMANDS_MAX = 256;
const LOOK_MS_MAX = 20;

/**
 * Judges commands and writes each one's intent or refusal. Side by side are only commands of which none can matter to another: each on a unit
 * of its own, with a nonce of its own. Whatever spends what is everybody's – names, keys, a node's room – goes alone.
 */
export class Admission {
  private readonly deps: AdmissionDeps;
  private readonly writer: Writer;
  private readonly gather: Gather<OpenedCommand, Admitted>;

  constructor(deps: AdmissionDeps, writer: Writer) {
    this.deps = deps;
    this.writer = writer;
    this.gather = new Gather((batch, onward) => this.admitAll(batch, onward), together);
  }

  /** An intent, a refusal, or what became of the same command when it came before. */
  async admit(opened: OpenedCommand): Promise<Outcome<Intent> | { readonly earlier: projection.SeenCommand }> {
    const admitted = await this.gather.ask(opened);
    if ("earlier" in admitted) return admitted;
    if ("fault" in admitted) throw admitted.fault;
    if ("code" in admitted) return admitted;
    const { weighed: { state, record, actor, before, after, worked }, placed: { entry, outcome } } = admitted;
    const { command } = opened;
    this.deps.onJudged?.(record.verdicts);
    if (state === "refused") {
      if (command.imvu) this.deps.onRefused?.(command.imvu);
      return denied(command, record, entry.index, await this.deps.ledger.proven(entry));
    }
    if (command.op === "imvu.payout.account" && command.imvu) this.deps.onPayoutAccount?.(command.imvu);
    if (command.op === "identity.recovery.begin") this.deps.onRecovery?.(actor);
    return accept({ entry, verdicts: record.verdicts, actor, before, after, allocation: record.allocation, done: worked && outcome && { outcome, worked } });
  }

  private async admitAll(batch: readonly OpenedCommand[], onward: () => void): Promise<readonly Admitted[]> {
    // The next ones begin when the facts of these are there; a slow engine keeps nobody else from it for longer.
    const patience = setTimeout(onward, LOOK_MS_MAX);
    const loaded = await this.deps.loadFacts(batch).finally(() => clearTimeout(patience));
    onward();
    return await Promise.all(
      batch.map(async (opened, at): Promise<Admitted> => {
        try {
          const { earlier } = loaded[at] as Loaded;
          // An approval added to a refused command makes it worth judging again.
          if (earlier && !(earlier.state === "refused" && earlier.signed !== JSON.stringify(opened.signed))) return { earlier };
          const weighed = await this.weigh(opened, loaded[at] as Loaded);
          return "record" in weighed ? { weighed, placed: await this.writer.write(pieceOf(weighed)) } : weighed;
        } catch (fault) {
          return { fault };
        }
      }),
    );
  }

  /** What is to be written of it, before anything is. */
  private async weigh(opened: OpenedCommand, { facts, imvu: before }: Loaded): Promise<Weighed | Refusal> {
    const { clock, effects, law, store } = this.deps;
    const { command, digest } = opened;
    const verdicts = judge(opened, facts);
    const allowed = isAllowed(verdicts);
    // A registration is the one command of somebody the platform does not know yet: it is his first own entry.
    const actor = command.op === "identity.register" && allowed ? command.params.name : projection.actorOf(facts);
    const common = { opened, actor, before, nonceSeen: facts.nonceSeen };
    if (!allowed) {
      // What nobody signed is nobody's entry: it must not fill an owner's stream.
      const stream = actor === "unknown" ? "platform" : (before?.id ?? actor);
      return { ...common, state: "refused", stream, after: undefined, worked: undefined, record: { digest, jws: opened.signed, facts, verdicts, law, allocation: null } };
    }
    const objection = await effects.objection(command, before);
    if (objection) return objection;
    const allocation = isErasure(command) ? erasedWith(command, facts) : await effects.allocate(command, actor, rfc3339(clock.now()), command.op === "imvu.create" ? await store.snapshot(projection.nextImvuNumber) : 0);
    const after = effects.after(command, before, allocation);
    return { ...common, state: "accepted", stream: streamOf(command, after?.id ?? before?.id, actor), after, worked: isErasure(command) ? undefined : effects.whole(command, actor), record: { digest, jws: opened.signed, facts, verdicts, law, allocation } };
  }
}

type Admitted = { readonly weighed: Weighed; readonly placed: Placed } | { readonly earlier: projection.SeenCommand } | { readonly fault: unknown } | Refusal;

interface Weighed {
  readonly opened: OpenedCommand;
  readonly state: "accepted" | "refused";
  readonly stream: string;
  readonly actor: string;
  readonly nonceSeen: boolean;
  readonly before: Imvu | undefined;
  readonly after: Imvu | undefined;
  /** Of a command that is done when it is written down. */
  readonly worked: Worked | undefined;
  readonly record: CommandRecord;
}

/** Its entry and the rows that change with it. */
function pieceOf(one: Weighed): Piece {
  const { opened: { command, digest, signed }, stream, state, actor, nonceSeen, before, after, worked, record } = one;
  const entry = { stream, type: `command.${state}` as const, actor, data: record as unknown as Json };
  // A command that was refused because its nonce was used leaves no row: the nonce stays with the first one.
  const seen = nonceSeen ? undefined : { digest, actor, nonce: command.nonce, op: command.op, imvu: after?.id ?? command.imvu, signed: JSON.stringify(signed), state: worked ? ("applied" as const) : state, result: worked?.observed };
  if (state === "refused") return { entry, seen };
  const imvu = after?.id ?? command.imvu;
  return {
    entry,
    outcome: worked && { stream, type: "effect.applied", actor: "platform", data: (index: number) => appliedRecord(one.opened, index - 1, imvu, worked) as unknown as Json },
    seen,
    consent: command.op === "consent.record" && command.imvu !== null ? { imvu: command.imvu, params: command.params } : undefined,
    // Room that is asked for is taken at once; the smaller of two sizes is given back only when the kernel has confirmed it.
    unit: before && after && after !== before ? projection.reserved(before, after) : undefined,
    also: ownChanges(one),
  };
}

type Change = (tx: Tx, appended: Appended) => Promise<void>;

/** What a command changes beside its own row, where that has no statement in common with others; most change nothing more. */
function ownChanges({ opened, actor, before, after }: Weighed): Change | undefined {
  const { command, signatures } = opened;
  const changes: Change[] = [];
  if (isIdentityCommand(command)) changes.push((tx, { index, time }) => applyIdentity(tx, command, signatures[0]?.kid as KeyId, actor, { index, time_ms: Date.parse(time) }));
  if (command.op === "platform.operator.add") changes.push((tx, { index }) => putOperator(tx, command.params.identity, index));
  if (command.op === "platform.operator.remove") changes.push((tx) => removeOperator(tx, command.params.identity));
  if (isBilling(command)) changes.push((tx, { index }) => putBilling(tx, command, index));
  if (command.op === "imvu.budget.set" && before) changes.push((tx, { index }) => putBudget(tx, before.id, command.params, index));
  if (isRevenue(command) && before) changes.push((tx, { index }) => putSale(tx, before.id, command, index));
  if (after && !before) changes.push((tx, { index }) => projection.addImvu(tx, { ...after, status: "creating" }, index));
  if (changes.length === 0) return undefined;
  return async (tx, appended) => {
    for (const change of changes) await change(tx, appended);
  };
}

/** Where a command's entries stand: with its unit; what operators do with the platform, before everybody; the rest with who signed. */
export function streamOf(command: Command, imvu: ImvuId | null | undefined, actor: string): string {
  return imvu ?? (isOperatorCommand(command) ? "platform" : actor);
}

/**
 * How many of those that wait may be judged now, by the same facts and beside those at work: on units and with nonces that no other has.
 * What matters to more than its own unit waits until nobody is at work, and goes alone.
 */
export function together(waiting: readonly OpenedCommand[], working: readonly OpenedCommand[] = []): number {
  const units = new Set(working.map(({ command }) => command.imvu));
  const nonces = new Set(working.map(({ command }) => command.nonce));
  if (working.some(isAlone)) return 0;
  for (const [at, opened] of waiting.entries()) {
    const { imvu, nonce } = opened.command;
    if (isAlone(opened)) return at > 0 || working.length > 0 ? at : 1;
    if (at === BATCH_COMMANDS_MAX || units.has(imvu) || nonces.has(nonce)) return at;
    units.add(imvu);
    nonces.add(nonce);
  }
  return waiting.length;
}

function isAlone({ command: { imvu, op } }: OpenedCommand): boolean {
  return imvu === null || op === "imvu.scale";
}
