import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, Fault, runOk, writeFileAtomic } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";

const CA_DAYS = 3_650;
const LEAF_DAYS = 397;
const RENEW_BEFORE_MS = 30 * 86_400_000;
const KEY_BITS_SERIAL = 128;
const DNS_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?$/;

async function exists(path: string): Promise<boolean> {
  return await readFile(path).then(
    () => true,
    () => false,
  );
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] as const;

/** The platform's own certificate authority and the key of its route tokens, made once per home. */
export async function ensureAuthority(layout: Layout, name: string): Promise<void> {
  await ensureFolder(layout.authority, 0o711);
  if (!(await exists(layout.caFile))) {
    const [key, certificate] = [`${layout.caKey}.new`, `${layout.caFile}.new`];
    await runOk([
      "/usr/bin/openssl", "req", "-x509", ...NEW_KEY, "-keyout", key, "-out", certificate, "-days", String(CA_DAYS), "-sha256",
      "-subj", `/O=Nexus/CN=${name}`,
      "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    ]);
    await writeFileAtomic(layout.caKey, await readFile(key), 0o600);
    // The certificate last: where it stands, its key stands too.
    await writeFileAtomic(layout.caFile, await readFile(certificate), 0o644);
    await Promise.all([rm(key), rm(certificate)]);
  }
  if (!(await exists(layout.tokenPublicKey))) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFileAtomic(layout.tokenKey, privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
    await writeFileAtomic(layout.tokenPublicKey, publicKey.export({ type: "spki", format: "pem" }), 0o644);
  }
}

export interface Leaf {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate for `names`, the first of which names it; chain included. */
export async function issueLeaf(layout: Layout, subject: string, names: readonly string[]): Promise<Leaf> {
  for (const name of names) if (!DNS_NAME.test(name)) throw new Fault("BAD_NAME", `no certificate for ${JSON.stringify(name)}`);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(subject)) throw new Fault("BAD_NAME", `no certificate for ${JSON.stringify(subject)}`);
  const beside = join(layout.authority, randomBytes(6).toString("hex"));
  const [keyFile, file] = [`${beside}.key`, `${beside}.pem`];
  try {
    await runOk([
      "/usr/bin/openssl", "req", "-x509", "-CA", layout.caFile, "-CAkey", layout.caKey, ...NEW_KEY, "-keyout", keyFile, "-out", file, "-days", String(LEAF_DAYS), "-sha256",
      "-set_serial", `0x${(BigInt(`0x${randomBytes(KEY_BITS_SERIAL / 8).toString("hex")}`) >> 1n).toString(16)}`,
      "-subj", `/CN=${subject}`,
      "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`,
      "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth",
    ]);
    const [leaf, authority, key] = await Promise.all([readFile(file, "utf8"), readFile(layout.caFile, "utf8"), readFile(keyFile, "utf8")]);
    createPrivateKey(key);
    return { certificate: `${leaf.trim()}\n${authority.trim()}\n`, key };
  } finally {
    await Promise.all([rm(keyFile, { force: true }), rm(file, { force: true })]);
  }
}

export interface Issued {
  readonly names: readonly string[];
  /** SHA-1, upper-case hexadecimal without colons, as the gateway prints it. */
  readonly fingerprint: string;
  readonly lasting: boolean;
}

/** What a certificate file says of itself; undefined when there is none, or it is not ours. */
export async function readIssued(layout: Layout, path: string, now_ms: number): Promise<Issued | undefined> {
  const [pem, authority] = await Promise.all([readFile(path, "utf8").catch(() => ""), readFile(layout.caFile, "utf8").catch(() => "")]);
  if (!pem || !authority) return undefined;
  const certificate = new X509Certificate(pem);
  if (!certificate.verify(new X509Certificate(authority).publicKey)) return undefined;
  return {
    names: (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^DNS:/, "")),
    fingerprint: certificate.fingerprint.replaceAll(":", ""),
    lasting: Date.parse(certificate.validTo) - now_ms > RENEW_BEFORE_MS,
  };
}

/** Certificate and key of the platform's own services (mail): renewed when due, whenever they are asked for. */
export async function platformLeaf(layout: Layout, hostname: string): Promise<{ certFile: string; keyFile: string }> {
  const certFile = join(layout.authority, `${hostname}.pem`);
  const keyFile = join(layout.authority, `${hostname}.key`);
  const issued = await readIssued(layout, certFile, Date.now());
  if (!issued?.lasting || !issued.names.includes(hostname) || !(await exists(keyFile))) {
    const leaf = await issueLeaf(layout, hostname.slice(0, 64), [hostname]);
    await writeFileAtomic(`${keyFile}.next`, leaf.key, 0o600);
    await writeFileAtomic(certFile, leaf.certificate, 0o644);
    await rename(`${keyFile}.next`, keyFile);
  }
  return { certFile, keyFile };
}
