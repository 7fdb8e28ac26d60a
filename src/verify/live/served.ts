import type { Buffer } from "node:buffer";
import { NOTE_BYTES_MAX, parseVerifierKey } from "../../core/ledger/pure.ts";
import { Fault } from "../../kernel/index.ts";
import { LOG_CHECKPOINT_PATH, LOG_KEY_PATH } from "../log/layout.ts";
import type { LogAddress } from "./address.ts";
import type { Fetcher } from "./fetcher.ts";

/** `/log/` answers little. */
const KEY_BYTES_MAX = 64 * 1024;

/** The key the log itself names, as a platform answers it at its prefix, or as a file beside the checkpoint. */
export async function servedKey(fetcher: Fetcher, { prefix }: LogAddress): Promise<string> {
  const asJson = await fetcher.get(prefix, KEY_BYTES_MAX);
  const named = asJson.ok ? keyIn(asJson.bytes) : undefined;
  if (named !== undefined) return named;
  const asFile = await fetcher.get(new URL(LOG_KEY_PATH, prefix), KEY_BYTES_MAX);
  const text = asFile.ok ? asFile.bytes.toString("utf8").trim() : "";
  const parsed = parseVerifierKey(text);
  if (!parsed.ok) throw new Fault("NO_LOG_KEY", `${prefix.href}: shows no verifier key`, { hint: "give it with --log-key, or see whether this is the prefix of a log, e.g. https://host/log/" });
  return text;
}

function keyIn(bytes: Buffer): string | undefined {
  try {
    const { key } = JSON.parse(bytes.toString("utf8")) as { key?: unknown };
    return typeof key === "string" && parseVerifierKey(key).ok ? key : undefined;
  } catch {
    return undefined;
  }
}

export async function checkpointOf(fetcher: Fetcher, { prefix }: LogAddress): Promise<string> {
  const url = new URL(LOG_CHECKPOINT_PATH, prefix);
  const answer = await fetcher.get(url, NOTE_BYTES_MAX);
  if (answer.ok) return answer.bytes.toString("utf8");
  throw new Fault("NO_CHECKPOINT", `${url.href}: expected a checkpoint, found ${answer.found}`, { hint: "a log without entries may have none yet; else see whether this is the prefix of a log, e.g. https://host/log/" });
}
