import { type Cosignature, openCosignatures, parseNote, withSignatureLines, type WitnessVerifier } from "../core/ledger/pure.ts";
import { messageOf } from "../kernel/index.ts";
import { formatAddCheckpoint } from "./add-checkpoint.ts";

/** One question to one witness, and what its answer means. Never throws for what a witness does. */

const ANSWER_BYTES_MAX = 16 * 1024;
const TEXT_CHARS_MAX = 120;

export interface WitnessPeer {
  readonly key: WitnessVerifier;
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
}

export type Said =
  | { readonly kind: "cosigned"; readonly cosignature: Cosignature }
  /** 409: the size of the newest tree it vouched for. */
  | { readonly kind: "size"; readonly size: number }
  /** 422: our proof does not lead from its tree to ours. */
  | { readonly kind: "inconsistent"; readonly why: string }
  /** 200, and no cosignature of this key over this checkpoint. */
  | { readonly kind: "false"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "silent"; readonly why: string };

export interface Question {
  readonly old: number;
  readonly proof: readonly Buffer[];
  /** Signed by the log. */
  readonly note: string;
}

export async function askWitness({ key, url }: WitnessPeer, question: Question, signal: AbortSignal): Promise<Said> {
  let answer: { readonly status: number; readonly text: string };
  try {
    const response = await fetch(`${url}/add-checkpoint`, { method: "POST", body: formatAddCheckpoint(question), headers: { "content-type": "text/plain; charset=utf-8" }, redirect: "error", signal });
    answer = { status: response.status, text: await bounded(response) };
  } catch (error) {
    const cause = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    return { kind: "silent", why: cause };
  }
  const { status, text } = answer;
  if (status === 200) return cosignatureOf(question.note, text, key);
  const said = `${status}: ${text.trim().replace(/[^\x20-\x7e]+/g, " ").slice(0, TEXT_CHARS_MAX)}`;
  if (status === 409 && /^(0|[1-9]\d{0,15})\n$/.test(text) && Number.isSafeInteger(Number(text))) return { kind: "size", size: Number(text) };
  return status === 422 ? { kind: "inconsistent", why: said } : { kind: "refused", why: said };
}

function cosignatureOf(note: string, lines: string, key: WitnessVerifier): Said {
  const parsed = parseNote(withSignatureLines(note, [lines]));
  if (!parsed.ok) return { kind: "false", why: "its answer is not signature lines" };
  const [cosignature] = openCosignatures(parsed.value, [key]);
  if (cosignature) return { kind: "cosigned", cosignature };
  const own = parsed.value.signatures.some(({ name, keyId }) => name === key.name && keyId === key.keyId);
  return { kind: "false", why: own ? "its signature does not hold for this checkpoint" : `no signature line is of the key ${key.vkey}` };
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new RangeError(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
