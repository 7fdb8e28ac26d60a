import { type Checkpoint, openCheckpoint, parseVerifierKey } from "../../core/ledger/pure.ts";
import { Fault } from "../../kernel/index.ts";
import { Failures } from "../failures.ts";
import { LOG_CHECKPOINT_PATH } from "../log/layout.ts";
import type { Verification } from "../verify-bundle.ts";
import { parseLogAddress } from "./address.ts";
import { FETCH_LIMITS, Fetcher, type FetchLimits } from "./fetcher.ts";
import { judgeKept, readKept, writeKept } from "./kept.ts";
import { readLog } from "./read-log.ts";
import { checkpointOf, servedKey } from "./served.ts";
import { demandOf, judgeWitnesses } from "./witnesses.ts";

export interface LiveOptions {
  /** An older checkpoint of this log that must be its beginning; only read. */
  readonly since?: string;
  /** Like `since`, and written anew when everything held; need not be there yet. */
  readonly keep?: string;
  /** Verifier keys of witnesses. */
  readonly witnesses?: readonly string[];
  /** How many of them must have cosigned; default: all. */
  readonly require?: number;
  /** Told after each bundle of commitments. */
  readonly progress?: (entries: number, size: number) => void;
  readonly fetchLimits?: FetchLimits;
}

/**
 * Verifies a log where it is served: every commitment and every tile is fetched once, the tree made again up to the signed root, and held
 * against what was kept of it. Memory does not grow with the log. Throws Fault when the log could not be read at all.
 */
export async function verifyLiveLog(text: string, options: LiveOptions & { readonly logKey?: string } = {}): Promise<Verification> {
  const began = performance.now();
  const address = parseLogAddress(text);
  const demand = demandOf(options.witnesses ?? [], options.require);
  const since = options.since === undefined ? undefined : await readKept(options.since);
  if (options.since !== undefined && !since) throw new Fault("BAD_KEPT", `--since ${options.since}: no such file`, { hint: "give a checkpoint that was kept; --keep FILE begins a new one" });
  const remembered = options.keep === undefined ? undefined : await readKept(options.keep);
  const kept = [since, remembered].filter((one) => one !== undefined);
  const failures = new Failures();
  const fetcher = new Fetcher(options.fetchLimits ?? FETCH_LIMITS);
  try {
    const given = options.logKey ?? remembered?.key ?? since?.key;
    const key = given ?? (await servedKey(fetcher, address));
    const note = await checkpointOf(fetcher, address);
    const checkpoint = opened(note, key, failures);
    const witnessed = checkpoint && demand ? judgeWitnesses(note, demand, failures) : null;
    const read = checkpoint ? await readLog(fetcher, address, checkpoint, new Set(kept.map((one) => one.checkpoint.size)), failures, options.progress ?? (() => {})) : undefined;
    const judged = [];
    for (const one of kept) judged.push({ one, ...(await judgeKept(one, { url: address.prefix.href, key, note, checkpoint, rootAt: (size) => read?.roots.get(size) }, new Date(), failures)) });
    const ok = failures.total === 0 && checkpoint !== undefined;
    if (ok && options.keep !== undefined) await writeKept(options.keep, checkpoint.origin, key, note);
    const none = { commands: 0, verdicts: 0, statements: 0 };
    return {
      ok,
      counts: { entries: read?.entries.good ?? 0, ...none, files: read?.files.good ?? 0 },
      of: { entries: read?.entries.of ?? 0, ...none, files: read?.files.of ?? 0 },
      failures: failures.list,
      failuresTotal: failures.total,
      imvu: null,
      createdAt: null,
      logKey: key,
      bodies: read?.bodies ?? 0,
      live: {
        url: address.prefix.href,
        origin: checkpoint?.origin ?? null,
        checkpoint: note,
        keyFrom: options.logKey !== undefined ? "given" : given !== undefined ? "kept" : "served",
        bodiesShown: read?.bodiesShown ?? false,
        witnessed,
        kept: judged.map(({ one, consistent }) => ({ file: one.file, size: one.checkpoint.size, consistent })),
        evidence: judged.flatMap(({ evidence }) => evidence ?? []),
        keptNow: ok && options.keep !== undefined ? options.keep : null,
        requests: fetcher.requests,
        bytes: fetcher.bytes,
        ms: Math.round(performance.now() - began),
      },
    };
  } finally {
    fetcher.close();
  }
}

function opened(note: string, key: string, failures: Failures): Checkpoint | undefined {
  const verifier = parseVerifierKey(key);
  if (!verifier.ok) throw new Fault("BAD_VERIFIER_KEY", `--log-key: ${verifier.message}`, { hint: verifier.hint });
  const checkpoint = openCheckpoint(note, verifier.value);
  if (checkpoint.ok) return checkpoint.value;
  failures.add(LOG_CHECKPOINT_PATH, `a checkpoint signed by ${key}`, checkpoint.message);
  return undefined;
}
