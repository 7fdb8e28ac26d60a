import { resolve } from "node:path";
import type { Command } from "commander";
import { listStoredIdentities } from "../../core/identity/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { eraseEntry, ORDER_FILE, ORDER_SHA256, type OrderOptions, orderOf } from "../erase.ts";
import { EXIT, usageFailure } from "../failure.ts";
import { paint, print, say, table } from "../output.ts";
import { whole } from "../units.ts";
import { revenueVerb } from "./money.ts";

/** A large unit is copied, and copied back. */
const REHEARSAL_TIMEOUT_MS = 6 * 3_600_000;

/** Verbs that look and check: the log, the meters, the money, the seventeen gates. */
export function ledgerVerbs(program: Command): void {
  const ledger = program.command("ledger").description("the log that everything is written to");

  ledger.command("checkpoint").description("the newest signed checkpoint, held against the one this home saw last").action(async (_options, command: Command) => {
    const context = await Context.of(command);
    const client = await context.client();
    const checkpoint = await client.text("/log/checkpoint");
    await client.log.refresh(checkpoint);
    const [origin, size, root] = checkpoint.split("\n");
    print(context.output, { origin, size: Number(size), root, checkpoint }, () => [checkpoint.trimEnd()]);
  });

  ledger
    .command("entries")
    .description("a unit's own stream")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--from <index>", "from this ledger index on", "0")
    .option("--limit <n>", "at most so many", "100")
    .action(async (options: { imvuId: ImvuId; from: string; limit: string }, command: Command) => {
      const context = await Context.of(command);
      const path = `/v1/imvus/${options.imvuId}/ledger?from=${whole("from", options.from, 0, Number.MAX_SAFE_INTEGER)}&limit=${whole("limit", options.limit, 1, 500)}`;
      const answer = (await (await context.client()).read(await context.signer(), path)) as { entries: { index: number; streamSeq: number; time: string | null; type: string; actor: string | null }[] };
      print(context.output, answer, () => table([["index", "seq", "time", "type", "actor"], ...answer.entries.map((entry) => [String(entry.index), String(entry.streamSeq), entry.time ?? "", entry.type, entry.actor ?? ""])]));
    });

  ledger.command("proof <index>").description("the proof that an entry stands in the log (C2SP tlog-proof)").action(async (index: string, _options, command: Command) => {
    const context = await Context.of(command);
    const answer = (await (await context.client()).get(`/v1/ledger/proof/${whole("index", index, 0, Number.MAX_SAFE_INTEGER)}`)) as { proof: string };
    print(context.output, answer, () => [answer.proof.trimEnd()]);
  });

  ledger
    .command("erase <index>")
    .description("erase the body of a refused command, as a law orders: in your unit's stream, or as an operator elsewhere; its commitment stays")
    .option("--imvu-id <id>", "whose stream it stands in; default: no unit's", imvuFlag)
    .option(...ORDER_FILE)
    .option(...ORDER_SHA256)
    .action(async (text: string, options: { imvuId?: ImvuId } & OrderOptions, command: Command) => {
      const context = await Context.of(command);
      const index = whole("index", text, 0, Number.MAX_SAFE_INTEGER);
      const order = await orderOf(options);
      const imvu = options.imvuId ?? null;
      const done = imvu === null ? await eraseEntry(context, await context.operator(), "platform.erase", null, index, order) : await eraseEntry(context, await context.signer(), "imvu.erase", imvu, index, order);
      print(context.output, done, () => [`the body of entry ${index} is gone (ledger entry ${(done as { order: number }).order}); its commitment stays`]);
    });

  ledger.command("fsck").description("recompute the whole log, from bodies to checkpoint").action(async (_options, command: Command) => {
    const context = await Context.of(command);
    const answer = (await (await context.client()).get("/v1/ledger/fsck")) as { ok: boolean; entries: number; failures: { index: number; what: string }[] };
    print(context.output, answer, () => (answer.ok ? [`${paint("green", "whole")}  ${answer.entries} entries recomputed`] : answer.failures.map((failure) => `${paint("red", "WRONG")}  entry ${failure.index}: ${failure.what}`)));
    if (!answer.ok) process.exitCode = EXIT.notSo;
  });

  ledger
    .command("replay")
    .description("tell the tables again from the log alone, and compare")
    .requiredOption("--check", "compare only; nothing is written")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/ledger/replay")) as { ok: boolean; projections: number; failures: { table: string; key: string; what: string }[] };
      print(context.output, answer, () => (answer.ok ? [`${paint("green", "equal")}  ${answer.projections} rows are as the log tells them`] : answer.failures.map(({ table: name, key, what }) => `${paint("red", "WRONG")}  ${name} ${key}: ${what}`)));
      if (!answer.ok) process.exitCode = EXIT.notSo;
    });

  ledger
    .command("export")
    .description("take the log home in open formats, checked while it comes: tiles, checkpoint, key, and the bodies you may read")
    .requiredOption("--out <dir>", "a folder that does not exist yet")
    .option("--imvu-id <id>", "bodies of this unit only; default: of every unit you are a member of", imvuFlag)
    .action(async (options: { out: string; imvuId?: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const client = await context.client();
      const { exportLog } = await import("../export-log.ts");
      const reader = options.imvuId !== undefined || (await listStoredIdentities(context.identities)).length > 0 ? await context.signer() : undefined;
      const units = options.imvuId !== undefined ? [options.imvuId] : reader ? ((await client.read(reader, "/v1/imvus")) as unknown as { imvus: { id: ImvuId }[] }).imvus.map(({ id }) => id) : [];
      const answer = await exportLog(client, resolve(options.out), { units, reader }, (line) => say(context.output, line));
      print(context.output, answer, () => [
        `${paint("green", "whole")}  ${answer.size} entries of ${answer.origin}, ${answer.tiles} tiles in ${answer.path}`,
        ...table(Object.entries(answer.bodies).map(([stream, count]) => [`  ${stream}`, `${count} bodies`])),
        `next: nexus verify-export ${answer.path}`,
      ]);
    });

  program
    .command("meter")
    .description("what a unit has used")
    .command("read")
    .description("read every meter now, into the ledger")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).post(await context.signer(), `/v1/imvus/${options.imvuId}/meter`, {})) as { index: number; at: string; readings: { resource: string; value: string }[] };
      print(context.output, answer, () => [`entry ${answer.index} at ${answer.at}`, ...table(answer.readings.map((reading) => [`  ${reading.resource}`, reading.value]))]);
    });

  const verify = program.command("verify").description("ask reality whether the law holds, and the ledger whether the money adds up");
  revenueVerb(verify);
  verify
    .command("gates")
    .description("seventeen probes; exit 0 only when all hold")
    .option("--imvu-id <id>", "of one unit only", imvuFlag)
    .option("--rehearse", "make the unit's exit now, without leaving: its bundle is imported into a scratch instance and compared (gate 13)")
    .action(async (options: { imvuId?: ImvuId; rehearse?: true }, command: Command) => {
      const context = await Context.of(command);
      if (options.rehearse) {
        if (options.imvuId === undefined) throw usageFailure("--rehearse: needs a unit", "add --imvu-id ID");
        say(context.output, `rehearsing the exit of ${options.imvuId}`);
        await (await context.client()).post(await context.signer(), `/v1/imvus/${options.imvuId}/rehearsal`, {}, REHEARSAL_TIMEOUT_MS);
      }
      const answer = (await (await context.client()).get(`/v1/verify/gates${options.imvuId ? `?imvu=${options.imvuId}` : ""}`)) as unknown as { gates: Row[] };
      print(context.output, answer, () => gateLines(answer.gates));
      if (answer.gates.some((gate) => gate.verdict !== "holds")) process.exitCode = EXIT.notSo;
    });
}

interface Row {
  readonly gate: number;
  readonly title: string;
  readonly verdict: "holds" | "broken" | "unproven";
  readonly evidence: string;
}

const VERDICT_COLOUR = { holds: "green", broken: "red", unproven: "yellow" } as const;

function gateLines(gates: readonly Row[]): string[] {
  const rows = table(gates.map((gate) => [String(gate.gate).padStart(2), gate.title, gate.verdict, gate.evidence.length > 110 ? `${gate.evidence.slice(0, 109)}…` : gate.evidence]));
  return rows.map((row, at) => {
    const verdict = gates[at]?.verdict ?? "unproven";
    return row.replace(verdict, paint(VERDICT_COLOUR[verdict], verdict));
  });
}
