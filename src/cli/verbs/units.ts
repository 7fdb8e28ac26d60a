import { type Command, Option } from "commander";
import type { Op } from "../../contract/index.ts";
import { isWithinZone, type ImvuId, type Json, parseServiceName } from "../../kernel/index.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { Failure, usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";
import { whole } from "../units.ts";
import { keepReceipt } from "../receipts.ts";

const PORT_MAX = 65_535;
const TTL_MIN = 30;
const TTL_MAX = 604_800;
const RATE_MAX = 10_000_000;

/** Verbs on what a unit has: services, records, routes. Each sends one signed command, or one signed read. */
export function unitVerbs(program: Command): void {
  serviceVerbs(program);
  dnsVerbs(program);
  routeVerbs(program);
}

const withUnit = (command: Command) => command.requiredOption("--imvu-id <id>", "which unit", imvuFlag);

async function read(context: Context, id: ImvuId, suffix: string): Promise<Record<string, Json>> {
  return (await (await context.client()).read(await context.signer(), `/v1/imvus/${id}${suffix}`)) as Record<string, Json>;
}

async function change(context: Context, op: Op, id: ImvuId, params: Record<string, Json>, said: string): Promise<void> {
  const done = await context.command(await context.signer(), op, id, params);
  const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
  print(context.output, { ...params, imvu: id, verdicts: done.verdicts, receipt, timings: done.timings }, () => [`${said} (ledger entry ${receipt.index})`]);
}

function serviceVerbs(program: Command): void {
  const noun = program.command("service").description("services of a unit");
  withUnit(noun.command("list")).description("what runs").action(async (options: { imvuId: ImvuId }, command: Command) => {
    const context = await Context.of(command);
    const answer = await read(context, options.imvuId, "/services");
    print(context.output, answer, () => table((answer.services as { name: string; port: number; source: { kind: string; runtime?: string } }[]).map((one) => [one.name, String(one.port), one.source.runtime ?? one.source.kind])));
  });
  withUnit(noun.command("logs <name>")).description("what a service printed").option("--lines <n>", "how many of the last lines", "100").action(async (name: string, options: { imvuId: ImvuId; lines: string }, command: Command) => {
    const context = await Context.of(command);
    const answer = await read(context, options.imvuId, `/services/${must(parseServiceName(name))}/logs?lines=${whole("lines", options.lines, 1, 10_000)}`);
    print(context.output, answer, () => [String(answer.text).trimEnd()]);
  });
  for (const [verb, op, said] of [["restart", "service.restart", "restarted"], ["remove", "service.remove", "removed; its data stays on the volume"]] as const)
    withUnit(noun.command(`${verb} <name>`)).description(`${verb} a service`).action(async (name: string, options: { imvuId: ImvuId }, command: Command) => {
      await change(await Context.of(command), op, options.imvuId, { name: must(parseServiceName(name)) }, `${name} is ${said}`);
    });
}

/** `www` and `www.imvu001.world.` are the same name; a trailing dot says that a name is whole. */
function fullName(name: string, zone: string): string {
  if (name.endsWith(".")) return name.slice(0, -1).toLowerCase();
  if (name === "@" || name === "") return zone;
  return isWithinZone(name.toLowerCase(), zone) ? name.toLowerCase() : `${name.toLowerCase()}.${zone}`;
}

/** The zone of a unit follows from its number and the platform's suffix, so that a stranger's command can be sent and refused too. */
async function zoneOf(context: Context, id: ImvuId): Promise<string> {
  const client = await context.client();
  try {
    return String(((await client.read(await context.signer(), `/v1/imvus/${id}/dns`)) as { zone: string }).zone);
  } catch (error) {
    if (!(error instanceof Failure) || error.document.code !== "NO_SUCH_IMVU") throw error;
    const { platform } = (await client.get("/v1/platform")) as { platform: { suffix: string } };
    return `${id.toLowerCase().replace("-", "")}.${platform.suffix}`;
  }
}

function dnsVerbs(program: Command): void {
  const noun = program.command("dns").description("records of a unit's zone; signed the moment they are set");
  withUnit(noun.command("list")).description("all records").action(async (options: { imvuId: ImvuId }, command: Command) => {
    const context = await Context.of(command);
    const answer = await read(context, options.imvuId, "/dns");
    print(context.output, answer, () => table((answer.records as { name: string; type: string; ttl: number; values: string[] }[]).flatMap((set) => set.values.map((value) => [set.name, String(set.ttl), set.type, value]))));
  });
  withUnit(noun.command("set"))
    .description("set one record set (all values of a name and type)")
    .requiredOption("--name <name>", "a label, @ for the zone itself, or a whole name with a trailing dot")
    .requiredOption("--type <type>", "A, AAAA, CNAME, MX, TXT, CAA, SRV, NS, SSHFP or TLSA")
    .requiredOption("--value <value>", "in presentation format; repeatable", (value: string, all: string[] | undefined) => [...(all ?? []), value])
    .option("--ttl <seconds>", "how long answers may be kept", "300")
    .action(async (options: { imvuId: ImvuId; name: string; type: string; value: string[]; ttl: string }, command: Command) => {
      const context = await Context.of(command);
      const ttl = whole("ttl", options.ttl, TTL_MIN, TTL_MAX);
      const name = fullName(options.name, await zoneOf(context, options.imvuId));
      await change(context, "dns.set", options.imvuId, { name, type: options.type.toUpperCase(), ttl, values: options.value }, `${name} ${options.type.toUpperCase()} ${options.value.join(" ")} is served, signed`);
    });
  withUnit(noun.command("remove"))
    .description("remove one record set")
    .requiredOption("--name <name>", "a label, @ for the zone itself, or a whole name with a trailing dot")
    .requiredOption("--type <type>", "its type")
    .action(async (options: { imvuId: ImvuId; name: string; type: string }, command: Command) => {
      const context = await Context.of(command);
      const name = fullName(options.name, await zoneOf(context, options.imvuId));
      await change(context, "dns.remove", options.imvuId, { name, type: options.type.toUpperCase() }, `${name} ${options.type.toUpperCase()} is gone`);
    });
  withUnit(noun.command("export")).description("the zone as served, signed, as a BIND zone file").action(async (options: { imvuId: ImvuId }, command: Command) => {
    const context = await Context.of(command);
    const answer = await read(context, options.imvuId, "/zonefile");
    print(context.output, answer, () => [String(answer.text).trimEnd()]);
  });
}

function routeVerbs(program: Command): void {
  const noun = program.command("route").description("what of a unit is reached, from where, by whom");
  withUnit(noun.command("list")).description("all routes").action(async (options: { imvuId: ImvuId }, command: Command) => {
    const context = await Context.of(command);
    const answer = await read(context, options.imvuId, "/routes");
    print(context.output, answer, () => table((answer.routes as { class: string; host: string; path: string; service: string; port: number; role: string | null }[]).map((route) => [route.class, `${route.host}${route.path}`, `${route.service}:${route.port}`, route.role ?? ""])));
  });
  withUnit(noun.command("set"))
    .description("lead a host and path to a service")
    .addOption(new Option("--class <class>", "who may pass").choices(["public", "private", "restricted"]).makeOptionMandatory())
    .requiredOption("--host <host>", "a name in the unit's zone")
    .option("--path <path>", "a path prefix", "/")
    .requiredOption("--service <name>", "where it leads")
    .option("--port <port>", "the service's port", "8080")
    .addOption(new Option("--role <role>", "least role that passes a restricted route").choices(["owner", "maintainer", "billing", "viewer"]))
    .option("--rate <n/m>", "requests per minute for each client, e.g. 1000/m")
    .action(async (options: { imvuId: ImvuId; class: string; host: string; path: string; service: string; port: string; role?: string; rate?: string }, command: Command) => {
      const context = await Context.of(command);
      if (options.class === "restricted" && options.role === undefined) throw usageFailure("--role: a restricted route needs the least role that passes", "add --role viewer");
      if (options.class !== "restricted" && options.role !== undefined) throw usageFailure(`--role: only restricted routes have one, not ${options.class} ones`, "leave --role out, or use --class restricted");
      const rate = options.rate === undefined ? null : whole("rate", /^(\d+)\/m$/.exec(options.rate)?.[1] ?? options.rate, 1, RATE_MAX);
      const params = { class: options.class, host: options.host.toLowerCase(), path: options.path, service: must(parseServiceName(options.service)), port: whole("port", options.port, 1, PORT_MAX), role: options.role ?? null, ratePerMinute: rate };
      await change(context, "route.set", options.imvuId, params, `${params.host}${params.path} leads to ${params.service}:${params.port} (${params.class})`);
    });
  withUnit(noun.command("remove"))
    .description("remove a route")
    .requiredOption("--host <host>", "its host")
    .option("--path <path>", "its path prefix", "/")
    .action(async (options: { imvuId: ImvuId; host: string; path: string }, command: Command) => {
      await change(await Context.of(command), "route.remove", options.imvuId, { host: options.host.toLowerCase(), path: options.path }, `${options.host}${options.path} is gone`);
    });
  withUnit(noun.command("token"))
    .description("a short proof of your identity and role, for a restricted route: Authorization: Bearer TOKEN")
    .requiredOption("--host <host>", "the route's host")
    .action(async (options: { imvuId: ImvuId; host: string }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).post(await context.signer(), `/v1/imvus/${options.imvuId}/tokens`, { host: options.host.toLowerCase() })) as { token: string };
      print(context.output, answer, () => [answer.token]);
    });
}
