import { fork } from "node:child_process";
import { createHash, verify } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Op, Receipt, SignedCommand } from "../../src/contract/index.ts";
import { commandFields, createIdentityKey, signCommand, type SigningKey } from "../../src/core/identity/index.ts";
import { type VerifiedReceipt, verifyReceipt } from "../../src/core/ledger/pure.ts";
import { type ImvuId, type Json, sha256Hex } from "../../src/kernel/index.ts";
import { BenchDatabase } from "./bench-database.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { engineProcesses } from "./engine-processes.ts";
import { HttpClient, postOf } from "./http-client.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const CLIENTS = 32;
const COMMANDS_EACH = 250;
/** Of each client's answers. */
const SAMPLE_EVERY = 10;
const ROUNDS = 5;
const RAW_CONNECTIONS = 8;
const RAW_COMMITS = 8_000;
const RAW_VERIFICATIONS = 4_000;

interface Client {
  readonly name: string;
  readonly key: SigningKey;
  readonly http: HttpClient;
  imvu: ImvuId;
}

export const commands: Part = {
  name: "commands",
  title: "Commands",
  about: `${CLIENTS} clients send signed commands (\`consent.record\`, each client on an IMVU of its own) one after the other over HTTP to a service in a process of its own: signature, facts, seventeen verdicts, intent, outcome, two receipts with proofs under a signed checkpoint, all durable. The clients, the service and PostgreSQL share the machine's cores; commands are signed and written out before the clock runs. The clients share a process that speaks HTTP over sockets of its own and costs little: it demands status 200 of every answer and keeps every ${SAMPLE_EVERY}th, whose two receipts are verified in full after the clock – body, place, proof, signed checkpoint, the very command that was sent. ${(CLIENTS * COMMANDS_EACH).toLocaleString("en")} commands a round, ${ROUNDS} rounds in turn with the raw sides: rows of the same size, each in a transaction of its own, over ${RAW_CONNECTIONS} connections; and Ed25519 verifications alone. CPU time is what the kernel counted for the processes of each part, per command; two cores have 1,000 µs for each at 2,000/s.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const siteFile = join(database.site.dir, "site.json");
    await writeFile(siteFile, JSON.stringify(database.site));
    const service = fork(join(import.meta.dirname, "commands-service.ts"), [siteFile], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const clients: Client[] = [];
    try {
      const [{ verifierKey }] = (await once(service, "message")) as [{ verifierKey: string }];
      for (let at = 0; at < CLIENTS; at += 1) clients.push(await settled(database.site.ports.api, `client-${at + 100}`));
      const engines = [...(await engineProcesses(database.site.homeId, process.pid))].filter((pid) => pid !== process.pid);
      const parts = { service: [service.pid as number], PostgreSQL: engines, clients: [process.pid] };
      const rounds: Round[] = [];
      const [commits, checks]: [number[], number[]] = [[], []];
      const [first] = clients as [Client];
      const sample = sign(first, "consent.record", consent("sample", 0));
      await load(clients, -1, parts, verifierKey);
      for (let at = 0; at < ROUNDS; at += 1) {
        rounds.push(await load(clients, at, parts, verifierKey));
        commits.push(await rawCommits(database, JSON.stringify(sample)));
        checks.push(rawVerifications(first, sample));
      }
      return figures(rounds, commits, checks);
    } finally {
      for (const { http } of clients) http.close();
      service.disconnect();
      if (service.exitCode === null) await once(service, "exit");
    }
  },
};

function figures(rounds: readonly Round[], commits: readonly number[], checks: readonly number[]): readonly Figure[] {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const [rate, p99] = [median(rates), median(rounds.map(({ p99_ms }) => p99_ms))];
  const ratioTo = (raw: readonly number[]) => round(median(rates.map((value, at) => value / (raw[at] ?? 1))));
  const cpu = (name: string, us: (of: Round["cpu_us"]) => number): Figure => ({ name, ours: round(median(rounds.map(({ cpu_us }) => us(cpu_us))), 0), baseline: null, unit: "µs", ratio: null, goal: "", met: true });
  return [
    { name: "signed commands / single-row commits", ours: round(rate, 0), baseline: round(median(commits), 0), unit: "/s", ratio: ratioTo(commits), goal: "at least 2000 /s", met: rate >= 2_000 },
    { name: "the same / Ed25519 verifications on one core", ours: round(rate, 0), baseline: round(median(checks), 0), unit: "/s", ratio: ratioTo(checks), goal: "", met: true },
    { name: "answer to a command, 99th percentile", ours: round(p99, 1), baseline: null, unit: "ms", ratio: null, goal: "under 50 ms", met: p99 < 50 },
    cpu("CPU time for a command, all together", (of) => of.service + of.PostgreSQL + of.clients),
    cpu("of it the service", (of) => of.service),
    cpu("of it PostgreSQL", (of) => of.PostgreSQL),
    cpu("of it the clients", (of) => of.clients),
  ];
}

/** A client with an identity that is registered and a unit of its own. */
async function settled(port: number, name: string): Promise<Client> {
  const client: Client = { name, key: createIdentityKey(), http: await HttpClient.open(port), imvu: "" as ImvuId };
  const send = async (signed: SignedCommand) => JSON.parse((await accepted(client, requestOf(signed))).toString("utf8")) as { imvu: ImvuId };
  await send(sign(client, "identity.register", { name, publicKey: client.key.publicKey.text }));
  const envelope = { cpuMillis: 100, memoryBytes: 2 ** 26, storageBytes: 2 ** 28, iops: 100, bandwidthBps: 10 ** 8, processes: 64, burst: null };
  const made = await send(sign(client, "imvu.create", { name: "Unit", owner: name, jurisdiction: "EU-GDPR", envelope, runtime: "static", mailboxPasswordHash: sha256Hex("hash") }));
  client.imvu = made.imvu;
  return client;
}

/** The body of the answer to a command that was accepted and carried out; any other answer ends the benchmark. */
async function accepted({ http }: Client, request: Buffer): Promise<Buffer> {
  const { status, body } = await http.ask(request);
  if (status !== 200) throw new TypeError(`${status}: ${body.toString("utf8").slice(0, 500)}`);
  return body;
}

interface Round {
  readonly perSecond: number;
  readonly p99_ms: number;
  /** For each command. */
  readonly cpu_us: { readonly service: number; readonly PostgreSQL: number; readonly clients: number };
}

async function load(clients: readonly Client[], round_: number, parts: Record<keyof Round["cpu_us"], readonly number[]>, verifierKey: string): Promise<Round> {
  const all = clients.map((client) => Array.from({ length: COMMANDS_EACH }, (_, at) => sign(client, "consent.record", consent(`user-${round_ + 2}`, at))));
  const requests = all.map((own) => own.map(requestOf));
  const cpu = async () => ({ service: await cpuTimeMs(parts.service), PostgreSQL: await cpuTimeMs(parts.PostgreSQL), clients: await cpuTimeMs(parts.clients) });
  const kept: { readonly sent: SignedCommand; readonly answer: Buffer }[] = [];
  const taken: number[] = [];
  const before = await cpu();
  const began = performance.now();
  await Promise.all(
    clients.map(async (client, who) => {
      for (const [at, request] of (requests[who] as readonly Buffer[]).entries()) {
        const sent = performance.now();
        const answer = await accepted(client, request);
        taken.push(performance.now() - sent);
        if (at % SAMPLE_EVERY === 0) kept.push({ sent: all[who]?.[at] as SignedCommand, answer });
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  const after = await cpu();
  for (const { sent, answer } of kept) checkAnswer(sent, answer, verifierKey);
  taken.sort((a, b) => a - b);
  const each = (part: keyof Round["cpu_us"]) => ((after[part] - before[part]) * 1_000) / taken.length;
  return { perSecond: taken.length / seconds, p99_ms: taken[Math.floor(taken.length * 0.99)] ?? Number.NaN, cpu_us: { service: each("service"), PostgreSQL: each("PostgreSQL"), clients: each("clients") } };
}

/** Both receipts hold, the first is of this very command, and the second is of its outcome. */
function checkAnswer(sent: SignedCommand, answer: Buffer, verifierKey: string): void {
  const { receipt, outcome } = JSON.parse(answer.toString("utf8")) as { receipt: Receipt; outcome: { receipt: Receipt } };
  const [intent, applied] = [receipt, outcome.receipt].map((one) => {
    const verified = verifyReceipt(one, verifierKey);
    if (!verified.ok) throw new TypeError(verified.message);
    return verified.value;
  }) as [VerifiedReceipt, VerifiedReceipt];
  const is = intent.entry.type === "command.accepted" && JSON.stringify((intent.entry.data as { jws: SignedCommand }).jws) === JSON.stringify(sent);
  if (!is || applied.entry.type !== "effect.applied" || (applied.entry.data as { intent: number }).intent !== intent.index) throw new TypeError(`entries ${intent.index} and ${applied.index} are not the command that was sent`);
}

function consent(subject: string, at: number): Record<string, Json> {
  return { subject: `${subject}.${at}`, purpose: "newsletter", text: sha256Hex("the terms"), state: "given" };
}

function sign(client: Client, op: Op, params: Record<string, Json>): SignedCommand {
  return signCommand(commandFields(op, client.imvu === "" ? null : client.imvu, params, Date.now()), client.key);
}

function requestOf(signed: SignedCommand): Buffer {
  return postOf("/v1/commands", JSON.stringify(signed));
}

async function rawCommits(database: BenchDatabase, text: string): Promise<number> {
  const connections = await Promise.all(Array.from({ length: RAW_CONNECTIONS }, () => database.owner()));
  try {
    await connections[0]?.query("CREATE TABLE IF NOT EXISTS bench_row (id bigserial PRIMARY KEY, body text NOT NULL)");
    const began = performance.now();
    await Promise.all(
      connections.map(async (connection) => {
        for (let at = 0; at < RAW_COMMITS / RAW_CONNECTIONS; at += 1) await connection.query("INSERT INTO bench_row (body) VALUES ($1)", [text]);
      }),
    );
    return RAW_COMMITS / ((performance.now() - began) / 1_000);
  } finally {
    await Promise.all(connections.map((connection) => connection.end()));
  }
}

function rawVerifications({ key }: Client, { payload, signatures }: SignedCommand): number {
  const [first] = signatures;
  const input = Buffer.from(`${first?.protected}.${payload}`);
  const signature = Buffer.from(first?.signature ?? "", "base64url");
  const began = performance.now();
  for (let at = 0; at < RAW_VERIFICATIONS; at += 1) if (!verify(null, input, key.publicKey.key, signature)) throw new TypeError(createHash("sha256").update(input).digest("hex"));
  return RAW_VERIFICATIONS / ((performance.now() - began) / 1_000);
}
