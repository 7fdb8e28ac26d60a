import { fork } from "node:child_process";
import { createHash, verify } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import type { Op, SignedCommand } from "../../src/contract/index.ts";
import { commandFields, createIdentityKey, signCommand, type SigningKey } from "../../src/core/identity/index.ts";
import { type ImvuId, type Json, sha256Hex } from "../../src/kernel/index.ts";
import { BenchDatabase } from "./bench-database.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const CLIENTS = 32;
const COMMANDS_EACH = 250;
const ROUNDS = 5;
const RAW_CONNECTIONS = 8;
const RAW_COMMITS = 8_000;
const RAW_VERIFICATIONS = 4_000;

interface Client {
  readonly name: string;
  readonly key: SigningKey;
  imvu: ImvuId;
}

export const commands: Part = {
  name: "commands",
  title: "Commands",
  about: `${CLIENTS} clients send signed commands (\`consent.record\`, each client on an IMVU of its own) one after the other over HTTP to a service in a process of its own: signature, facts, seventeen verdicts, intent, outcome, two receipts with proofs under a signed checkpoint, all durable. The clients, the service and PostgreSQL share the machine's cores; commands are signed before the clock runs. ${(CLIENTS * COMMANDS_EACH).toLocaleString("en")} commands a round, ${ROUNDS} rounds in turn with the raw sides: rows of the same size, each in a transaction of its own, over ${RAW_CONNECTIONS} connections; and Ed25519 verifications alone.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const siteFile = join(database.site.dir, "site.json");
    await writeFile(siteFile, JSON.stringify(database.site));
    const service = fork(join(import.meta.dirname, "commands-service.ts"), [siteFile], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    try {
      await once(service, "message");
      const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
      const send = (signed: SignedCommand) => post(agent, database.site.ports.api, signed);
      const clients = await settle(send);
      const [rates, slow, commits, checks]: [number[], number[], number[], number[]] = [[], [], [], []];
      const sample = sign(clients[0] as Client, "consent.record", consent("sample", 0));
      await load(clients, send, -1);
      for (let at = 0; at < ROUNDS; at += 1) {
        const round_ = await load(clients, send, at);
        rates.push(round_.perSecond);
        slow.push(round_.p99_ms);
        commits.push(await rawCommits(database, JSON.stringify(sample)));
        checks.push(rawVerifications(clients[0] as Client, sample));
      }
      return figures(rates, slow, commits, checks);
    } finally {
      service.disconnect();
      if (service.exitCode === null) await once(service, "exit");
    }
  },
};

function figures(rates: readonly number[], slow: readonly number[], commits: readonly number[], checks: readonly number[]): readonly Figure[] {
  const [rate, p99] = [median(rates), median(slow)];
  const ratioTo = (raw: readonly number[]) => round(median(rates.map((value, at) => value / (raw[at] ?? 1))));
  return [
    { name: "signed commands / single-row commits", ours: round(rate, 0), baseline: round(median(commits), 0), unit: "/s", ratio: ratioTo(commits), goal: "at least 2000 /s", met: rate >= 2_000 },
    { name: "the same / Ed25519 verifications on one core", ours: round(rate, 0), baseline: round(median(checks), 0), unit: "/s", ratio: ratioTo(checks), goal: "", met: true },
    { name: "answer to a command, 99th percentile", ours: round(p99, 1), baseline: null, unit: "ms", ratio: null, goal: "under 50 ms", met: p99 < 50 },
  ];
}

/** Registers an identity and makes a unit for each client. */
async function settle(send: (signed: SignedCommand) => Promise<Json>): Promise<readonly Client[]> {
  const clients: Client[] = [];
  for (let at = 0; at < CLIENTS; at += 1) {
    const client: Client = { name: `client-${at + 100}`, key: createIdentityKey(), imvu: "" as ImvuId };
    await send(sign(client, "identity.register", { name: client.name, publicKey: client.key.publicKey.text }));
    const envelope = { cpuMillis: 100, memoryBytes: 2 ** 26, storageBytes: 2 ** 28, iops: 100, bandwidthBps: 10 ** 8, processes: 64, burst: null };
    const made = await send(sign(client, "imvu.create", { name: "Unit", owner: client.name, jurisdiction: "EU-GDPR", envelope, runtime: "static", mailboxPasswordHash: sha256Hex("hash") }));
    client.imvu = (made as { imvu: ImvuId }).imvu;
    clients.push(client);
  }
  return clients;
}

async function load(clients: readonly Client[], send: (signed: SignedCommand) => Promise<Json>, round_: number): Promise<{ perSecond: number; p99_ms: number }> {
  const signed = clients.map((client) => Array.from({ length: COMMANDS_EACH }, (_, at) => sign(client, "consent.record", consent(`user-${round_ + 2}`, at))));
  const taken: number[] = [];
  const began = performance.now();
  await Promise.all(
    signed.map(async (own) => {
      for (const one of own) {
        const sent = performance.now();
        await send(one);
        taken.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  taken.sort((a, b) => a - b);
  return { perSecond: taken.length / seconds, p99_ms: taken[Math.floor(taken.length * 0.99)] ?? Number.NaN };
}

function consent(subject: string, at: number): Record<string, Json> {
  return { subject: `${subject}.${at}`, purpose: "newsletter", text: sha256Hex("the terms"), state: "given" };
}

function sign(client: Client, op: Op, params: Record<string, Json>): SignedCommand {
  return signCommand(commandFields(op, client.imvu === "" ? null : client.imvu, params, Date.now()), client.key);
}

function post(agent: Agent, port: number, signed: SignedCommand): Promise<Json> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(signed);
    const asked = request({ agent, host: "127.0.0.1", port, method: "POST", path: "/v1/commands", headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        if (response.statusCode === 200) resolve(JSON.parse(text) as Json);
        else reject(new TypeError(`${response.statusCode}: ${text.slice(0, 500)}`));
      });
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
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
