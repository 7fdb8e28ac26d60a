import type { Sha256 } from "../../kernel/index.ts";

/** The few shapes of the OCI image layout (image-spec 1.0) that are written and read here. */
export const MEDIA = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

const REF_ANNOTATION = "org.opencontainers.image.ref.name";
export const OCI_LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Layer extends Descriptor {
  /** SHA-256 of the layer's tar before compression. */
  readonly diffId: Sha256;
}

export interface ImageConfig {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly workDir: string;
  readonly port?: number;
}

export function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

export function imageConfigJson(config: ImageConfig, layers: readonly Layer[]): string {
  return JSON.stringify({
    architecture: architecture(),
    os: "linux",
    config: {
      Env: config.env,
      Cmd: config.command,
      WorkingDir: config.workDir,
      ...(config.port === undefined ? {} : { ExposedPorts: { [`${config.port}/tcp`]: {} } }),
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${layer.diffId}`) },
  });
}

export function manifestJson(config: Descriptor, layers: readonly Descriptor[]): string {
  const plain = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size });
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.manifest, config: plain(config), layers: layers.map(plain) });
}

export function indexJson(manifest: Descriptor, ref: string): string {
  const { mediaType, digest, size } = manifest;
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [{ mediaType, digest, size, annotations: { [REF_ANNOTATION]: ref } }] });
}

export function blobPath(digest: string): string {
  return `blobs/sha256/${digest.replace("sha256:", "")}`;
}
