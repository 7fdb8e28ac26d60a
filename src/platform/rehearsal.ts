import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { BundleReader, ExportSink, Imvu, Site } from "../contract/index.ts";
import { Saga } from "../core/command/index.ts";
import { PASSWD_PATH, type Rehearsal } from "../imvu/export/index.ts";
import { arrive } from "../imvu/import/index.ts";
import { desiredOf, FABRIC_ORDER, type Fabrics, stepsTo } from "../imvu/imvu-manager/index.ts";
import { ensureFolder, messageOf, writeFileAtomic } from "../kernel/index.ts";
import { resolverAddressOf } from "../network/index.ts";
import { BlobShelf } from "./blob-shelf.ts";
import { allocatePorts } from "./free-ports.ts";
import type { Home } from "./home.ts";
import { endRemains } from "./remains.ts";
import { fabricsOf, openRooms } from "./rooms.ts";
import { endEngineGroups, superviseEngines } from "./supervision/index.ts";

const FOLDER_NAME = /^r[0-9a-f]{4}$/;
/** Says what to take away when nobody remembers any more. */
const SITE_FILE = "site.json";

export interface RehearsalOrder {
  readonly home: Home;
  readonly fabrics: Fabrics;
  readonly reader: BundleReader;
  readonly imvu: Imvu;
  readonly say: (line: string) => void;
}

/**
 * Imports what was just written into a scratch instance with engines of its own, and compares, resource by resource, with the ledger's
 * list: nothing may be left to do there, and what the scratch instance would export must be, file by file, what the bundle holds.
 */
export async function rehearse({ home, reader, imvu, say }: RehearsalOrder): Promise<Rehearsal> {
  const dir = join(home.root, `r${randomBytes(2).toString("hex")}`);
  const site: Site = { ...home.site, dir, homeId: randomBytes(3).toString("hex"), ports: await allocatePorts(home.site.listenAddress, Math.random) };
  await ensureFolder(dir, 0o711);
  await writeFileAtomic(join(dir, SITE_FILE), `${JSON.stringify(site)}\n`, 0o600);
  for (const folder of ["run", "log"]) await ensureFolder(join(dir, folder), 0o711);
  for (const folder of ["blobs", "keys"]) await ensureFolder(join(dir, folder), 0o700);
  const blobs = new BlobShelf(join(dir, "blobs"));
  const desired = desiredOf(imvu, resolverAddressOf(imvu.number));
  const rooms = await openRooms(site, blobs, { desiredOf: (id) => (id === imvu.id ? desired : undefined), zones: () => new Map([[imvu.zone, imvu.id]]) }, say);
  try {
    await rooms.open();
    const engines = await superviseEngines(site, rooms.engines, (line) => say(`rehearsal: ${line}`));
    try {
      const fabrics = fabricsOf(rooms, async () => null);
      await arrive(fabrics, blobs, imvu, reader, new Saga(() => {}));
      return await compare(fabrics, imvu, reader);
    } finally {
      await engines.stop();
    }
  } finally {
    await rooms.close().catch((error) => say(`rehearsal: ${messageOf(error)}`));
    await endEngineGroups(site.homeId);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Ends scratch instances whose supervisor was killed while it rehearsed. The caller holds the home's lock. */
export async function endLeftRehearsals(root: string, say: (line: string) => void): Promise<void> {
  for (const name of await readdir(root)) {
    if (!FOLDER_NAME.test(name)) continue;
    const dir = join(root, name);
    const text = await readFile(join(dir, SITE_FILE), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    say(`ending a rehearsal that was interrupted (${name})`);
    await endRemains(JSON.parse(text) as Site);
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * Not compared by digest. Zones and images are made anew at each export, signatures carry times: what they are made from is compared, by
 * the plan that must be empty. Volumes are compared by the import itself, before their services run and write. The rest was written by the
 * exit from what the owner uploaded, and comes back as blobs that are named by their digests.
 */
const COMPARED_OTHERWISE = [/^domains\/zones\//, /^compute\/images\//, /^compute\/volumes\//, /^compute\/content\//, /^domains\/ownership\.json$/];

async function compare(fabrics: Fabrics, imvu: Imvu, bundle: BundleReader): Promise<Rehearsal> {
  const different: { what: string; expected: string; found: string }[] = [];
  let compared = 0;
  for (const name of FABRIC_ORDER) {
    const left = await stepsTo(fabrics, name, imvu.id, imvu);
    const resources = resourcesOf(imvu)[name];
    compared += resources.length;
    for (const step of left) different.push({ what: `${name}: ${step.key}`, expected: "nothing left to do", found: step.sentence });
  }
  const again = new DigestSink();
  for (const fabric of [fabrics.domains, fabrics.mail, fabrics.network, fabrics.compute]) await fabric.export(imvu.id, again);
  const files = ["domains/", "mail/", "network/", "compute/"].flatMap((prefix) => bundle.list(prefix)).filter((path) => path !== PASSWD_PATH && !COMPARED_OTHERWISE.some((rule) => rule.test(path)));
  for (const path of files) {
    compared += 1;
    const expected = await digestOf(bundle.stream(path));
    const found = again.digests.get(path) ?? "missing";
    if (found !== expected) different.push({ what: path, expected, found });
  }
  return { compared, equal: compared - different.length, different };
}

function resourcesOf(imvu: Imvu): Record<(typeof FABRIC_ORDER)[number], readonly string[]> {
  return {
    network: ["namespace", ...imvu.routes.map((route) => `${route.host}${route.path}`)],
    compute: ["envelope", "volume", ...imvu.services.map((service) => service.name)],
    domains: [imvu.zone, ...imvu.records.map((set) => `${set.name}/${set.type}`)],
    mail: [imvu.zone, ...imvu.mailboxes.map((mailbox) => mailbox.address), ...imvu.dkim.map((key) => key.selector)],
  };
}

/** Takes an export without keeping it: only each file's digest. */
class DigestSink implements ExportSink {
  readonly digests = new Map<string, string>();

  async file(path: string, source: string | Uint8Array | Readable): Promise<void> {
    this.digests.set(path, await digestOf(source instanceof Readable ? source : Readable.from([Buffer.from(source as Uint8Array)])));
  }

  omit(): void {}
}

async function digestOf(stream: Readable): Promise<string> {
  const hasher = createHash("sha256");
  for await (const chunk of stream) hasher.update(chunk as Uint8Array);
  return hasher.digest("hex");
}
