import { accept, type Outcome, refuse } from "../../kernel/index.ts";
import { parseBase64 } from "./base64.ts";
import { HASH_BYTES } from "./tree.ts";

/** c2sp.org/tlog-proof@v1: an inclusion proof and the checkpoint it leads to, as one text. */
export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Buffer[];
  /** Signed note, verbatim. */
  readonly checkpoint: string;
  /** Opaque and not authenticated. */
  readonly extra?: Buffer;
}

export const PROOF_HASHES_MAX = 64;

const HEADER = "c2sp.org/tlog-proof@v1";

export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [HEADER, ...(extra ? [`extra ${extra.toString("base64")}`] : []), `index ${index}`, ...hashes.map((hash) => hash.toString("base64"))];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

export function parseTlogProof(text: string): Outcome<TlogProof> {
  const bad = (why: string) => refuse("engine", "BAD_PROOF", `inclusion proof: ${why}`, "ask the log again");
  const split = text.indexOf("\n\n");
  if (split < 0) return bad("has no checkpoint");
  const [header, ...lines] = text.slice(0, split).split("\n");
  if (header !== HEADER) return bad(`does not begin with ${HEADER}`);
  let extra: Buffer | undefined;
  if (lines[0]?.startsWith("extra ")) {
    extra = parseBase64((lines.shift() as string).slice("extra ".length));
    if (!extra) return bad("has a malformed extra line");
  }
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) return bad("has no index line");
  if (lines.length > PROOF_HASHES_MAX) return bad(`has more than ${PROOF_HASHES_MAX} hashes`);
  const hashes = parseHashes(lines);
  if (!hashes) return bad("has a malformed hash");
  return accept({ index: Number(index), hashes, checkpoint: text.slice(split + 2), ...(extra ? { extra } : {}) });
}

/** Base64 lines of 32-byte hashes, as proofs travel; undefined when one is not. */
export function parseHashes(lines: readonly string[]): readonly Buffer[] | undefined {
  const hashes: Buffer[] = [];
  for (const line of lines) {
    const hash = parseBase64(line);
    if (hash?.length !== HASH_BYTES) return undefined;
    hashes.push(hash);
  }
  return hashes;
}
