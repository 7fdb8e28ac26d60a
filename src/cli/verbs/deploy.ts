import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type ImvuId, type Json, parseServiceName } from "../../kernel/index.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";
import { tarFolder } from "../tar-folder.ts";
import { whole } from "../units.ts";
import { keepReceipt } from "../receipts.ts";
import type { View } from "./imvu.ts";

interface DeployFlags {
  readonly imvuId: ImvuId;
  readonly dir?: string;
  readonly oci?: string;
  readonly image?: string;
  readonly runtime?: string;
  readonly service: string;
  readonly port: string;
  readonly env: readonly string[];
}

const PORT_MAX = 65_535;

export function deployVerb(program: Command): void {
  program
    .command("deploy")
    .description("put a folder, an OCI archive or an image into a unit as a service")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--dir <path>", "a folder: a static site, a Node service (package.json or server.js), a Python service (server.py or app.py)")
    .option("--oci <file>", "an OCI archive (.tar)")
    .option("--image <ref>", "an image of a registry, e.g. docker.io/library/nginx:1.27")
    .addOption(new Option("--runtime <runtime>", "what a folder runs in; told from its files when not said").choices(["static", "node", "python"]))
    .option("--service <name>", "the service's name", "web")
    .option("--port <port>", "the port it listens on (environment PORT)", "8080")
    .option("--env <K=V>", "an environment variable; repeatable", (value: string, all: string[]) => [...all, value], [] as string[])
    .action(async (options: DeployFlags, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseServiceName(options.service));
      const port = whole("port", options.port, 1, PORT_MAX);
      const env = environmentOf(options.env);
      const sources = [options.dir, options.oci, options.image].filter((source) => source !== undefined);
      if (sources.length !== 1) throw usageFailure(`deploy: ${sources.length} of --dir, --oci and --image were given; exactly one is needed`, "nexus deploy --imvu-id ID --dir PATH");
      const who = await context.signer();
      const client = await context.client();
      let source: Json;
      if (options.dir !== undefined) {
        const tar = await tarFolder(resolve(options.dir));
        const runtime = options.runtime ?? (await runtimeOf(resolve(options.dir)));
        source = { kind: "runtime", runtime, content: await client.uploadBytes(who, tar) };
      } else if (options.oci !== undefined) {
        const path = resolve(options.oci);
        if (!(await stat(path).catch(() => undefined))?.isFile()) throw usageFailure(`--oci: ${JSON.stringify(options.oci)} is not a file`, "name an OCI archive, e.g. one made by 'podman save --format oci-archive'");
        source = { kind: "oci", archive: await client.uploadFile(who, path) };
      } else source = { kind: "image", ref: options.image as string };
      const done = await context.command(who, "service.deploy", options.imvuId, { name, source, port, env });
      const view = done.outcome.result as unknown as View;
      print(context.output, { service: name, ...view, verdicts: done.verdicts, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) }, timings: done.timings }, () => [
        `${name} runs in ${options.imvuId}`,
        ...table(view.routes.map((route) => [`  ${route.class}`, route.url])),
        `next: nexus route set --imvu-id ${options.imvuId} --class public --host HOST --path / --service ${name} --port ${port}`,
      ]);
    });
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw usageFailure(`--env: ${JSON.stringify(pair.slice(0, 40))} is not NAME=VALUE`, "use something like --env GREETING=hello");
    env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return env;
}

/** A folder says what it is: package.json or server.js is Node, server.py or app.py is Python, anything else a site. */
async function runtimeOf(folder: string): Promise<"static" | "node" | "python"> {
  const has = async (file: string) => (await stat(`${folder}/${file}`).catch(() => undefined))?.isFile() === true;
  if ((await has("package.json")) || (await has("server.js"))) return "node";
  if ((await has("server.py")) || (await has("app.py"))) return "python";
  return "static";
}
