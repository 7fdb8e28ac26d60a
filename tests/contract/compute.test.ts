import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import test, { after, before } from "node:test";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { readAttached } from "../../src/compute/envelopes/attached.ts";
import { Volumes } from "../../src/compute/envelopes/volume.ts";
import { type ComputeRoom, openComputeRoom } from "../../src/compute/index.ts";
import { layoutOf } from "../../src/compute/layout.ts";
import { type BundleReader, type ComputeDesired, type Envelope, type ExportSink, type GateNumber, imvuUidBase, namespaceNameOf, namespacePathOf, type Service, type ServiceSource, type Site, type Step } from "../../src/contract/index.ts";
import { Fault, imvuIdOf, type Jurisdiction, run, runOk, type ServiceName, type Sha256, sha256Hex, sleep } from "../../src/kernel/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { footprint, ofHome } from "../harness/footprint.ts";
import { ScratchSite } from "../harness/scratch-site.ts";
import { started } from "../harness/started.ts";

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
    // Twice: whoever closes what a killed process left has never opened it. What goes wrong is said last, so that the rest is taken away.
    const failures = [await this.room.close().catch(String), await this.room.close().catch(String)].filter(Boolean);
    for (const name of await readdir("/run/netns").catch(() => [] as string[])) if (name.startsWith(`nx${this.site.homeId}`)) await runOk(["/usr/sbin/ip", "netns", "delete", name]);
    // The kernel keeps a device for as long as anybody's mount namespace still holds a copy of its mount.
    if (failures.length === 0) await until("the loop devices to go", async () => !(await runOk(["/usr/sbin/losetup", "-a"])).includes(this.site.dir));
    const left = ofHome(await footprint(), this.site.homeId, this.site.dir);
    const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(this.site.dir));
    await this.scratch[Symbol.asyncDispose]();
    const engineGroup = (path: string) => /\/unified\/nx[0-9a-f]{6}(\/engine-podman)?$/.test(path);
    assert.deepEqual({ ...left, cgroups: left.cgroups.filter((path) => !engineGroup(path)) }, { processes: [], mounts: [], loops: [], namespaces: [], cgroups: [], runtimeFolders: [], tables: [] });
    assert.deepEqual([failures, mounts], [[], []]);
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
    [await tarOf({ name: "server.js", body: 'console.log("no way"); process.exit(3)' }), "SERVICE_NOT_READY", /exit code 3[\s\S]*no way/],
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
  const tree = await tarOf({ name: "etc/", type: "directory" }, { name: "etc/one", body: "x" });
  const broken: readonly (readonly [Buffer, string, RegExp])[] = [
    [await imageOf(gzipSync(tree), sha256Hex(tree)), "PODMAN_REFUSED", /\/bin\/true/],
    [Buffer.from("hello".repeat(500)), "OCI_ARCHIVE", /cannot be used/],
    [await tarOf({ name: "hello", body: "x" }), "OCI_ARCHIVE", /no OCI archive has/],
    [archive.subarray(0, 3 * MIB), "OCI_ARCHIVE", /cannot be used/],
    [flipped, "OCI_ARCHIVE", /digest/],
    [await imageOf(Buffer.from("not compressed")), "OCI_ARCHIVE", /unpacked/],
    [await imageOf(gzipSync("no tar".repeat(500))), "OCI_ARCHIVE", /adding layer/],
    [await imageOf(gzipSync(Buffer.alloc(300 * MIB), { level: 1 })), "IMAGE_TOO_LARGE", /more than/],
  ];
  for (const [bytes, code, say] of broken) {
    const bad = await house.service("bad", { kind: "oci", archive: await house.blob(bytes) }, 8_090);
    await assert.rejects(house.apply(4, house.order(4, [...(house.desired.get("IMVU-004")?.services ?? []), bad])), faultWith(code, say));
    assert.deepEqual({ ...(await house.state(4)), volume: null }, { ...before, volume: null });
  }
  // A name of this machine's own images is no way to run another IMVU's.
  for (const ref of [`localhost/nexus/oci:${sha256Hex(archive)}`, `nexus/oci:${sha256Hex(archive)}`, "nginx"]) {
    await assert.rejects(house.apply(6, house.order(6, [await house.service("web", { kind: "image", ref })])), faultWith("IMAGE_LOCAL"));
    assert.equal((await house.state(6)).volume, null);
  }
  assert.deepEqual(await readdir(join(house.site.dir, "compute/incoming")), []);
  assert.ok((await house.apply(4, undefined)).length > 0);
  const { volume, envelope, services, images } = await house.state(4);
  assert.deepEqual([volume, envelope, services], [null, null, []]);
  assert.deepEqual(images.filter((name) => name.includes("oci:")), []);
});

/** An archive that is right in every word, but perhaps for its one layer; its command is not in it. */
async function imageOf(layer: Buffer, diffId = sha256Hex("layer")): Promise<Buffer> {
  const described = (bytes: Buffer, kind: string) => ({ mediaType: `application/vnd.oci.image.${kind}`, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length });
  const config = Buffer.from(JSON.stringify({ architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux", config: { Cmd: ["/bin/true"] }, rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] } }));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: described(config, "config.v1+json"), layers: [described(layer, "layer.v1.tar+gzip")] }));
  const index = JSON.stringify({ schemaVersion: 2, manifests: [described(manifest, "manifest.v1+json")] });
  return await tarOf({ name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' }, { name: "index.json", body: index }, ...[manifest, config, layer].map((bytes) => ({ name: `blobs/sha256/${sha256Hex(bytes)}`, body: bytes })));
}

test("an attacker meets its limits – CPU, processes, memory, volume – while its neighbour answers", async () => {
  await house.apply(2, house.order(2, [await house.obeying()]));
  const [period, quota] = [100_000, 50_000];
  assert.equal(await house.control(2, "cpu", "cpu.cfs_quota_us"), String(quota));
  const seen = async () => {
    const stat = await house.control(2, "cpu", "cpu.stat");
    const field = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1]);
    return { periods: field("nr_periods"), throttled: field("nr_throttled"), usedNs: Number(await house.control(2, "cpuacct", "cpuacct.usage")) };
  };
  await house.inside(2, 'globalThis.w=[1,2,3].map(()=>new (require("worker_threads").Worker)("for(;;);",{eval:true}))');
  await until("throttling", async () => (await seen()).throttled > 3);
  const first = await seen();
  const last = await until("fifteen periods", async () => {
    const now = await seen();
    return now.periods - first.periods >= 15 && now;
  });
  assert.equal(await house.inside(1, "return 1"), 1, "the neighbour answers");
  const share = ((last.periods - first.periods + 2) * period * 1_000 * quota) / period;
  assert.ok(last.usedNs - first.usedNs < share * 1.15, `${last.usedNs - first.usedNs} ns in ${last.periods - first.periods} periods`);
  assert.ok(last.usedNs - first.usedNs > share / 3, "and what it has a right to it gets");
  await house.inside(2, "await Promise.all(w.map((one)=>one.terminate()))");

  await house.inside(2, 'require("child_process").spawn("/bin/sh",["-c","f(){ f|f& }; while :; do f; done"],{detached:true,stdio:"ignore"})');
  let most = 0;
  await until("the bomb to meet its bound", async () => {
    most = Math.max(most, Number(await house.control(2, "pids", "pids.current")));
    const said = await runOk(["/bin/sh", "-c", 'find "$1" -name pids.events -exec cat {} +', "sh", house.group(2, "pids", "")]);
    return /max [1-9]/.test(said);
  });
  assert.equal(await house.inside(1, "return 2"), 2, "the neighbour answers");
  assert.ok(most <= ENVELOPE.processes, `${most} processes`);
  await house.room.restartService(imvuIdOf(2), "web" as ServiceName);
  assert.ok((await house.room.processes(imvuIdOf(2))) < 60, "a restart ends all of it");

  const ended = await house.inside<string>(2, 'const c=require("child_process").spawn(process.execPath,["-e","const a=[];for(;;)a.push(Buffer.alloc(8<<20,1))"]);return await new Promise((r)=>c.on("exit",(code,signal)=>r(signal)))');
  assert.equal(ended, "SIGKILL");
  // The first generation counts a kill where the killed process was: in the service's own group.
  assert.match(await runOk(["/bin/sh", "-c", 'find "$1" -name memory.oom_control -exec cat {} +', "sh", house.group(2, "memory", "")]), /^oom_kill [1-9]/m);
  assert.ok(Number(await house.control(2, "memory", "memory.max_usage_in_bytes")) <= ENVELOPE.memoryBytes);

  const full = 'const fs=require("fs");const f=fs.openSync("/data/full","w");const b=Buffer.alloc(1<<20,1);try{for(let n=0;n<400;n++)fs.writeSync(f,b)}finally{fs.closeSync(f)}return "everything was taken"';
  await assert.rejects(house.inside(2, full), /ENOSPC/);
  assert.equal(await house.inside(1, 'require("fs").writeFileSync("/data/mine","x");return 3'), 3, "the neighbour answers, and writes");
  assert.equal(await house.inside(2, 'require("fs").unlinkSync("/data/full");return 4'), 4);
});

test("an envelope grows and shrinks in the kernel; below what is in use it does not, and the old one stays", async () => {
  const services = house.desired.get("IMVU-002")?.services ?? [];
  const held = async () => [
    await house.control(2, "cpu", "cpu.cfs_quota_us"),
    await house.control(2, "memory", "memory.limit_in_bytes"),
    await house.control(2, "pids", "pids.max"),
    (await house.control(2, "blkio", "blkio.throttle.write_iops_device")).split(" ")[1],
    (await house.state(2)).volume?.sizeBytes,
  ];
  const small = ["50000", String(256 * MIB), "128", "1000", 256 * MIB];
  const large = ["80000", String(300 * MIB), "200", "2000", 300 * MIB];
  assert.deepEqual(await held(), small);
  const pid = await house.pid(2);
  await house.apply(2, house.order(2, services, { cpuMillis: 800, memoryBytes: 300 * MIB, processes: 200, iops: 2_000, storageBytes: 300 * MIB }));
  assert.deepEqual(await held(), large);
  await house.inside(2, 'globalThis.held=Buffer.alloc(100<<20,7);const fs=require("fs");const f=fs.openSync("/data/large","w");for(let n=0;n<160;n++)fs.writeSync(f,Buffer.alloc(1<<20,n+1));fs.closeSync(f)');
  await assert.rejects(house.apply(2, house.order(2, services, { memoryBytes: 64 * MIB })), faultWith("LIMIT_IN_USE", /memory/));
  assert.deepEqual(await held(), large);
  await assert.rejects(house.apply(2, house.order(2, services, { storageBytes: 128 * MIB })), faultWith("VOLUME_RESIZE", /in use/));
  assert.deepEqual(await held(), large);
  assert.equal(await house.inside(2, 'const fs=require("fs");const f=fs.openSync("/data/large");const b=Buffer.alloc(1<<20);for(let n=0;n<160;n++)if(fs.readSync(f,b)!==b.length||!b.every((one)=>one===n+1))return n;fs.closeSync(f);return "whole"'), "whole");
  await house.inside(2, 'held=undefined;require("fs").unlinkSync("/data/large");require("v8").setFlagsFromString("--expose-gc");require("vm").runInNewContext("gc")()');
  await house.apply(2, house.order(2, services));
  assert.deepEqual(await held(), small);
  assert.equal(await house.pid(2), pid, "and the service never noticed");
});

test("meters equal the kernel's own files, and never fall when a service is started again", async () => {
  await house.inside(2, 'const fs=require("fs");const f=fs.openSync("/data/io","w");for(let n=0;n<20;n++){fs.writeSync(f,Buffer.alloc(65536,n));fs.fsyncSync(f)}fs.closeSync(f)');
  const device = (await house.state(2)).volume?.device ?? "";
  // Frozen, so that nothing moves between the meter's look and the test's.
  const freezer = house.group(2, "freezer", "freezer.state");
  await writeFile(freezer, "FROZEN");
  let frozen: Record<string, bigint>;
  try {
    await until("all are frozen", async () => (await readFile(freezer, "utf8")).trim() === "FROZEN");
    frozen = await house.meters(2);
    const line = async (file: string, kind: string) => BigInt(new RegExp(`^${device} ${kind} (\\d+)$`, "m").exec(await house.control(2, "blkio", file))?.[1] ?? "0");
    const { bsize, blocks, bfree } = await statfs(house.volume(2));
    assert.deepEqual(frozen, {
      "compute.cpu": BigInt(await house.control(2, "cpuacct", "cpuacct.usage")),
      "compute.memory": BigInt(await house.control(2, "memory", "memory.usage_in_bytes")),
      "compute.storage": BigInt(bsize) * BigInt(blocks - bfree),
      "compute.io.read.operations": await line("blkio.throttle.io_serviced", "Read"),
      "compute.io.write.operations": await line("blkio.throttle.io_serviced", "Write"),
      "compute.io.read.bytes": await line("blkio.throttle.io_service_bytes", "Read"),
      "compute.io.write.bytes": await line("blkio.throttle.io_service_bytes", "Write"),
    });
  } finally {
    await writeFile(freezer, "THAWED");
  }
  assert.ok((frozen["compute.io.write.operations"] ?? 0n) >= 20n && (frozen["compute.cpu"] ?? 0n) > 0n, "and something was counted");
  const epochs = async () => (await house.room.fabric.meter(imvuIdOf(2))).map((one) => `${one.boot} ${one.epoch}`);
  const before = await epochs();
  await house.room.restartService(imvuIdOf(2), "web" as ServiceName);
  const later = await house.meters(2);
  for (const [resource, value] of Object.entries(frozen)) if (!["compute.memory", "compute.storage"].includes(resource)) assert.ok((later[resource] ?? 0n) >= value, resource);
  assert.deepEqual(await epochs(), before);
});

test("a meter asks the kernel alone, about as many units as there are; where a volume has gone from its place, the disk below is nobody's level", async () => {
  const meters = () => Promise.all([1, 2].map(async (number) => (await house.room.fabric.meter(imvuIdOf(number))).length));
  assert.deepEqual(await started(meters), { answer: [7, 7], processes: 0, connections: 0 });
  const layout = layoutOf(house.site);
  const [volumes, attached] = [new Volumes(house.site, layout), readAttached(layout.volumes)];
  const before = volumes.readNow(2, attached);
  assert.ok(before && before.usedBytes > 0);
  await runOk(["/usr/bin/umount", "--lazy", house.volume(2)]);
  try {
    assert.equal(volumes.readNow(2, attached), undefined, "though it was there when the tables were read");
    await assert.rejects(house.meters(2), faultWith("NO_METER", /no envelope and volume/));
    assert.equal(Object.keys(await house.meters(1)).length, 7, "the other is read");
  } finally {
    await runOk(["/usr/bin/mount", "--types", "btrfs", "--options", "nosuid,nodev,noatime,discard=async", before.loop.path, house.volume(2)]);
  }
  assert.deepEqual(volumes.readNow(2, readAttached(layout.volumes))?.loop, before.loop);
});

test("podman's service is killed: containers live on, and the next one knows them", async () => {
  const [engine, service] = [house.enginePid(), await house.pid(1)];
  process.kill(engine, "SIGKILL");
  assert.equal(await house.inside(1, "return 5"), 5, "it answers while there is no engine");
  await until("another engine", async () => house.enginePid() !== engine && (await house.pid(1).catch(() => 0)) > 0);
  assert.equal(await house.pid(1), service);
  assert.deepEqual(await house.plan(1, house.desired.get("IMVU-001")), []);
  // Its monitor's word of the end still arrives.
  await house.room.restartService(imvuIdOf(1), "web" as ServiceName);
  assert.equal(await house.inside(1, "return 6"), 6);
});

test("a service that ends is started again, later each time, inside its limits", async () => {
  const waits = () => house.said.flatMap((line) => /^imvu-2-web ended with 7; it is started again in (\d+) ms$/.exec(line)?.[1] ?? []);
  for (let turn = 1; turn <= 3; turn += 1) {
    const pid = await house.pid(2);
    await house.inside(2, "setTimeout(()=>process.exit(7),20)");
    await until("another process", async () => !["", String(pid)].includes(String((await house.pid(2)) || "")));
    await until("an answer", async () => (await house.inside(2, "return 7").catch(() => 0)) === 7);
    assert.ok((await house.control(2, "blkio", "cgroup.procs")).split("\n").includes(String(await house.pid(2))), "it is throttled again");
  }
  assert.deepEqual(waits(), ["500", "1000", "2000"]);
  assert.deepEqual(await house.plan(2, house.desired.get("IMVU-002")), []);
});

test("a create that fails at any step is undone without a trace", async () => {
  const empty = await house.state(9);
  assert.deepEqual([empty.envelope, empty.volume, empty.services], [null, null, []]);
  const wanted = house.order(9, [await house.obeying(), await house.service("pages", await house.content("static", { name: "index.html", body: "x" }), 8_081)]);
  const { length } = await house.plan(9, wanted);
  assert.ok(length >= 6, `${length} steps`);
  for (let failing = 0; failing <= length; failing += 1) {
    const steps = await house.plan(9, wanted);
    assert.equal(steps.length, length);
    for (const step of steps.slice(0, failing)) await step.do();
    // One that never ran is undone as well: nobody knows how far it came.
    for (const step of steps.slice(0, failing + 1).toReversed()) await step.undo();
    assert.deepEqual(await house.state(9), empty, `failed at step ${failing}`);
    for (const folder of ["volumes", "logs"]) assert.deepEqual((await readdir(join(house.site.dir, "compute", folder))).filter((name) => /^9\b/.test(name)), []);
    assert.equal(await runOk(["/usr/bin/find", "/sys/fs/cgroup", "-path", `*nx${house.site.homeId}/imvu-9*`]), "");
  }
});

test("from inside there is one's own and nothing else", async () => {
  const seen = await house.inside<{ uid: number; status: string; pids: string[]; mounts: string; sys: string[]; refused: Record<string, string>; host: string; dev: string[] }>(
    2,
    `const fs=require("fs"),{spawnSync}=require("child_process");const no=(f)=>{try{f();return "done"}catch(e){return e.code}};
const sh=(...a)=>spawnSync("/bin/busybox",a).status===0?"done":"refused";
return {uid:process.getuid(),status:fs.readFileSync("/proc/self/status","utf8"),pids:fs.readdirSync("/proc").filter((n)=>/^\\d+$/.test(n)),mounts:fs.readFileSync("/proc/self/mountinfo","utf8"),sys:fs.readdirSync("/sys"),host:require("os").hostname(),dev:fs.readdirSync("/dev"),
refused:{root:no(()=>fs.writeFileSync("/x","x")),srv:no(()=>fs.writeFileSync("/srv/x","x")),home:no(()=>fs.readdirSync(${JSON.stringify(house.site.dir)})),sysrq:no(()=>fs.writeFileSync("/proc/sysrq-trigger","h")),sysctl:no(()=>fs.writeFileSync("/proc/sys/kernel/hostname","x")),chown:no(()=>fs.chownSync("/data",1,1)),
mount:sh("mount","-t","tmpfs","none","/tmp"),mknod:sh("mknod","/tmp/n","b","7","0"),unshare:sh("unshare","-U","true"),ip:sh("ip","link","add","d0","type","dummy"),ping:sh("chroot","/srv","/bin/true")}}`,
  );
  assert.equal(seen.uid, 0);
  assert.ok(seen.pids.includes("1") && seen.pids.length < 8, seen.pids.join());
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) assert.match(seen.status, new RegExp(`^${set}:\\s0+$`, "m"));
  assert.match(seen.status, /^NoNewPrivs:\s1$/m);
  assert.match(seen.status, /^Seccomp:\s2$/m);
  assert.equal(seen.host, "web");
  assert.deepEqual(seen.sys, []);
  assert.deepEqual(seen.dev.filter((name) => /loop|mem|kmsg|sd|vd/.test(name)), []);
  for (const [what, said] of Object.entries(seen.refused)) assert.notEqual(said, "done", what);
  const other = `/dev/${(await runOk(["/usr/sbin/losetup", "--associated", `${house.volume(1)}.img`])).split(":")[0]?.replace("/dev/", "")}`;
  assert.match(other, /^\/dev\/loop\d+$/);
  assert.ok(!seen.mounts.includes(`${other} `), "the neighbour's volume is not among its mounts");
  const uid = imvuUidBase(house.site, 2);
  assert.match(await readFile(`/proc/${await house.pid(2)}/status`, "utf8"), new RegExp(`^Uid:\\s${uid}\\s${uid}\\s${uid}\\s${uid}$`, "m"));
  // As a user of its own range on the machine itself, too.
  for (const path of ["data", "content"]) assert.notEqual((await run(["/bin/ls", house.volume(1, path)], { uid, gid: uid, cwd: "/" })).code, 0);
});

test("every probe holds, says broken when the machine was really changed, and holds again", async () => {
  for (const gate of house.room.fabric.probes) {
    const { verdict, detail } = await house.probe(gate, 2);
    assert.equal(verdict, "holds", `gate ${gate}: ${detail}`);
  }
  const written = async (controller: string, file: string, value: string, meanwhile: () => Promise<void>) => {
    const before = await house.control(2, controller, file);
    await writeFile(house.group(2, controller, file), value);
    await meanwhile();
    await writeFile(house.group(2, controller, file), before);
  };
  const says = async (gates: readonly GateNumber[], say: RegExp) => {
    for (const gate of gates) {
      const { verdict, detail } = await house.probe(gate, 2);
      assert.equal(verdict, "broken", `gate ${gate}: ${detail}`);
      assert.match(detail, say);
    }
  };
  await written("cpu", "cpu.cfs_quota_us", "30000", () => says([7, 15, 11], /CPU in thousandths of a core: 300 instead of 500|set the envelope/));
  await written("memory", "memory.limit_in_bytes", String(200 * MIB), () => says([7, 15], /memory bytes: 209715200/));
  await written("pids", "pids.max", "max", () => says([7], /processes: no limit/));
  const [root, device] = [house.volume(2), (await house.state(2)).volume?.device ?? ""];
  await writeFile(house.group(2, "blkio", "blkio.throttle.read_iops_device"), `${device} 50`);
  await says([7, 15], /read operations per second: 50 instead of 1000/);
  await writeFile(house.group(2, "blkio", "blkio.throttle.read_iops_device"), `${device} 1000`);

  await chmod(root, 0o755);
  await says([16], /mode 755/);
  await chmod(root, 0o700);

  await runOk(["/usr/bin/btrfs", "filesystem", "label", root, "US-CCPA"]);
  await says([9], /US-CCPA/);
  await runOk(["/usr/bin/btrfs", "filesystem", "label", root, "EU-GDPR"]);

  const name = namespaceNameOf(house.site, 2);
  await runOk(["/usr/sbin/ip", "netns", "delete", name]);
  await runOk(["/usr/sbin/ip", "netns", "add", name]);
  await says([2], /network namespace/);
  await runOk(["/usr/sbin/ip", "netns", "delete", name]);
  await runOk(["/usr/sbin/ip", "netns", "attach", name, String(await house.pid(2))]);

  const extra = house.group(77, "pids", "");
  await runOk(["/usr/bin/mkdir", "-p", extra]);
  const all = await house.room.fabric.probe(11, undefined);
  assert.equal(all.verdict, "broken");
  assert.match(all.detail, /IMVU-077.*no entry ordered it/);
  await runOk(["/usr/bin/rmdir", extra]);

  // A process that left one of its groups is still in others: only one that left all is outside.
  const pid = await house.pid(2);
  const groups = (await readFile(`/proc/${pid}/cgroup`, "utf8")).split("\n").flatMap((line) => {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return path === "" ? [] : [{ tree: `/sys/fs/cgroup/${controllers === "" ? "unified" : controllers.replace("name=", "")}`, path }];
  });
  for (const { tree } of groups) await writeFile(join(tree, "cgroup.procs"), String(pid));
  await says([2], /outside of the envelope/);
  for (const { tree, path } of groups) await writeFile(join(tree, path, "cgroup.procs"), String(pid));

  for (const gate of house.room.fabric.probes) {
    const { verdict, detail } = await house.probe(gate, 2);
    assert.equal(verdict, "holds", `gate ${gate}: ${detail}`);
  }
});

test("a burst raises the quota, is used up, and is earned back", async () => {
  const wanted = house.order(3, [await house.obeying()], { cpuMillis: 200, burst: { factor: 2, seconds: 1 } });
  await house.apply(3, wanted);
  const quota = () => house.control(3, "cpu", "cpu.cfs_quota_us");
  const raised = () => until("the burst's quota", async () => (await quota()) === "40000");
  await raised();
  assert.deepEqual(await house.plan(3, wanted), [], "a burst is no drift");
  await house.inside(3, 'globalThis.w=[1,2].map(()=>new (require("worker_threads").Worker)("for(;;);",{eval:true}))');
  await until("the envelope's quota", async () => (await quota()) === "20000");
  assert.equal((await house.probe(7, 3)).verdict, "holds");
  await house.inside(3, "await Promise.all(w.map((one)=>one.terminate()))");
  await raised();
  await house.apply(3, undefined);
});

/** Everything of a service's data as one would compare it by eye: kinds, modes, owners as the service sees them, times, links, bytes. */
async function listing(of: ComputeHouse, number: number, name: string): Promise<readonly string[]> {
  const root = of.volume(number, "data", name);
  const base = imvuUidBase(of.site, number);
  const lines = (await runOk(["/usr/bin/find", root, "-printf", "%P|%y|%m|%U|%G|%T@|%l|%n\\n"])).trim().split("\n").sort();
  return await Promise.all(
    lines.map(async (line) => {
      const [path = "", kind, mode, uid, gid, time, target, links] = line.split("|");
      const digest = kind === "f" ? sha256Hex(await readFile(join(root, path))) : "";
      return [path, kind, mode, Number(uid) - base, Number(gid) - base, time, target, kind === "d" ? "" : links, digest].join("|");
    }),
  );
}

test("what leaves comes back in a second home: bytes, owners, modes, links and times", async () => {
  await house.inside(
    1,
    `const fs=require("fs");process.umask(0);fs.mkdirSync("/data/a/b",{recursive:true,mode:0o750});fs.writeFileSync("/data/a/one","grüße",{mode:0o600});fs.linkSync("/data/a/one","/data/a/b/same");
fs.symlinkSync("../../nowhere","/data/a/out");fs.writeFileSync("/data/empty","");fs.writeFileSync("/data/bytes",Buffer.from(Array.from({length:300000},(_,n)=>(n*n)%251)));fs.chmodSync("/data/bytes",0o4755);
fs.writeFileSync("/data/"+"n".repeat(200),"long");fs.writeFileSync("/data/Ä $(id) \\u202e.txt","odd");fs.mkdirSync("/data/closed",{mode:0o000});require("child_process").execFileSync("mkfifo",["/data/pipe"]);
for(const p of ["/data/a/one","/data/bytes","/data/empty","/data/a/b","/data/a"])fs.utimesSync(p,1000000000,1000000001)`,
  );
  const base = imvuUidBase(house.site, 1);
  await runOk(["/usr/bin/chown", `${base + 1_000}:${base + 33}`, house.volume(1, "data/web/empty")]);
  // The bundle keeps whole seconds.
  await runOk(["/usr/bin/find", house.volume(1, "data/web"), "-depth", "-exec", "/usr/bin/touch", "--no-dereference", "--date=@1700000000", "{}", ";"]);
  const bundle = new MemoryBundle();
  await house.room.fabric.export(imvuIdOf(1), bundle);
  assert.deepEqual(bundle.list(""), ["compute/compose.yaml", ...["pages", "snake", "web"].map((name) => `compute/images/${name}.oci.tar`), ...["pages", "snake", "web"].map((name) => `compute/volumes/${name}.tar.zst`)]);
  for (const name of ["pages", "snake", "web"]) assert.match(bundle.files.get(`compute/images/${name}.oci.tar`)?.toString("latin1") ?? "", new RegExp(`"localhost/imvu-001/${name}:exported"`));
  for (const folder of ["snapshots", "scratch"]) assert.deepEqual(await readdir(house.volume(1, folder)), []);

  await using second = await ComputeHouse.start();
  assert.notEqual(second.site.uidBase + second.site.homeId, house.site.uidBase + house.site.homeId);
  const services = house.desired.get("IMVU-001")?.services ?? [];
  for (const { source } of services) if (source.kind === "runtime") await second.blob(await readFile(join(house.site.dir, "blobs", source.content)));
  const wanted = second.order(5, services);
  await second.apply(5, wanted);
  await second.inside(5, 'require("fs").writeFileSync("/data/was here before","x")');
  await second.room.fabric.import(imvuIdOf(5), wanted, bundle);
  assert.deepEqual(await listing(second, 5, "web"), await listing(house, 1, "web"));
  assert.equal(await second.inside(5, 'return require("fs").readFileSync("/data/a/b/same","utf8")'), "grüße");
  assert.deepEqual(await second.plan(5, wanted), []);

  const again = new MemoryBundle();
  await second.room.fabric.export(imvuIdOf(5), again);
  const path = "compute/volumes/web.tar.zst";
  assert.equal(sha256Hex(again.files.get(path) ?? ""), sha256Hex(bundle.files.get(path) ?? ""), "the same data is the same archive");

  bundle.files.set(path, Buffer.from("no zstd"));
  await assert.rejects(second.room.fabric.import(imvuIdOf(5), wanted, bundle), faultWith("ARCHIVE_BROKEN"));
  assert.equal(await second.inside(5, "return 8"), 8, "the service runs again whatever happened");
});
