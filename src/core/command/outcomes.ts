import type { Imvu } from "../../contract/index.ts";
import { type Json, messageOf } from "../../kernel/index.ts";
import type { OpenedCommand } from "../identity/index.ts";
import type { Appended } from "../ledger/index.ts";
import { isErasure } from "../policy-engine/index.ts";
import { type Intent, streamOf } from "./admission.ts";
import { erase } from "./erasure.ts";
import type { Effects, Worked } from "./effects.ts";
import * as projection from "./projection.ts";
import { appliedRecord, asJson, type FailedRecord } from "./record.ts";
import type { Writer } from "./writer.ts";

const REASON_CHARS_MAX = 4_000;

/** Writes what became of accepted commands, with the unit's document as it is from then on. */
export class Outcomes {
  private readonly writer: Writer;
  private readonly effects: Pick<Effects, "withLearned">;

  constructor(writer: Writer, effects: Pick<Effects, "withLearned">) {
    this.writer = writer;
    this.effects = effects;
  }

  async applied({ command, digest }: OpenedCommand, intent: Intent, { learned, observed }: Worked): Promise<Appended> {
    const { before, after, entry } = intent;
    const record = appliedRecord({ command, digest }, entry.index, after?.id ?? command.imvu, { learned, observed });
    const unit = (after && this.effects.withLearned(after, learned)) ?? before;
    const written = await this.writer.write({
      entry: { stream: streamOf(command, record.imvu, intent.actor), type: "effect.applied", actor: "platform", data: record as unknown as Json },
      unit: rowOf(unit === before && after === before ? undefined : unit),
      settled: { digest, state: "applied", result: observed },
      ...(isErasure(command) ? { also: (tx, appended) => erase(tx, intent.allocation, appended.index) } : {}),
    });
    return written.entry;
  }

  /** @param left what an undo could not take back, in words */
  async failed({ command, digest }: OpenedCommand, intent: Intent, error: unknown, left: readonly string[]): Promise<{ readonly entry: Appended; readonly reason: string }> {
    const { before, after } = intent;
    const reason = messageOf(error).slice(0, REASON_CHARS_MAX);
    const record: FailedRecord = { digest, intent: intent.entry.index, op: command.op, imvu: after?.id ?? command.imvu, reason, left };
    const result: Json = asJson(record);
    const { entry } = await this.writer.write({
      entry: { stream: streamOf(command, record.imvu, intent.actor), type: "effect.failed", actor: "platform", data: result },
      unit: rowOf(before),
      settled: { digest, state: "failed", result },
      also: async (tx) => {
        if (after && !before) await projection.removeImvu(tx, after.id);
      },
    });
    return { entry, reason };
  }
}

function rowOf(imvu: Imvu | undefined): { readonly imvu: Imvu } | undefined {
  return imvu && { imvu };
}
