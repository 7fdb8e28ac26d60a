import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Blobs, ServiceSource } from "../../../contract/index.ts";
import { Fault, messageOf, type Sha256 } from "../../../kernel/index.ts";
import type { Layout } from "../../layout.ts";
import type { BaseImages } from "../../provisioning/base-image.ts";
import { inspectOci } from "../../provisioning/oci-inspect.ts";
import { rewrittenOci, unpackedBytes } from "../../provisioning/oci-rewrite.ts";
import type { PodmanRest } from "./rest.ts";

const LOAD_TIMEOUT_MS = 300_000;
const PULL_TIMEOUT_MS = 600_000;

/** Images: built from Debian packages, brought as an OCI archive, or pulled. */
export class Images {
  private readonly rest: PodmanRest;
  private readonly layout: Layout;
  private readonly blobs: Blobs;
  private readonly bases: BaseImages;

  constructor(rest: PodmanRest, layout: Layout, blobs: Blobs, bases: BaseImages) {
    this.rest = rest;
    this.layout = layout;
    this.blobs = blobs;
    this.bases = bases;
  }

  /** The name under which the engine knows what a source needs. Pure. */
  nameOf(source: ServiceSource): string {
    switch (source.kind) {
      case "runtime":
        return this.bases.nameOf(source.runtime);
      case "oci":
        return `localhost/nexus/oci:${source.archive}`;
      case "image":
        return source.ref;
    }
  }

  async names(): Promise<readonly string[]> {
    const listed = await this.rest.json<readonly { RepoTags?: readonly string[] | null; RepoDigests?: readonly string[] | null }[] | null>("GET", "/images/json");
    return [...new Set((listed ?? []).flatMap((one) => [...(one.RepoTags ?? []), ...(one.RepoDigests ?? [])]))].sort();
  }

  async has(name: string): Promise<boolean> {
    return (await this.rest.call("GET", `/images/${name}/exists`, { also: [404] })).status === 204;
  }

  async ensure(source: ServiceSource, bytesMax: number): Promise<void> {
    requireRegistry(source);
    const name = this.nameOf(source);
    if (source.kind !== "image" && (await this.has(name))) return;
    switch (source.kind) {
      case "runtime":
        await this.bases.ensure(source.runtime);
        break;
      case "oci":
        await this.loadOci(source.archive, name, bytesMax);
        break;
      case "image":
        if (!(await this.has(name))) await this.pull(name);
        break;
    }
    if (!(await this.has(name))) throw new Fault("IMAGE_MISSING", `podman does not know the image ${name} after it was brought`);
  }

  /** The archive's one image under a name of ours, for any tool that loads OCI archives. */
  async archiveOf(archive: Sha256, ref: string): Promise<Readable> {
    const path = this.blobs.path(archive);
    return rewrittenOci(await inspectOci(createReadStream(path)), createReadStream(path), ref);
  }

  private async loadOci(archive: Sha256, name: string, bytesMax: number): Promise<void> {
    const path = this.blobs.path(archive);
    const image = await inspectOci(createReadStream(path));
    await unpackedBytes(image, createReadStream(path), bytesMax);
    const file = join(this.layout.incoming, `${archive.slice(0, 16)}-${process.pid}-${Date.now()}.tar`);
    try {
      await pipeline(rewrittenOci(image, createReadStream(path), name), createWriteStream(file, { mode: 0o600 }));
      await this.rest.call("POST", "/images/load", { body: { stream: createReadStream(file), type: "application/x-tar" }, timeout_ms: LOAD_TIMEOUT_MS }).catch((cause: unknown) => {
        // Podman tries every format there is; only what it says of this one means anything.
        const why = /\* oci-archive: (.*)/.exec(messageOf(cause))?.[1];
        throw why === undefined ? cause : new Fault("OCI_ARCHIVE", `the OCI archive cannot be used: ${why}`, { cause, hint: "make it again: podman save --format oci-archive -o FILE.tar IMAGE" });
      });
    } finally {
      await rm(file, { force: true });
    }
  }

  private async pull(ref: string): Promise<void> {
    const answer = await this.rest.call("POST", "/images/pull", { query: { reference: ref, policy: "missing", quiet: "true" }, timeout_ms: PULL_TIMEOUT_MS, also: [404, 500] });
    const said = answer.text.split("\n").filter(Boolean).map(errorIn).find((error) => error !== "");
    if (answer.status !== 200 || said !== undefined) {
      throw new Fault("IMAGE_PULL", `the image ${ref} cannot be pulled: ${(said ?? answer.text).slice(0, 500)}`, {
        hint: "check the reference and that this machine reaches the registry, or bring the image: 'nexus deploy --oci FILE.tar'",
      });
    }
  }

  /** Paths of an image's VOLUME lines. */
  async volumesOf(name: string): Promise<readonly string[]> {
    const { Config } = await this.rest.json<{ Config?: { Volumes?: Record<string, unknown> | null } | null }>("GET", `/images/${name}/json`);
    return Object.keys(Config?.Volumes ?? {});
  }

  /** An image the engine holds, under a name of ours; `work` reads it to its end. */
  async withSaved(name: string, ref: string, work: (archive: Readable) => Promise<void>): Promise<void> {
    const file = join(this.layout.incoming, `saved-${process.pid}-${Date.now()}.tar`);
    try {
      await pipeline(await this.rest.stream(`/images/${name}/get`, { query: { format: "oci-archive" }, timeout_ms: LOAD_TIMEOUT_MS }), createWriteStream(file, { mode: 0o600 }));
      await work(rewrittenOci(await inspectOci(createReadStream(file)), createReadStream(file), ref));
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Only where no container uses it; base images are not the home's to remove. */
  async discard(source: ServiceSource): Promise<void> {
    if (source.kind !== "runtime") await this.rest.call("DELETE", `/images/${this.nameOf(source)}`, { also: [404, 409, 500] });
  }
}

/**
 * Names without a registry, and those of `localhost`, are looked for among the images that are here: other IMVUs' are among them, and are
 * nobody else's to run.
 */
export function requireRegistry(source: ServiceSource): void {
  if (source.kind === "image" && !/^(?!localhost[/:])[^/]*[.:][^/]*\/./.test(source.ref)) {
    throw new Fault("IMAGE_LOCAL", `the image ${source.ref} is named without the registry it comes from`, { hint: "name the registry too, like docker.io/library/nginx:1.27" });
  }
}

function errorIn(line: string): string {
  try {
    return String((JSON.parse(line) as { error?: string; message?: string; cause?: string }).error ?? "");
  } catch {
    return "";
  }
}
