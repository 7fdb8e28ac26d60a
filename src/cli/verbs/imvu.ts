import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { type Envelope, hashMailPassword } from "../../contract/index.ts";
import { type ImvuId, type Json, parseCurrency, parseDisplayName, parseIdentityName, parseImvuId, parseJurisdiction, parseTimeZone, sha256File, writeFileAtomic } from "../../kernel/index.ts";
import type { Client, Done } from "../client.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { bytesText, paint, print, say, table } from "../output.ts";
import { type EnvelopeFlags, envelopeOf } from "../units.ts";
import { keepPassword } from "../passwords.ts";
import { keepReceipt } from "../receipts.ts";
import { ensureRegistered } from "./identity.ts";
import { memberVerbs } from "./members.ts";
import { snapshotVerbs } from "./snapshots.ts";

const PASSWORD_BYTES = 18;

export function imvuVerbs(program: Command): void {
  const noun = program.command("imvu").description("units of hosting: create, look at, resize, leave, arrive");

  withEnvelope(noun.command("create"))
    .description("one command: envelope, running service, signed zone, working mailbox, routes and meters")
    .requiredOption("--name <name>", "for people, and as a label of the zone")
    .requiredOption("--owner <identity>", "the identity that signs and owns it")
    .requiredOption("--jurisdiction <tag>", "where its data may lie, e.g. EU-GDPR")
    .option("--time-zone <name>", "by whose clock its months begin, for good, e.g. Europe/Berlin; default: UTC")
    .option("--currency <code>", "ISO 4217: in what it is rated, sold and paid, for good; default: EUR")
    .addOption(new Option("--blueprint <runtime>", "what the first service runs in").choices(["static", "node", "python"]).default("static"))
    .action(async (options: EnvelopeFlags & { name: string; owner: string; jurisdiction: string; blueprint: string; timeZone?: string; currency?: string }, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseDisplayName(options.name));
      const owner = must(parseIdentityName(options.owner));
      const jurisdiction = must(parseJurisdiction(options.jurisdiction));
      const timeZone = options.timeZone === undefined ? undefined : must(parseTimeZone(options.timeZone));
      const currency = options.currency === undefined ? undefined : must(parseCurrency(options.currency));
      const envelope = envelopeOf(options);
      const who = await context.signer(owner);
      const client = await context.client();
      await ensureRegistered(context, client, who);
      const password = randomBytes(PASSWORD_BYTES).toString("base64url");
      const mailboxPasswordHash = await client.uploadBytes(who, Buffer.from(await hashMailPassword(password)));
      const done = await context.command(who, "imvu.create", null, { name, owner, jurisdiction, envelope: envelope as unknown as Json, runtime: options.blueprint, mailboxPasswordHash, ...(timeZone === undefined ? {} : { timeZone }), ...(currency === undefined ? {} : { currency }) });
      const view = done.outcome.result as unknown as View;
      const passwordFile = await keepPassword(context.home, view.mail.address, password);
      const receiptFile = await keepReceipt(context.home, done);
      const document = {
        ...view,
        mail: { ...view.mail, passwordFile },
        verdicts: done.verdicts,
        receipt: { index: done.outcome.receipt.index, file: receiptFile },
        timings: done.timings,
      };
      print(context.output, document, () => createdLines(document, done));
    });

  noun
    .command("list")
    .description("the units you are a member of")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), "/v1/imvus")) as { imvus: Record<string, string>[] };
      print(context.output, answer, () =>
        answer.imvus.length === 0 ? ["none yet: nexus imvu create --name NAME --owner YOU --jurisdiction EU-GDPR"] : table(answer.imvus.map((one) => [one.id ?? "", one.name ?? "", one.status ?? "", one.zone ?? "", one.jurisdiction ?? ""])),
      );
    });

  noun
    .command("show <id>")
    .description("one unit as its engines show it")
    .action(async (id: string, _options, command: Command) => {
      const context = await Context.of(command);
      const view = (await (await context.client()).read(await context.signer(), `/v1/imvus/${must(parseImvuId(id))}`)) as unknown as View;
      print(context.output, view, () => viewLines(view));
    });

  withEnvelope(noun.command("scale"))
    .description("resize the envelope: up at once; down only with the owner's signature")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: EnvelopeFlags & { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer();
      const client = await context.client();
      // A stranger cannot read the present envelope; her command is still sent, so that its refusal is recorded.
      const now = await client.read(who, `/v1/imvus/${options.imvuId}`).then(
        (view) => (view as unknown as View).agreed,
        (error: unknown) => {
          if (error instanceof Failure && error.document.code === "NO_SUCH_IMVU") return undefined;
          throw error;
        },
      );
      const done = await context.command(who, "imvu.scale", options.imvuId, { envelope: envelopeOf(options, now) as unknown as Json });
      const view = done.outcome.result as unknown as View;
      print(context.output, { ...view, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } }, () => viewLines(view));
    });

  noun
    .command("exit")
    .description("leave with everything: a bundle in open formats, rehearsed and verified before it is called complete")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--export-path <dir>", "the folder the bundle is written to")
    .option("--encrypt-to <recipient>", "an age recipient; the archive is then encrypted on the platform, and verified by whoever can open it")
    .action(async (options: { imvuId: ImvuId; exportPath: string; encryptTo?: string }, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer();
      const done = await context.command(who, "imvu.exit", options.imvuId, { encryptTo: options.encryptTo ?? null });
      const result = done.outcome.result as { state: string; sha256: string; sections: Json; rehearsal: { compared: number; equal: number } };
      const fetched = await fetchBundle(context, await context.client(), options.imvuId, resolve(options.exportPath), result.sha256);
      const document = { ...result, ...fetched, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } };
      print(context.output, document, () => [
        `${paint("green", "complete")}  ${options.imvuId} is in ${fetched.path ?? fetched.archive}`,
        `  rehearsed: ${result.rehearsal.equal} of ${result.rehearsal.compared} resources equal`,
        ...(fetched.path ? [`  verified offline: ${fetched.verified}`, `next: node ${join(fetched.path, "verify.mjs")}`] : []),
      ]);
    });

  memberVerbs(noun);
  snapshotVerbs(noun);

  noun
    .command("import <bundle>")
    .description("bring a bundle (folder or .tar.zst) to life on this platform")
    .option("--name <name>", "another name than the one it had")
    .action(async (bundle: string, options: { name?: string }, command: Command) => {
      const context = await Context.of(command);
      const client = await context.client();
      const who = await context.signer();
      const { packForUpload } = await import("../upload-bundle.ts");
      const packed = await packForUpload(resolve(bundle));
      try {
        await ensureRegistered(context, client, who);
        say(context.output, `uploading ${bytesText((await stat(packed.archive)).size)}`);
        const digest = await client.uploadFile(who, packed.archive);
        const { manifest, imvu } = packed;
        const name = options.name === undefined ? imvu.name : must(parseDisplayName(options.name));
        const done = await context.command(who, "imvu.import", null, { bundle: digest, manifest, name, jurisdiction: imvu.jurisdiction, sourceId: imvu.id, zone: imvu.zone, ...(imvu.timeZone === undefined ? {} : { timeZone: imvu.timeZone }), ...(imvu.currency === undefined ? {} : { currency: imvu.currency }) });
        const view = done.outcome.result as unknown as View;
        print(context.output, { ...view, verdicts: done.verdicts, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) }, timings: done.timings }, () => viewLines(view));
      } finally {
        await packed.close();
      }
    });
}

function withEnvelope(command: Command): Command {
  return command
    .option("--cpu <cores>", "cores, e.g. 0.5 or 2")
    .option("--memory <GiB>", "memory in GiB")
    .option("--storage <GiB>", "storage in GiB")
    .option("--iops <n>", "read and write operations per second, each")
    .option("--bandwidth <Mbit/s>", "in each direction")
    .option("--processes <n>", "processes and threads over all services")
    .option("--burst <NxTIME>", "extra CPU for a bounded time, e.g. 2x5m; or none");
}

/** The keys scripts rely on; see docs. */
export interface View {
  readonly imvu: { readonly id: ImvuId; readonly name: string; readonly owner: string; readonly jurisdiction: string; readonly status: string; readonly zone: string; readonly createdAt: string; readonly timeZone: string; readonly currency: string };
  readonly agreed: Envelope;
  readonly envelope: { readonly cpuCores: number; readonly memoryBytes: number; readonly storageBytes: number; readonly iops: number; readonly bandwidthBps: number; readonly processes: number; readonly burst: Envelope["burst"] };
  readonly compute: { readonly service: string; readonly engine: string; readonly state: string };
  readonly dns: { readonly nameserver: string; readonly ds: readonly string[] };
  readonly mail: { readonly address: string; readonly imap: string; readonly submission: string; readonly servername: string };
  readonly routes: readonly { readonly class: string; readonly url: string }[];
}

function viewLines(view: View): string[] {
  const { imvu, envelope, compute, dns, mail, routes } = view;
  return [
    `${paint("bold", imvu.id)}  ${imvu.name}  ${imvu.status}  ${imvu.jurisdiction}  owned by ${imvu.owner}`,
    ...table([
      ["  service", `${compute.service} (${compute.engine}) ${compute.state}`],
      ["  envelope", `${envelope.cpuCores} cores · ${bytesText(envelope.memoryBytes)} memory · ${bytesText(envelope.storageBytes)} storage · ${envelope.iops} IO/s · ${envelope.bandwidthBps / 1e6} Mbit/s · ${envelope.processes} processes (read back from the kernel)`],
      ["  money", `in ${imvu.currency}, months by the clock of ${imvu.timeZone}`],
      ["  zone", `${imvu.zone} at ${dns.nameserver}`],
      ...dns.ds.map((ds) => ["  DS", ds]),
      ["  mailbox", `${mail.address} · IMAP ${mail.imap} · SMTP ${mail.submission} (STARTTLS, certificate for ${mail.servername})`],
      ...routes.map((route) => [`  ${route.class}`, route.url]),
    ]),
  ];
}

function createdLines(document: View & { mail: { passwordFile: string }; receipt: { index: number; file: string }; timings: readonly { ms: number }[] }, done: Done): string[] {
  const passed = done.verdicts.filter((verdict) => verdict.verdict !== "deny").length;
  const total = document.timings.reduce((sum, { ms }) => sum + ms, 0);
  return [
    ...viewLines(document),
    ...table([
      ["  password", document.mail.passwordFile],
      ["  law", `${passed}/${done.verdicts.length} gates`],
      ["  ledger", `entry ${document.receipt.index}, receipt ${document.receipt.file}`],
      ["  time", `${Math.round(total)} ms in ${document.timings.length} steps`],
    ]),
    `next: nexus deploy --imvu-id ${document.imvu.id} --dir PATH`,
  ];
}

interface Fetched {
  readonly archive: string;
  /** The unpacked bundle; absent for an encrypted one. */
  readonly path?: string;
  readonly verified?: string;
}

/** Downloads the archive, unpacks it as hostile input, verifies it offline, and only then calls it complete. */
async function fetchBundle(context: Context, client: Client, imvu: ImvuId, folder: string, sha256: string): Promise<Fetched> {
  await mkdir(folder, { recursive: true });
  const { name, body } = await client.download(await context.signer(), `/v1/imvus/${imvu}/exit/archive`);
  if (!/^[A-Za-z0-9._-]+\.tar\.zst(\.age)?$/.test(name)) throw new Failure({ code: "BAD_ARCHIVE_NAME", message: "the platform answered an archive without a proper name", hint: "try again" }, EXIT.engine);
  const archive = join(folder, name);
  await pipeline(body, createWriteStream(archive, { mode: 0o600 }));
  const seen = await sha256File(archive);
  if (seen !== sha256) throw new Failure({ code: "ARCHIVE_DIGEST", message: `${archive} has SHA-256 ${seen}, but the ledger says ${sha256}`, hint: "download again: nexus imvu exit" }, EXIT.notSo);
  await writeFileAtomic(`${archive}.sha256`, `${seen}  ${basename(archive)}\n`, 0o600);
  if (name.endsWith(".age")) return { archive };
  const path = join(folder, name.slice(0, -".tar.zst".length));
  if (await stat(path).catch(() => undefined)) throw usageFailure(`--export-path: ${path} exists already`, "choose another folder");
  await mkdir(path, { mode: 0o700 });
  try {
    const { unpackBundle, verifyExport } = await import("../../verify/index.ts");
    must(await unpackBundle(archive, path));
    const verification = await verifyExport(path);
    const first = verification.failures[0];
    if (!verification.ok) throw new Failure({ code: "BUNDLE_WRONG", message: `the bundle does not verify: ${first?.what}: expected ${first?.expected}, found ${first?.found}`, hint: "export again; keep this one as evidence" }, EXIT.notSo);
    const { entries, commands, verdicts, statements, files } = verification.counts;
    return { archive, path, verified: `entries ${entries} · commands ${commands} · verdicts ${verdicts} · statements ${statements} · files ${files}` };
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}
