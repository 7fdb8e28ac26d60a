import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { extract, type Header, pack } from "tar-stream";
import { Fault, type Json, sha256Hex } from "../../kernel/index.ts";
import { ociArchive } from "./oci-archive.ts";
import { inspectOci, OCI_ENTRIES_MAX, OCI_LAYERS_MAX } from "./oci-inspect.ts";
import { architecture, MEDIA } from "./oci-layout.ts";
import { rewrittenOci, unpackedBytes } from "./oci-rewrite.ts";

type Entry = Omit<Partial<Header>, "name"> & { name: string; body?: string | Buffer };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry({ mtime: new Date(0), ...header }, body ?? "");
  archive.finalize();
  return await buffer(Readable.from(archive));
}

const LAYER = gzipSync("the layer's tar");

/** A small image; each part may be replaced by something hostile, digests following unless told otherwise. */
interface Image {
  readonly layer?: Buffer;
  readonly layerType?: string;
  readonly layers?: number;
  readonly config?: Record<string, Json>;
  readonly manifest?: Record<string, Json>;
  readonly index?: Record<string, Json>;
  readonly more?: readonly Entry[];
}

function entriesOf(image: Image = {}): Entry[] {
  const described = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length });
  const layer = image.layer ?? LAYER;
  const count = image.layers ?? 1;
  const config = Buffer.from(JSON.stringify({ architecture: architecture(), os: "linux", config: { Cmd: ["/bin/x"], Volumes: { "/v": {} } }, rootfs: { type: "layers", diff_ids: Array(count).fill(`sha256:${"a".repeat(64)}`) }, ...image.config }));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: described(config, MEDIA.config), layers: Array(count).fill(described(layer, image.layerType ?? MEDIA.layerGzip)), ...image.manifest }));
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [described(manifest, MEDIA.manifest)], ...image.index }));
  return [{ name: "oci-layout", body: "{}" }, { name: "index.json", body: index }, ...[manifest, config, layer].map((bytes) => ({ name: `blobs/sha256/${sha256Hex(bytes)}`, body: bytes })), ...(image.more ?? [])];
}

const inspect = async (entries: readonly Entry[]) => await inspectOci(Readable.from([await tarOf(entries)]));

async function refused(entries: readonly Entry[], say: RegExp): Promise<void> {
  await assert.rejects(inspect(entries), (error) => {
    assert.ok(error instanceof Fault && error.code === "OCI_ARCHIVE", String(error));
    assert.match(error.message, say);
    return true;
  });
}

describe("an OCI archive", () => {
  test("that is whole is taken, also with ./ before its names and an index in its index", async () => {
    const { layers, volumes } = await inspect(entriesOf());
    assert.deepEqual([layers.length, volumes], [1, ["/v"]]);
    await inspect(entriesOf().map((entry) => ({ ...entry, name: `./${entry.name}` })));
    const plain = entriesOf();
    const inner = plain[1]?.body as Buffer;
    const outer = JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: MEDIA.index, digest: `sha256:${sha256Hex(inner)}`, size: inner.length }] });
    await inspect([...plain.filter((_, at) => at !== 1), { name: "index.json", body: outer }, { name: `blobs/sha256/${sha256Hex(inner)}`, body: inner }]);
  });

  test("with entries that no archive has is refused", async () => {
    for (const more of [{ name: "../evil", body: "x" }, { name: "/etc/passwd", body: "x" }, { name: "blobs/sha256/../../x", body: "x" }, { name: "manifest.json", body: "[]" }, { name: "blobs/md5/x", body: "x" }]) await refused(entriesOf({ more: [more] }), /no OCI archive has/);
    for (const type of ["symlink", "link", "character-device", "fifo"] as const) await refused(entriesOf({ more: [{ name: `blobs/sha256/${"b".repeat(64)}`, type, linkname: "/etc/passwd" }] }), /no OCI archive has/);
    await refused(entriesOf({ more: [{ name: "index.json", body: "{}" }] }), /twice/);
    await refused([...entriesOf(), ...entriesOf().slice(4)], /twice/);
    await refused(entriesOf({ more: Array.from({ length: OCI_ENTRIES_MAX }, (_, n) => ({ name: `d${n}/`, type: "directory" as const })) }), /more than 2000 entries/);
  });

  test("whose blobs are not what they are announced as is refused", async () => {
    const swapped = entriesOf().map((entry) => (entry.body === LAYER ? { ...entry, body: gzipSync("another") } : entry));
    await refused(swapped, /another digest/);
    await refused(entriesOf().filter((entry) => entry.body !== LAYER), /layer sha256:[0-9a-f]{64} is not in it/);
    await refused(entriesOf({ manifest: { layers: [{ mediaType: MEDIA.layerGzip, digest: `sha256:${sha256Hex(LAYER)}`, size: 7 }] } }), /announced with 7/);
    await refused(entriesOf({ index: { manifests: [{ mediaType: MEDIA.manifest, digest: `sha256:${"0".repeat(64)}`, size: 1 }] } }), /manifest .* is not in it/);
    await refused([], /not an OCI archive/);
  });

  test("for another machine, of several images, of other kinds, or without a command is refused", async () => {
    await refused(entriesOf({ config: { architecture: "vax" } }), /made for "vax"/);
    await refused(entriesOf({ config: { os: "windows" } }), /os/);
    await refused(entriesOf({ config: { config: {} } }), /no command/);
    await refused(entriesOf({ config: { config: null } }), /no command/);
    await refused(entriesOf({ config: { rootfs: { diff_ids: [] } } }), /do not belong together/);
    await refused(entriesOf({ layerType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }), /layer is of the type/);
    await refused(entriesOf({ layers: OCI_LAYERS_MAX + 1 }), /layers/);
    const manifest = (platform?: Json) => ({ mediaType: MEDIA.manifest, digest: `sha256:${"0".repeat(64)}`, size: 1, ...(platform === undefined ? {} : { platform }) });
    await refused(entriesOf({ index: { manifests: [manifest(), manifest()] } }), /several images/);
    await refused(entriesOf({ index: { manifests: [manifest({ os: "linux", architecture: "vax" })] } }), /no image for linux/);
    await refused(entriesOf({ index: { manifests: [] } }), /manifests/);
    await refused(entriesOf({ index: { manifests: [{ ...manifest(), mediaType: "text/html" }] } }), /of the type/);
  });

  test("whose documents are not JSON, or are cut off, is refused", async () => {
    await refused(entriesOf().map((entry) => (entry.name === "index.json" ? { ...entry, body: "<html>" } : entry)), /index.json is not JSON/);
    const whole = await tarOf(entriesOf());
    await assert.rejects(inspectOci(Readable.from([whole.subarray(0, 1_600)])), (error) => error instanceof Fault && error.code === "OCI_ARCHIVE");
    await assert.rejects(inspectOci(Readable.from([Buffer.alloc(4_096, "x")])), (error) => error instanceof Fault && error.code === "OCI_ARCHIVE");
  });
});

test("layers are counted unpacked, and counting stops at the bound", async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000));
  const bytes = await tarOf(entriesOf({ layer: bomb }));
  const image = await inspectOci(Readable.from([bytes]));
  assert.equal(await unpackedBytes(image, Readable.from([bytes]), 5_000_000), 5_000_000);
  await assert.rejects(unpackedBytes(image, Readable.from([bytes]), 4_999_999), (error) => error instanceof Fault && error.code === "IMAGE_TOO_LARGE");
  const noGzip = await tarOf(entriesOf({ layer: Buffer.from("not packed") }));
  await assert.rejects(unpackedBytes(await inspectOci(Readable.from([noGzip])), Readable.from([noGzip]), 1e6), (error) => error instanceof Fault && error.code === "OCI_ARCHIVE");
});

test("written anew it holds the one image under our name, and nothing else of the stranger's", async () => {
  const bytes = await tarOf(entriesOf({ index: { annotations: { "org.opencontainers.image.ref.name": "localhost/nexus/node:latest" } }, more: [{ name: `blobs/sha256/${sha256Hex("stowaway")}`, body: "stowaway" }] }));
  const image = await inspectOci(Readable.from([bytes]));
  const out = await buffer(rewrittenOci(image, Readable.from([bytes]), "localhost/ours:1"));
  const found = new Map<string, string>();
  const archive = extract();
  Readable.from([out]).pipe(archive as unknown as NodeJS.WritableStream);
  for await (const entry of archive) found.set(entry.header.name, (await buffer(entry as unknown as AsyncIterable<Buffer>)).toString("latin1"));
  assert.equal(found.size, 5);
  assert.match(found.get("index.json") ?? "", /localhost\/ours:1/);
  assert.ok(!out.includes("stowaway") && !out.includes("localhost/nexus/node"));
  assert.equal((await inspectOci(Readable.from([out]))).manifest.digest, image.manifest.digest);
});

test("what we write ourselves passes, and twice the same is the same bytes", async () => {
  const layer = { mediaType: MEDIA.layerGzip, digest: `sha256:${sha256Hex(LAYER)}`, size: LAYER.length, diffId: sha256Hex("the layer's tar") };
  const order = { ref: "localhost/imvu-001/web:exported", config: { command: ["/bin/x"], env: ["PORT=1"], workDir: "/srv", port: 1 }, layers: [{ layer, open: () => Readable.from([LAYER]) }] };
  const [one, two] = [await buffer(ociArchive(order)), await buffer(ociArchive(order))];
  assert.ok(one.equals(two));
  assert.equal((await inspectOci(Readable.from([one]))).layers[0]?.digest, layer.digest);
});
