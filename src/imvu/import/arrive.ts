import type { Readable } from "node:stream";
import type { BundleReader, Imvu } from "../../contract/index.ts";
import type { Saga } from "../../core/command/index.ts";
import { Fault, type Outcome, type Sha256, sha256Hex } from "../../kernel/index.ts";
import { contentPath, PASSWD_PATH } from "../export/index.ts";
import { desiredOf, FABRIC_ORDER, type Fabrics, stepsTo } from "../imvu-manager/index.ts";

/** Where the content a bundle brings is put; the platform's blob store is one. */
export interface BlobSink {
  put(digest: Sha256, source: Readable | readonly Uint8Array[]): Promise<Outcome<number>>;
}

/** Puts a verified bundle into the engines: content first, then each fabric's steps and what steps alone cannot restore. */
export async function arrive(fabrics: Fabrics, blobs: BlobSink, imvu: Imvu, bundle: BundleReader, saga: Saga): Promise<void> {
  await saga.run([{ key: `import/content/${imvu.id}`, sentence: "take in the content and the mailboxes' hashes", do: () => takeIn(blobs, imvu, bundle), undo: async () => {} }]);
  const desired = desiredOf(imvu, fabrics.resolverAddressOf(imvu.number));
  for (const name of FABRIC_ORDER) {
    await saga.run(await stepsTo(fabrics, name, imvu.id, imvu));
    await saga.run([
      {
        key: `import/${name}/${imvu.id}`,
        sentence: `restore what the bundle holds of ${name}`,
        // The switch keeps each fabric with its own kind of order.
        do: () => {
          switch (name) {
            case "network":
              return fabrics.network.import(imvu.id, desired.network, bundle);
            case "compute":
              return fabrics.compute.import(imvu.id, desired.compute, bundle);
            case "domains":
              return fabrics.domains.import(imvu.id, desired.domains, bundle);
            case "mail":
              return fabrics.mail.import(imvu.id, desired.mail, bundle);
          }
        },
        undo: async () => {},
      },
    ]);
  }
}

async function takeIn(blobs: BlobSink, imvu: Imvu, bundle: BundleReader): Promise<void> {
  const contents = new Set<Sha256>();
  for (const { source } of imvu.services) {
    if (source.kind === "runtime") contents.add(source.content);
    if (source.kind === "oci") contents.add(source.archive);
  }
  for (const digest of contents) must(await blobs.put(digest, bundle.stream(contentPath(digest))));
  const hashes = new Map<string, Buffer>();
  for (const line of Buffer.from(await bundle.read(PASSWD_PATH)).toString("utf8").split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) hashes.set(line.slice(0, at), Buffer.from(line.slice(at + 1)));
  }
  for (const mailbox of imvu.mailboxes) {
    const hash = hashes.get(mailbox.address);
    const bytes = hash && [hash, Buffer.concat([hash, Buffer.from("\n")])].find((one) => sha256Hex(one) === mailbox.passwordHash);
    if (!bytes) throw new Fault("BUNDLE_PASSWD", `${PASSWD_PATH} has not the hash of ${mailbox.address} that the document names`, { hint: "export it again" });
    must(await blobs.put(mailbox.passwordHash, [bytes]));
  }
}

function must(outcome: Outcome<unknown>): void {
  if (!outcome.ok) throw new Fault(outcome.code, outcome.message, { hint: outcome.hint });
}
