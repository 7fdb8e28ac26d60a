import type { KeyObject } from "node:crypto";
import type { NewEntry, Receipt } from "../../contract/index.ts";
import { type Clock, Fault } from "../../kernel/index.ts";
import type { Store } from "../store/index.ts";
import type { Appended } from "./entry.ts";
import { type Fsck, fsckLedger } from "./fsck.ts";
import { entryRow, leavesOf, newestCheckpoint } from "./log-rows.ts";
import { noteSigner } from "./note.ts";
import type { Also, Beside } from "./request-queue.ts";
import { Sequencer } from "./sequencer.ts";
import { SignedMemory } from "./signed-memory.ts";
import { type EntryFilter, type LedgerEntry, storedEntries } from "./stored-entries.ts";
import { entriesBundleOf, TILE_LEVEL_MAX, TILE_WIDTH, tileWidth } from "./tile.ts";
import { formatTlogProof } from "./tlog-proof.ts";
import { consistencyRanges, inclusionRanges } from "./tree.ts";

export type { Also, Beside };

export const RECEIPT_TIMEOUT_MS = 15_000;
/** Code of the fault that a question about an erased body ends with. */
const ERASED = "LEDGER_ERASED";

export interface LedgerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Ed25519: a KeyObject, or PKCS #8 PEM. */
  readonly logKey: KeyObject | string;
  /** The log's name in every checkpoint: a URL without scheme, spaces and plus signs. */
  readonly origin: string;
  /** A batch was committed: how many entries, and how long that took, in milliseconds. */
  onCommit?(entries: number, taken_ms: number): void;
  /** Where the newest signed checkpoint is kept beside the key; without it an older database is taken for the log it is. */
  readonly signedFile?: string;
}

export interface Ledger {
  /** Resolves after COMMIT. The entries of one call stand next to each other, in order, or not at all. */
  append(entries: readonly NewEntry[], also?: Also, beside?: Beside): Promise<readonly Appended[]>;
  /** Waits for a published checkpoint that covers the entry. */
  receipt(index: number): Promise<Receipt>;
  /** The entry's commitment and the same proof, also where the body was erased; undefined: the ledger has no such entry. */
  proof(index: number): Promise<{ readonly leaf: Buffer; readonly proof: string } | undefined>;
  /** The receipt of an entry whose bytes are at hand. */
  proven(entry: Pick<Appended, "index" | "body">): Promise<Receipt>;
  /** The newest published signed note; undefined while the log is empty. */
  checkpoint(): string | undefined;
  /** Calls `fn` whenever a checkpoint may have been published; returns how to stop. `fn` must return at once: commands wait for it. */
  watch(fn: () => void): () => void;
  /** Entries of the newest published checkpoint; 0 while there is none. */
  publishedSize(): number;
  /** Committed entries. */
  size(): number;
  /** Entries that wait to be committed. */
  queued(): number;
  /** RFC 6962 §2.1.2. */
  consistencyProof(from: number, to: number): Promise<readonly Buffer[]>;
  /** RFC 6962 §2.1.1. */
  inclusionProof(index: number, size: number): Promise<readonly Buffer[]>;
  /** Of the published tree; without `width` the full tile. undefined: this log has no such tile (yet). */
  tile(level: number, n: number, width?: number): Promise<Buffer | undefined>;
  entriesBundle(n: number, width?: number): Promise<Buffer | undefined>;
  /** Committed entries with from ≤ index < to, in order. */
  entries(filter?: EntryFilter): AsyncIterable<LedgerEntry>;
  fsck(): Promise<Fsck>;
  /** `<origin>+<key id>+<base64>` for note verifiers. */
  readonly verifierKey: string;
  /** Stores and signs what waits, then lets go of the database. */
  close(): Promise<void>;
}

export async function openLedger(deps: LedgerDeps): Promise<Ledger> {
  const { store } = deps;
  const signer = noteSigner(deps.origin, deps.logKey);
  const memory = deps.signedFile === undefined ? undefined : await SignedMemory.open(deps.signedFile, signer);
  // Before anything could be signed.
  memory?.refuseOlder((await store.snapshot(newestCheckpoint))?.size ?? 0);
  const sequencer = await Sequencer.open({ known: memory?.known, store, clock: deps.clock, randomBytes: deps.randomBytes, signer, ...(deps.onCommit ? { onCommit: deps.onCommit } : {}) });
  const published = () => sequencer.state().published;
  const remember = () => memory?.keep(published()?.note);
  sequencer.watch(remember);
  remember();

  const covered = (index: number) =>
    new Promise<NonNullable<ReturnType<typeof published>>>((resolve, reject) => {
      const look = () => {
        const now = published();
        if (now && now.size > index) finish(() => resolve(now));
        else if (sequencer.failure()) finish(() => reject(sequencer.failure()));
      };
      const finish = (end: () => void) => {
        clearTimeout(timer);
        stop();
        end();
      };
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(new Fault("LEDGER_NO_CHECKPOINT", `no checkpoint covers entry ${index} after ${RECEIPT_TIMEOUT_MS} ms`, { retry: true })),
          ),
        RECEIPT_TIMEOUT_MS,
      );
      const stop = sequencer.watch(look);
      look();
    });

  const inclusionProof = async (index: number, size: number) => {
    checkSize(size, sequencer.state().size);
    return await sequencer.state().tree.hashes(inclusionRanges(index, size));
  };

  const proofOf = async (index: number) => {
    const { note, size } = await covered(index);
    return formatTlogProof({ index, hashes: await inclusionProof(index, size), checkpoint: note });
  };

  return {
    append: (entries, also, beside) => sequencer.append(entries, also, beside),
    checkpoint: () => published()?.note,
    watch: (fn) => sequencer.watch(fn),
    publishedSize: () => published()?.size ?? 0,
    size: () => sequencer.state().size,
    queued: () => sequencer.queued(),
    inclusionProof,
    verifierKey: signer.vkey,
    async receipt(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= sequencer.state().size)
        throw new Fault("LEDGER_NO_ENTRY", `the ledger has no entry ${index}`);
      const proof = await proofOf(index);
      const row = await store.snapshot((tx) => entryRow(tx, index));
      if (!row) throw new Fault("LEDGER_BROKEN", `entry ${index} is missing`, { hint: "nexus ledger fsck" });
      if (row.body === null) throw new Fault(ERASED, `the body of entry ${index} was erased, as a law ordered`, { hint: `nexus ledger proof ${index}` });
      return { index, body: row.body, proof };
    },
    async proof(index) {
      const [leaf] = await store.snapshot((tx) => leavesOf(tx, index, index + 1));
      return leaf && { leaf, proof: await proofOf(index) };
    },
    async proven({ index, body }) {
      return { index, body, proof: await proofOf(index) };
    },
    async consistencyProof(from, to) {
      checkSize(to, sequencer.state().size);
      return await sequencer.state().tree.hashes(consistencyRanges(from, to));
    },
    async tile(level, n, width = TILE_WIDTH) {
      if (!Number.isSafeInteger(level) || level < 0 || level > TILE_LEVEL_MAX || !served(level, n, width)) return undefined;
      return (await sequencer.state().tree.tile(level, n, width)).bytes(width);
    },
    async entriesBundle(n, width = TILE_WIDTH) {
      if (!served(0, n, width)) return undefined;
      return entriesBundleOf(await store.snapshot((tx) => leavesOf(tx, n * TILE_WIDTH, n * TILE_WIDTH + width)));
    },
    entries: (filter = {}) => storedEntries(store, { ...filter, to: Math.min(filter.to ?? Number.MAX_SAFE_INTEGER, sequencer.state().size) }),
    fsck: () => {
      const note = published()?.note;
      return fsckLedger({ store, verifier: signer, ...(note === undefined ? {} : { known: [note] }) });
    },
    async close() {
      await sequencer.close();
      remember();
      await memory?.close();
    },
  };

  /** Partial tiles are of the published tree, and older ones of a tile that has grown. */
  function served(level: number, n: number, width: number): boolean {
    if (!Number.isSafeInteger(n) || n < 0 || !Number.isSafeInteger(width) || width < 1 || width > TILE_WIDTH) return false;
    return width <= tileWidth(published()?.size ?? 0, level, n);
  }
}

function checkSize(size: number, committed: number): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > committed)
    throw new Fault("LEDGER_NO_TREE", `the ledger has ${committed} entries, not ${size}`);
}
