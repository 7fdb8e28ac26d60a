import { createPrivateKey } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, Fault, type Fqdn, runOk, writeFileAtomic } from "../../kernel/index.ts";
import type { DomainsLayout } from "../layout.ts";
import { osUser } from "../os-user.ts";
import type { Row } from "./control-client.ts";
import type { Knot } from "./knot.ts";

const ALGORITHM = 13;
const SIGN_POLL_MS = 20;
const SIGN_TIMEOUT_MS = 10_000;

export interface ExportedKey {
  /** `Kimvu001.world.+013+02625` */
  readonly base: string;
  /** BIND's public and private key files (private-key format v1.3, RFC 8624 algorithm 13). */
  readonly publicText: string;
  readonly privateText: string;
  /** BIND's state file, without which named silently makes a new key. */
  readonly stateText: string;
}

function keymgr(layout: DomainsLayout, zone: string, ...more: string[]): Promise<string> {
  return runOk(["/usr/bin/setpriv", "--reuid=knot", "--regid=knot", "--init-groups", "/usr/sbin/keymgr", "-C", layout.confdb, `${zone}.`, ...more]);
}

interface ListedKey {
  readonly id: string;
  readonly tag: number;
}

/** `keymgr ZONE list`: one line per key, id and tag first. */
async function keysOf(layout: DomainsLayout, zone: string): Promise<readonly ListedKey[]> {
  const text = await keymgr(layout, zone, "list");
  return [...text.matchAll(/^([0-9a-f]{40})\s+(?:[A-Z-]+\s+)?(\d+)\s/gm)].map((match) => ({ id: match[1] as string, tag: Number(match[2]) }));
}

export async function exportKeys(layout: DomainsLayout, zone: Fqdn, rows: readonly Row[]): Promise<readonly ExportedKey[]> {
  const exported: ExportedKey[] = [];
  const dnskeys = rows.filter((row) => row.type === "DNSKEY").map((row) => row.data ?? "");
  for (const { id } of await keysOf(layout, zone)) {
    const jwk = createPrivateKey(await readFile(join(layout.storage, "keys", "keys", `${id}.pem`))).export({ format: "jwk" });
    const point = Buffer.concat([Buffer.from(jwk.x as string, "base64url"), Buffer.from(jwk.y as string, "base64url")]).toString("base64");
    const data = dnskeys.find((one) => one.replace(/ /g, "").endsWith(point));
    // A key that is not served any more signs nothing, and nobody needs it.
    if (!data) continue;
    const tag = keyTag(Buffer.concat([Buffer.from([0x01, 0x01, 3, ALGORITHM]), Buffer.from(point, "base64")]));
    const base = `K${zone}.+0${ALGORITHM}+${String(tag).padStart(5, "0")}`;
    exported.push({
      base,
      publicText: `${zone}. 300 IN DNSKEY ${data}\n`,
      privateText: `Private-key-format: v1.3\nAlgorithm: ${ALGORITHM} (ECDSAP256SHA256)\nPrivateKey: ${Buffer.from(jwk.d as string, "base64url").toString("base64")}\n`,
      stateText: `; This is the state of key ${tag}, for ${zone}.\nAlgorithm: ${ALGORITHM}\nLength: 256\nKSK: yes\nZSK: yes\nGoalState: omnipresent\nDNSKEYState: omnipresent\nZRRSIGState: omnipresent\nKRRSIGState: omnipresent\nDSState: omnipresent\n`,
    });
  }
  return exported;
}

/** Makes the zone sign with these keys and no other. The zone exists already; when this resolves it is served with them. */
export async function importKeys(layout: DomainsLayout, knot: Knot, zone: Fqdn, keys: readonly { readonly base: string; readonly publicText: string; readonly privateText: string }[]): Promise<void> {
  if (keys.length === 0) throw new Fault("NO_DNSSEC_KEYS", `the bundle holds no DNSSEC key of ${zone}`, { hint: "export it again" });
  const owner = await osUser("knot");
  const folder = join(layout.knotFolder, "import");
  await ensureFolder(folder, 0o700, owner);
  const wanted: number[] = [];
  try {
    const before = await keysOf(layout, zone);
    for (const { base, publicText, privateText } of keys) {
      const tag = Number(/\+(\d{5})$/.exec(base)?.[1]);
      wanted.push(tag);
      if (before.some((key) => key.tag === tag)) continue;
      await writeFileAtomic(join(folder, `${base}.key`), publicText, 0o600, owner);
      await writeFileAtomic(join(folder, `${base}.private`), privateText, 0o600, owner);
      await keymgr(layout, zone, "import-bind", join(folder, `${base}.key`));
      await keymgr(layout, zone, "set", String(tag), "ksk=yes", "zsk=yes", "publish=+0", "ready=+0", "active=+0");
    }
    for (const key of before) if (!wanted.includes(key.tag)) await keymgr(layout, zone, "delete", key.id);
    await knot.ask([{ command: "zone-keys-load", zone: `${zone}.` }, { command: "zone-sign", zone: `${zone}.` }]);
    for (const deadline = Date.now() + SIGN_TIMEOUT_MS; ; await new Promise((resolve) => setTimeout(resolve, SIGN_POLL_MS))) {
      const rows = (await knot.read(zone)) ?? [];
      const tags = rows.filter((row) => row.type === "CDS").map((row) => Number(row.data?.split(" ")[0]));
      if (tags.length === wanted.length && wanted.every((tag) => tags.includes(tag))) return;
      if (Date.now() > deadline) throw new Fault("KEYS_NOT_SERVED", `${zone} is not served with the imported keys (has ${tags.join(", ")}, wants ${wanted.join(", ")})`, { hint: "nexus logs knot" });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** RFC 4034 appendix B. */
function keyTag(rdata: Buffer): number {
  let sum = 0;
  for (const [at, byte] of rdata.entries()) sum += at & 1 ? byte : byte << 8;
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff;
}
