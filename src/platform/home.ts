import { randomBytes, randomInt } from "node:crypto";
import { chmod, readFile, stat } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import type { Ports, Site } from "../contract/index.ts";
import { parseWitnessKey } from "../core/ledger/pure.ts";
import { ensureFolder, Fault, type Fqdn, type Jurisdiction, parseFqdn, parseJurisdiction, writeFileAtomic } from "../kernel/index.ts";
import { allocatePorts } from "./free-ports.ts";
import { enginesAlive } from "./supervision/index.ts";
import { freeRange, runningUids } from "./uid-range.ts";
import type { WitnessPolicy } from "../witness/index.ts";

/** One platform on disk: `<home>/platform/` holds everything its engines own; `<home>/nexus.yaml` what its operator may say. */
export interface Home {
  readonly root: string;
  readonly name: string;
  readonly site: Site;
  readonly capacity: Capacity;
  readonly meterInterval_ms: number;
  readonly witnesses: WitnessPolicy;
  /** The log's name in every checkpoint. */
  readonly origin: string;
  /** Where the database's write-ahead log is archived. */
  readonly walArchive?: string;
}

export interface Capacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
}

/** The longest socket of the engines below a home is 53 bytes longer than it; an address of a Unix socket has 107. */
const HOME_PATH_CHARS_MAX = 50;
const METER_INTERVAL_S_DEFAULT = 60;
/** A signed note is read with 64 signatures at most, by everybody. */
const WITNESSES_MAX = 32;
/** CPU may be promised several times over, because the kernel shares it fairly; memory and storage may not. */
const CPU_OVERCOMMIT = 8;

function brandedBy<T extends string>(parse: (text: unknown) => { ok: true; value: T } | { ok: false; message: string }) {
  return z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: "custom", message: parsed.message });
    return z.NEVER;
  });
}

/** A key counts once, under one name: two names of one witness would be two votes of one will. */
const zWitnesses = z
  .strictObject({
    required: z.int().min(1),
    list: z
      .array(
        z.strictObject({
          vkey: z.string().transform((text, context) => {
            const parsed = parseWitnessKey(text);
            if (parsed.ok) return parsed.value;
            context.addIssue({ code: "custom", message: parsed.message });
            return z.NEVER;
          }),
          url: z.string().regex(/^https?:\/\/[^\s?#@]+$/, "http:// or https://, without a query").transform((url) => url.replace(/\/+$/, "")),
        }),
      )
      .min(1)
      .max(WITNESSES_MAX),
  })
  .refine(({ required, list }) => required <= list.length, { message: "more are required than are listed", path: ["required"] })
  .refine(({ list }) => new Set(list.map(({ vkey }) => vkey.publicKey.export({ format: "jwk" }).x)).size === list.length, { message: "one key is listed twice", path: ["list"] });

/** `nexus.yaml`: every key with its default; an unknown key is an error. */
const zConfiguration = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, "2 to 31 of a-z, 0-9 and hyphens").default("nexus"),
  suffix: brandedBy<Fqdn>(parseFqdn).default("world" as Fqdn),
  publicAddress: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1"),
  jurisdictions: z.array(brandedBy<Jurisdiction>(parseJurisdiction)).min(1).default(["EU-GDPR", "US-CCPA"] as Jurisdiction[]),
  meterIntervalSeconds: z.int().min(1).max(3_600).default(METER_INTERVAL_S_DEFAULT),
  walArchive: z.string().regex(/^\/[A-Za-z0-9/._-]{1,500}$/, "an absolute path of letters, digits, '.', '_' and '-'").optional(),
  capacity: z
    .strictObject({ cpuMillis: z.int().min(50), memoryBytes: z.int().min(1), storageBytes: z.int().min(1) })
    .optional(),
  witnesses: zWitnesses.optional(),
});

interface HomeRecord {
  readonly v: 1;
  readonly homeId: string;
  readonly uidBase: number;
  readonly ports: Ports;
}

export function siteFolder(root: string): string {
  return join(root, "platform");
}

/** Where the first operator's key is kept, below the platform's folder. */
export function operatorsFolder(platformDir: string): string {
  return join(platformDir, "operators");
}

/** The engines run as other users: each folder above the home must let them through. */
export async function firstClosedAncestor(path: string): Promise<string | undefined> {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const mode = await stat(folder).then(
      (s) => s.mode,
      () => 0o001,
    );
    if ((mode & 0o001) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

export async function homeExists(root: string): Promise<boolean> {
  return await stat(join(siteFolder(root), "home.json")).then(
    () => true,
    () => false,
  );
}

async function readConfiguration(root: string) {
  const path = join(root, "nexus.yaml");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  let raw: unknown;
  try {
    raw = parseYaml(text) ?? {};
  } catch (cause) {
    throw new Fault("BAD_CONFIGURATION", `${path}: ${(cause as Error).message}`, { cause, hint: `edit ${path}` });
  }
  const parsed = zConfiguration.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Fault("BAD_CONFIGURATION", `${path}: ${issue?.path.join(".") || "(top level)"}: ${issue?.message}`, { hint: `edit ${path}` });
}

/** Reads a home, and makes it on first use. Ports that somebody took in the meantime are replaced. */
export async function openHome(root: string, options: { cacheDir: string; create: boolean; checkPorts: boolean }): Promise<Home> {
  if (root.length > HOME_PATH_CHARS_MAX)
    throw new Fault("HOME_PATH_LONG", `home ${root}: ${root.length} characters; sockets allow at most ${HOME_PATH_CHARS_MAX}`, { hint: "choose a shorter one with --home" });
  if (!/^\/[A-Za-z0-9/._-]+$/.test(root))
    throw new Fault("HOME_PATH_CHARACTERS", `home ${JSON.stringify(root)}: the engines' configurations cannot carry this path`, { hint: "choose one of letters, digits, '.', '_' and '-' with --home" });
  const dir = siteFolder(root);
  const recordPath = join(dir, "home.json");
  const known = await readFile(recordPath, "utf8").then(
    (text) => JSON.parse(text) as HomeRecord,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  if (!known && !options.create) throw new Fault("NO_HOME", `there is no platform in ${root}`, { hint: "start one: nexus up" });
  const closed = await firstClosedAncestor(root);
  if (closed) throw new Fault("HOME_CLOSED", `${closed} lets no other user through, but engines run unprivileged`, { hint: "choose a home such as /var/lib/nexus with --home" });
  await ensureFolder(root, 0o711);
  await ensureFolder(dir, 0o711);
  for (const folder of ["run", "log"]) await ensureFolder(join(dir, folder), 0o711);
  for (const folder of ["blobs", "keys", "exits"]) await ensureFolder(join(dir, folder), 0o700);
  await chmod(root, 0o711);
  const configuration = await readConfiguration(root);
  const listenAddress = "127.0.0.1";
  let ports = known?.ports;
  // Engines that outlived a killed supervisor hold their own ports: to whoever knows them the home stays where it was.
  const held = known !== undefined && (await enginesAlive(known.homeId));
  if (!ports || (options.checkPorts && !held)) ports = await allocatePorts(listenAddress, Math.random, known?.ports);
  const record: HomeRecord = {
    v: 1,
    homeId: known?.homeId ?? randomBytes(3).toString("hex"),
    uidBase: known?.uidBase ?? freeRange(await runningUids(), randomInt),
    ports,
  };
  if (JSON.stringify(record) !== JSON.stringify(known)) await writeFileAtomic(recordPath, `${JSON.stringify(record, null, 2)}\n`, 0o644);
  return {
    root,
    name: configuration.name,
    site: {
      homeId: record.homeId,
      dir,
      cacheDir: options.cacheDir,
      listenAddress,
      ports,
      suffix: configuration.suffix,
      publicAddress: configuration.publicAddress,
      nodeJurisdictions: configuration.jurisdictions,
      uidBase: record.uidBase,
      boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    },
    capacity: configuration.capacity ?? (await machineCapacity(dir)),
    meterInterval_ms: configuration.meterIntervalSeconds * 1_000,
    witnesses: { required: configuration.witnesses?.required ?? 0, witnesses: (configuration.witnesses?.list ?? []).map(({ vkey, url }) => ({ key: vkey, url })) },
    origin: `${configuration.suffix}/${configuration.name}/${record.homeId}`,
    ...(configuration.walArchive === undefined ? {} : { walArchive: configuration.walArchive }),
  };
}

async function machineCapacity(dir: string): Promise<Capacity> {
  const { statfs } = await import("node:fs/promises");
  const disk = await statfs(dir);
  return {
    cpuMillis: cpus().length * 1_000 * CPU_OVERCOMMIT,
    memoryBytes: Math.floor(totalmem() * 0.9),
    storageBytes: Math.floor(disk.blocks * disk.bsize * 0.9),
  };
}
