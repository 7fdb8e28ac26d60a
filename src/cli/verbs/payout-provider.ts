import type { Command } from "commander";
import type { Json } from "../../kernel/index.ts";
import { Context, must } from "../context.ts";
import { EXIT, Failure, failureOfThrown, usageFailure } from "../failure.ts";
import { print, say, table } from "../output.ts";
import { duePayouts } from "../payouts/due.ts";
import { ProviderHttp } from "../payouts/http.ts";
import type { PayoutProvider, PayoutToSend } from "../payouts/provider.ts";
import { Wise, WISE_URL } from "../payouts/wise.ts";
import { keepReceipt } from "../receipts.ts";
import { secretFile } from "../secret-input.ts";
import { whole } from "../units.ts";

const TOKEN = { what: "the provider's API token", code: "BAD_TOKEN_FILE", bytes_max: 4_096 };

interface ProviderFlags {
  readonly provider: string;
  readonly tokenFile: string;
  readonly profile: string;
  readonly url: string;
}

interface Executed {
  readonly imvu: string;
  readonly id: string;
  readonly executed: { readonly reference: string };
}

/** Paying through a provider's API: its token stays with the operator who holds it, as does the operator's key. */
export function payoutProviderVerbs(noun: Command): void {
  const asked = (verb: string, what: string) =>
    noun
      .command(verb)
      .description(what)
      .requiredOption("--provider <name>", "wise")
      .requiredOption("--token-file <file>", "a file of mode 0600 with the provider's API token alone in it")
      .requiredOption("--profile <n>", "whose balance pays: the profile's id at the provider")
      .option("--url <address>", "where its API is, for its sandbox", WISE_URL);

  asked("send", "pay all payouts that are to be made through a provider, and say so, as an operator; run again after a fault it finishes, and pays nothing twice").action(async (flags: ProviderFlags, command: Command) => {
    const context = await Context.of(command);
    const provider = await providerOf(flags);
    const due = await duePayouts(context);
    if (context.flags.dryRun) {
      print(context.output, { dryRun: true, payouts: due.map(({ id, amount, currency }) => ({ id, amount, currency })) }, () => table(due.map(({ id, currency, amount, account }) => [id, currency, amount, account.iban, account.holder])));
      return;
    }
    await eachOf(context, due, "sent", async (payout) => {
      await mayBeSaid(context, payout);
      const reference = must(await provider.send(payout));
      const done = await context.command(await context.operator(), "platform.payout.execute", null, { imvu: payout.imvu, payout: payout.id, reference, at: new Date().toISOString() });
      await keepReceipt(context.home, done);
      return { id: payout.id, amount: payout.amount, currency: payout.currency, reference, index: (done.outcome.result as unknown as { index: number }).index };
    });
  });

  asked("check", "ask a provider what became of the payouts it executed, and say which came back, as an operator").action(async (flags: ProviderFlags, command: Command) => {
    const context = await Context.of(command);
    const provider = await providerOf(flags);
    const { payouts } = (await (await context.client()).read(await context.operator(), "/v1/payouts?state=executed")) as unknown as { readonly payouts: readonly Executed[] };
    const mine = payouts.filter(({ executed }) => executed.reference.startsWith(`${provider.name}:`));
    await eachOf(context, mine, "checked", async ({ imvu, id, executed: { reference } }): Promise<Readonly<Record<string, Json>>> => {
      const now = must(await provider.check(reference));
      if (now.state !== "back") return { id, reference, state: now.state };
      const done = await context.command(await context.operator(), "platform.payout.return", null, { imvu, payout: id, reason: now.reason, at: new Date().toISOString() });
      await keepReceipt(context.home, done);
      return { id, reference, state: "returned", reason: now.reason };
    });
  });
}

async function providerOf({ provider, tokenFile, profile, url }: ProviderFlags): Promise<PayoutProvider> {
  if (provider !== "wise") throw usageFailure(`--provider: ${JSON.stringify(provider.slice(0, 40))} is none that is known`, "use --provider wise; any bank takes the file of 'nexus payout file'");
  const token = must(await secretFile(tokenFile, "--token-file", TOKEN));
  return new Wise(must(ProviderHttp.at(url, token)), whole("profile", profile, 1, Number.MAX_SAFE_INTEGER));
}

/** Judged before any money moves: what could not be said afterwards is not paid. */
async function mayBeSaid(context: Context, { imvu, id }: PayoutToSend): Promise<void> {
  const client = await context.client();
  const rehearsed = (await client.rehearse(client.signed(await context.operator(), "platform.payout.execute", null, { imvu, payout: id, reference: "rehearsal", at: new Date().toISOString() }))) as unknown as { allowed: boolean; refusal?: { code: string; message: string } };
  if (!rehearsed.allowed) throw new Failure({ code: rehearsed.refusal?.code ?? "REFUSED", message: `nothing was paid: ${rehearsed.refusal?.message}`, hint: "where two operators must sign, pay it by 'nexus payout file' and say so with 'nexus payout executed'", kind: "gate" }, EXIT.gate);
}

/** One that fails does not stop the others; the first failure is the verb's own. */
async function eachOf<T extends { readonly id: string }>(context: Context, all: readonly T[], what: string, work: (one: T) => Promise<Readonly<Record<string, Json>>>): Promise<void> {
  const done: Readonly<Record<string, Json>>[] = [];
  const failed: { readonly id: string; readonly failure: Failure }[] = [];
  for (const one of all) {
    try {
      done.push(await work(one));
    } catch (error) {
      const failure = failureOfThrown(error);
      failed.push({ id: one.id, failure });
      say(context.output, `${one.id}: ${failure.document.message}`);
    }
  }
  const [first] = failed;
  if (first) throw new Failure({ ...first.failure.document, message: `${first.id}: ${first.failure.document.message} (${done.length} of ${all.length} ${what})`, [what]: done, failed: failed.map(({ id, failure }) => ({ id, code: failure.document.code })) }, first.failure.exitCode);
  print(context.output, { [what]: done }, () => (done.length === 0 ? ["nothing to do"] : table(done.map((one) => Object.values(one).map(String)))));
}
