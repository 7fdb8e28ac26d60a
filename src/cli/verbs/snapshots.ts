import type { Command } from "commander";
import type { Snapshot } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { bytesText, print, say, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";

interface Listed {
  readonly snapshots: readonly Snapshot[];
  readonly fresh: string | null;
}

/** Captures of a unit: taken, listed, put back, removed. */
export function snapshotVerbs(imvu: Command): void {
  const noun = imvu.command("snapshot").description("captures of a unit's data that nobody can change, named by their digests");

  noun
    .command("create")
    .description("capture the volume and the unit's document as they are now; services keep running")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--label <text>", "what you call it")
    .action(async ({ imvuId, label }: { imvuId: ImvuId; label?: string }, command: Command) => {
      const context = await Context.of(command);
      const { snapshot, receipt } = await take(context, imvuId, label ?? null);
      print(context.output, { imvu: imvuId, snapshot, receipt }, () => [
        `${snapshot.id}  ${snapshot.files} files, ${bytesText(snapshot.bytes)}`,
        ...table([["  digest", snapshot.digest], ["  ledger", `entry ${receipt.index}, receipt ${receipt.file}`]]),
        `next: nexus imvu snapshot restore --imvu-id ${imvuId} --id ${snapshot.id}`,
      ]);
    });

  noun
    .command("list")
    .description("what was captured, oldest first, as the ledger tells it")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async ({ imvuId }: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${imvuId}/snapshots`)) as unknown as Listed;
      print(context.output, answer, () =>
        answer.snapshots.length === 0
          ? [`none yet: nexus imvu snapshot create --imvu-id ${imvuId}`]
          : table(answer.snapshots.map((one) => [one.id, one.takenAt, `${one.files} files`, bytesText(one.bytes), one.digest, noteOf(one, answer.fresh)])),
      );
    });

  noun
    .command("restore")
    .description("put the data of a snapshot in place of what is there; that is captured first")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--id <snapshot>", "which snapshot, like S1")
    .action(async ({ imvuId, id }: { imvuId: ImvuId; id: string }, command: Command) => {
      const context = await Context.of(command);
      // A rehearsal answers for the command that was asked for, and captures nothing.
      const before = context.flags.dryRun ? undefined : await takeBefore(context, imvuId, id);
      const done = await context.command(await context.signer(), "imvu.snapshot.restore", imvuId, { id });
      const result = done.outcome.result as { restored: string; digest: string; files: number; bytes: number; services: readonly string[] };
      const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { ...result, before: before ?? null, receipt }, () => [
        `${result.restored} is in place: ${result.files} files, ${bytesText(result.bytes)}, read again and the same`,
        ...table([["  services", result.services.join(", ") || "none"], ["  ledger", `entry ${receipt.index}, receipt ${receipt.file}`]]),
        `what was there before is in ${before?.id}: nexus imvu snapshot restore --imvu-id ${imvuId} --id ${before?.id}`,
      ]);
    });

  noun
    .command("remove")
    .description("let a snapshot go for good")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--id <snapshot>", "which snapshot, like S1")
    .action(async ({ imvuId, id }: { imvuId: ImvuId; id: string }, command: Command) => {
      const context = await Context.of(command);
      const done = await context.command(await context.signer(), "imvu.snapshot.remove", imvuId, { id });
      const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: imvuId, removed: id, receipt }, () => [`${id} is gone, ledger entry ${receipt.index}`]);
    });
}

async function take(context: Context, imvu: ImvuId, label: string | null): Promise<{ readonly snapshot: Snapshot; readonly receipt: { readonly index: number; readonly file: string } }> {
  const done = await context.command(await context.signer(), "imvu.snapshot.create", imvu, { label });
  const { snapshot } = done.outcome.result as unknown as { snapshot: Snapshot };
  return { snapshot, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } };
}

async function takeBefore(context: Context, imvu: ImvuId, id: string): Promise<Snapshot> {
  say(context.output, `what is there now is captured first, because ${id} takes its place`);
  const { snapshot } = await take(context, imvu, `before ${id}`);
  say(context.output, `it is in ${snapshot.id}: ${snapshot.files} files, ${bytesText(snapshot.bytes)}`);
  return snapshot;
}

function noteOf({ id, label, restedOn }: Snapshot, fresh: string | null): string {
  return [label ?? "", ...(id === fresh ? ["as the unit is now, but for what its services wrote since"] : []), ...(restedOn === undefined ? [] : [`a restore of ${restedOn} rests on it; it stays for an hour`])].filter(Boolean).join(" · ");
}
