import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureFolder, Fault, writeFileAtomic } from "../kernel/index.ts";
import type { Layout } from "./layout.ts";

/** Paths of PEM files root can read; whoever makes certificates renews them there. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export type TlsSource = () => TlsFiles | Promise<TlsFiles>;

/** A copy of our own before each start: both engines read it as root, before they drop privileges. */
export async function copyCertificate(layout: Layout, tls: TlsSource): Promise<void> {
  await ensureFolder(dirname(layout.certificate), 0o700);
  const { certFile, keyFile } = await tls();
  for (const [from, to] of [[certFile, layout.certificate], [keyFile, layout.certificateKey]] as const) {
    const pem = await readFile(from).catch((cause) => {
      throw new Fault("MAIL_CERTIFICATE", `the mail engines need ${from}`, { cause });
    });
    await writeFileAtomic(to, pem, 0o600);
  }
}
