import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import test, { after, before } from "node:test";
import { gzipSync, zstdDecompressSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { type ComputeRoom, openComputeRoom } from "../../src/compute/index.ts";
import { type BundleReader, type ComputeDesired, type Envelope, type ExportSink, type GateNumber, imvuUidBase, namespaceNameOf, namespacePathOf, type Service, type ServiceSource, type Site, type Step } from "../../src/contract/index.ts";
import { Fault, imvuIdOf, type Jurisdiction, run, runOk, type ServiceName, type Sha256, sha256Hex, sleep } from "../../src/kernel/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { footprint, ofHome } from "../harness/footprint.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

const MIB = 1024 ** 2;
const ENVELOPE: Envelope = { cpuMillis: 500, memoryBytes: 256 * MIB, storageBytes: 256 * MIB, iops: 1_000, bandwidthBps: 100_000_000, processes: 128, burst: null };
const WEB = 8_080;

/** Runs what it is told, inside: so each attack is written where it is tried. */
const OBEY = `require("node:http").createServer((q,s)=>{let b="";q.on("data",(d)=>{b+=d});q.on("end",async()=>{
let a;try{a={ok:await eval("(async()=>{"+b+"\\n})()")}}catch(e){a={error:e.code??e.message}}
s.end(JSON.stringify(a))})}).listen(Number(process.env.PORT),"0.0.0.0",()=>console.log("obeying"));`;

type Entry = Omit<Partial<Header>, "name"> & { name: string; body?: string | Buffer };

async function tarOf(...entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry({ mtime: new Date(0), ...header }, body ?? "");
  archive.finalize();
  return await buffer(Readable.from(archive));
}

class MemoryBundle implements ExportSink, BundleReader {
  readonly files = new Map<string, Buffer>();
  readonly omitted: string[] = [];

  async file(path: string, source: string | Uint8Array | Readable): Promise<void> {
    assert.ok(!this.files.has(path), `${path} was written twice`);
    this.files.set(path, source instanceof Readable ? await buffer(source) : Buffer.from(source as string));
  }

  omit(what: string): void {
    this.omitted.push(what);
  }

  list(prefix: string): readonly string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    return this.files.get(path) ?? assert.fail(`the bundle has no ${path}`);
  }

  stream(path: string): Readable {
    return Readable.from([this.files.get(path) ?? assert.fail(`the bundle has no ${path}`)]);
  }
}

/** A compute room with a running engine in a scratch home; each IMVU gets a bare namespace. */
class ComputeHouse implements AsyncDisposable {
  readonly site: Site;
  readonly room: ComputeRoom;
  readonly desired = new Map<string, ComputeDesired>();
  readonly said: string[] = [];
  private readonly scratch: ScratchSite;
  private engines: RunningEngines | undefined;

  private constructor(scratch: ScratchSite, room: ComputeRoom, desired: Map<string, ComputeDesired>, said: string[]) {
    this.scratch = scratch;
    this.site = scratch.site;
    this.room = room;
    this.desired = desired;
    this.said = said;
  }

  static async start(): Promise<ComputeHouse> {
    const scratch = await ScratchSite.create();
    const desired = new Map<string, ComputeDesired>();
    const said: string[] = [];
    const { site } = scratch;
    const room = await openComputeRoom({ site, blobs: { path: (digest) => join(site.dir, "blobs", digest) }, desiredOf: (imvu) => desired.get(imvu), say: (line) => said.push(line) });
    const house = new ComputeHouse(scratch, room, desired, said);
    try {
      await room.open();
      house.engines = await superviseEngines(site, room.engines, (line) => said.push(line));
      return house;
    } catch (error) {
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  async blob(bytes: Buffer): Promise<Sha256> {
    const digest = sha256Hex(bytes);
    await writeFile(join(this.site.dir, "blobs", digest), bytes, { mode: 0o600 });
    return digest;
  }

  async content(runtime: "static" | "node" | "python", ...entries: readonly Entry[]): Promise<ServiceSource> {
    return { kind: "runtime", runtime, content: await this.blob(await tarOf(...entries)) };
  }

  async service(name: string, source: ServiceSource, port = WEB): Promise<Service> {
    return { name: name as ServiceName, source, port, env: { WHO: name } };
  }

  async obeying(name = "web", port = WEB): Promise<Service> {
    return await this.service(name, await this.content("node", { name: "server.js", body: OBEY }), port);
  }

  order(number: number, services: readonly Service[], envelope: Partial<Envelope> = {}): ComputeDesired {
    return { imvu: imvuIdOf(number), number, jurisdiction: "EU-GDPR" as Jurisdiction, envelope: { ...ENVELOPE, ...envelope }, services, resolverAddress: "10.64.0.5" };
  }

  async plan(number: number, wanted: ComputeDesired | undefined): Promise<readonly Step[]> {
    if (wanted && !existsSync(this.namespace(number))) {
      await runOk(["/usr/sbin/ip", "netns", "add", namespaceNameOf(this.site, number)]);
      await runOk(["/usr/sbin/ip", "-n", namespaceNameOf(this.site, number), "link", "set", "lo", "up"]);
    }
    return this.room.fabric.plan(imvuIdOf(number), wanted, await this.room.fabric.observe(imvuIdOf(number)));
  }

  /** All steps, or none: what the command pipeline does. */
  async apply(number: number, wanted: ComputeDesired | undefined): Promise<readonly string[]> {
    const steps = await this.plan(number, wanted);
    for (const [at, step] of steps.entries()) {
      try {
        await step.do();
      } catch (error) {
        for (const done of steps.slice(0, at + 1).toReversed()) await done.undo();
        throw error;
      }
    }
    if (wanted) this.desired.set(wanted.imvu, wanted);
    else this.desired.delete(imvuIdOf(number));
    return steps.map((step) => step.key);
  }

  namespace(number: number): string {
    return namespacePathOf(namespaceNameOf(this.site, number));
  }

  async get(number: number, port = WEB, body?: string): Promise<string> {
    const data = body === undefined ? [] : (["--data-binary", "@-"] as const);
    const ran = await run(["/usr/bin/nsenter", `--net=${this.namespace(number)}`, "--", "/usr/bin/curl", "--silent", "--show-error", "--max-time", "60", ...data, `http://127.0.0.1:${port}/`], body === undefined ? {} : { input: body });
    assert.equal(ran.code, 0, `${ran.stderr}\n${this.said.join("\n")}`);
    return ran.stdout.toString("utf8");
  }

  /** Runs a script inside a service of OBEY. */
  async inside<T = unknown>(number: number, script: string, port = WEB): Promise<T> {
    const { ok, error } = JSON.parse(await this.get(number, port, script)) as { ok?: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return ok as T;
  }

  state(number: number) {
    return this.room.fabric.observe(imvuIdOf(number));
  }

  async pid(number: number, name = "web"): Promise<number> {
    return (await this.state(number)).services.find((one) => one.name === name)?.pid ?? 0;
  }

  probe(gate: GateNumber, number: number) {
    return this.room.fabric.probe(gate, imvuIdOf(number));
  }

  group(number: number, controller: string, file: string): string {
    return `/sys/fs/cgroup/${controller}/nx${this.site.homeId}/imvu-${number}/${file}`;
  }

  async control(number: number, controller: string, file: string): Promise<string> {
    return (await readFile(this.group(number, controller, file), "utf8")).trim();
  }

  async meters(number: number): Promise<Record<string, bigint>> {
    return Object.fromEntries((await this.room.fabric.meter(imvuIdOf(number))).map((one) => [one.resource, BigInt(one.value)]));
  }

  volume(number: number, ...path: readonly string[]): string {
    return join(this.site.dir, "compute/volumes", String(number), ...path);
  }

  enginePid(): number {
    return this.engines?.views()[0]?.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engines?.stop().catch(() => {});
    await this.room.close();
    // Whoever closes what a killed process left has never opened it.
    await this.room.close();
    for (const name of await readdir("/run/netns").catch(() => [] as string[])) if (name.startsWith(`nx${this.site.homeId}`)) await runOk(["/usr/sbin/ip", "netns", "delete", name]);
    const left = ofHome(await footprint(), this.site.homeId, this.site.dir);
    const loops = await runOk(["/usr/sbin/losetup", "-a"]);
    const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(this.site.dir));
    await this.scratch[Symbol.asyncDispose]();
    const engineGroup = (path: string) => /\/unified\/nx[0-9a-f]{6}(\/engine-podman)?$/.test(path);
    assert.deepEqual({ ...left, cgroups: left.cgroups.filter((path) => !engineGroup(path)) }, { processes: [], mounts: [], loops: [], namespaces: [], cgroups: [], tables: [] });
    assert.ok(!loops.includes(this.site.dir), loops);
    assert.deepEqual(mounts, []);
    assert.equal(await runOk(["/usr/bin/find", "/sys/fs/cgroup", "-name", `nx${this.site.homeId}*`]), "");
  }
}

function faultWith(code: string, say?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, code, error.message);
    if (say) assert.match(error.message, say);
    return true;
  };
}

/** The kernel and the engine are asked until they say so; a test never waits for a time. */
async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const found = await ask();
    if (found) return found;
    await sleep(50);
  }
  return assert.fail(`never: ${what}`);
}

let house: ComputeHouse;
before(async () => {
  house = await ComputeHouse.start();
});
after(() => house?.[Symbol.asyncDispose]());

test("static, node and python answer on their ports, and a plan of what stands is empty", async () => {
  const python = `import http.server,os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(("python "+os.environ["WHO"]).encode())
    def log_message(self,*a): pass
http.server.HTTPServer(("0.0.0.0",int(os.environ["PORT"])),H).serve_forever()`;
  const wanted = house.order(1, [
    await house.obeying(),
    await house.service("snake", await house.content("python", { name: "app.py", body: python }), 8_081),
    await house.service("pages", await house.content("static", { name: "index.html", body: "hello from a file" }), 80),
  ]);
  const steps = await house.apply(1, wanted);
  assert.ok(steps.includes("compute/volume/IMVU-001") && steps.includes("compute/service/IMVU-001/pages"), steps.join());
  assert.equal(await house.inside(1, "return process.env.WHO"), "web");
  assert.equal(await house.get(1, 8_081), "python snake");
  assert.equal(await house.get(1, 80), "hello from a file");
  assert.deepEqual(await house.apply(1, wanted), []);
  const logs = await until("the log", async () => (await house.room.serviceLogs(imvuIdOf(1), "web" as ServiceName, 10)) || false);
  assert.match(logs, /^\d{4}-\S+ obeying\n$/);
});

test("a hostile tar is refused with its reason, and nothing of it is left", async () => {
  const before = await house.state(1);
  const huge = (await tarOf({ name: "huge", body: "x" })).subarray(0, 512);
  huge.write(`${(300 * MIB).toString(8).padStart(11, "0")} `, 124);
  huge.fill(" ", 148, 156);
  huge.write(`${huge.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  const hostile: readonly (readonly [Buffer, string, RegExp])[] = [
    [await tarOf({ name: "../../evil", body: "x" }), "ARCHIVE_NAME", /upwards/],
    [await tarOf({ name: "/etc/evil", body: "x" }), "ARCHIVE_NAME", /absolute/],
    [await tarOf({ name: "a", body: "x" }, { name: "b", type: "link", linkname: "a" }), "ARCHIVE_ENTRY", /hard link/],
    [await tarOf({ name: "null", type: "character-device", devmajor: 1, devminor: 3 }), "ARCHIVE_ENTRY", /character-device/],
    [await tarOf({ name: "out", type: "symlink", linkname: "../../../data" }), "ARCHIVE_ENTRY", /leads out/],
    [await tarOf({ name: "out", type: "symlink", linkname: "/etc" }), "ARCHIVE_ENTRY", /leads out/],
    [await tarOf({ name: "in", type: "symlink", linkname: "." }, { name: "in/evil", body: "x" }), "ARCHIVE_LINK", /through/],
    [await tarOf({ name: "twice", body: "x" }, { name: "twice", body: "y" }), "ARCHIVE_ENTRY", /twice/],
    [huge, "ARCHIVE_TOO_LARGE", /more than 268435456/],
    [Buffer.from("no tar at all".repeat(100)), "ARCHIVE_BROKEN", /cannot be read/],
    [await tarOf({ name: "readme", body: "x" }), "NO_ENTRY_POINT", /server\.js/],
    [await tarOf({ name: "package.json", body: '{"main":"../../../etc/passwd"}' }), "BAD_PACKAGE_JSON", /not a file inside/],
    [await tarOf({ name: "server.js", body: 'console.log("no way"); process.exit(3)' }), "SERVICE_NOT_READY", /exit code 3[^]*no way/],
  ];
  const services = house.desired.get("IMVU-001")?.services ?? [];
  for (const [bytes, code, say] of hostile) {
    const bad = await house.service("bad", { kind: "runtime", runtime: "node", content: await house.blob(bytes) }, 8_090);
    await assert.rejects(house.apply(1, house.order(1, [...services, bad])), faultWith(code, say));
    // The sweep after the next good deployment takes what was unpacked whole and could not be run.
    const now = await house.state(1);
    assert.deepEqual({ ...now, volume: null, contents: [] }, { ...before, volume: null, contents: [] });
    for (const name of await readdir(house.volume(1, "content"))) assert.match(name, /^[0-9a-f]{64}$/);
  }
  assert.equal(await house.inside(1, "return 1"), 1);
});

test("an OCI archive as the room's own export writes it is deployed; a broken one is refused and leaves no image", async () => {
  const bundle = new MemoryBundle();
  await house.room.fabric.export(imvuIdOf(1), bundle);
  const archive = bundle.files.get("compute/images/web.oci.tar") ?? assert.fail([...bundle.files.keys()].join());
  assert.match(archive.toString("latin1"), /localhost\/imvu-001\/web:exported/);
  await house.apply(4, house.order(4, [await house.service("web", { kind: "oci", archive: await house.blob(archive) })]));
  assert.equal(await house.inside(4, "return process.env.WHO"), "web");
  assert.deepEqual(await house.inside(4, 'return require("fs").readdirSync("/srv")'), ["server.js"]);
  const before = await house.state(4);
  const flipped = Buffer.from(archive);
  flipped.writeUInt8(flipped.readUInt8(archive.length - 5_000_000) ^ 1, archive.length - 5_000_000);
  const broken: readonly (readonly [Buffer, string, RegExp])[] = [
    [Buffer.from("hello".repeat(500)), "OCI_ARCHIVE", /cannot be used/],
    [await tarOf({ name: "hello", body: "x" }), "OCI_ARCHIVE", /no OCI archive has/],
    [archive.subarray(0, 3 * MIB), "OCI_ARCHIVE", /cannot be used/],
    [flipped, "OCI_ARCHIVE", /digest/],
    [await imageOf(Buffer.from("not compressed")), "OCI_ARCHIVE", /unpacked/],
    [await imageOf(gzipSync("no tar".repeat(500))), "PODMAN", /./],
    [await imageOf(gzipSync(Buffer.alloc(300 * MIB), { level: 1 })), "IMAGE_TOO_LARGE", /more than/],
  ];
  for (const [bytes, code, say] of broken) {
    const bad = await house.service("bad", { kind: "oci", archive: await house.blob(bytes) }, 8_090);
    await assert.rejects(house.apply(4, house.order(4, [...(house.desired.get("IMVU-004")?.services ?? []), bad])), faultWith(code, say));
    assert.deepEqual({ ...(await house.state(4)), volume: null }, { ...before, volume: null });
  }
  assert.deepEqual(await readdir(join(house.site.dir, "compute/incoming")), []);
  assert.ok((await house.apply(4, undefined)).length > 0);
  const { volume, envelope, services } = await house.state(4);
  assert.deepEqual([volume, envelope, services], [null, null, []]);
});

/** An archive that is right in every word but for its one layer. */
async function imageOf(layer: Buffer): Promise<Buffer> {
  const described = (bytes: Buffer, kind: string) => ({ mediaType: `application/vnd.oci.image.${kind}`, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length });
  const config = Buffer.from(JSON.stringify({ architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux", config: { Cmd: ["/bin/true"] }, rootfs: { type: "layers", diff_ids: [`sha256:${sha256Hex("layer")}`] } }));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: described(config, "config.v1+json"), layers: [described(layer, "layer.v1.tar+gzip")] }));
  const index = JSON.stringify({ schemaVersion: 2, manifests: [described(manifest, "manifest.v1+json")] });
  return await tarOf({ name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' }, { name: "index.json", body: index }, ...[manifest, config, layer].map((bytes) => ({ name: `blobs/sha256/${sha256Hex(bytes)}`, body: bytes })));
}
