import { Fault } from "../../kernel/index.ts";
import type { Store } from "../store/index.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { LogTree } from "./log-tree.ts";
import { entryCount, newestCheckpoint } from "./log-rows.ts";
import type { NoteVerifier } from "./note.ts";
import { HASH_BYTES } from "./tree.ts";

/** A checkpoint that is stored, and therefore may be shown. */
export interface Published {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
}

export interface LogState {
  readonly size: number;
  readonly tree: LogTree;
  readonly published: Published | undefined;
}

/**
 * What is stored, after the checks that cost little: entries and tree end together, the newest checkpoint is signed by this key and
 * signs this tree, and `known` – what this process published before it lost its connection – is still part of it.
 * Appending to anything else would sign a fork, so it is a Fault; fsck says where.
 */
export async function loadLogState(store: Store, verifier: NoteVerifier, known: Published | undefined): Promise<LogState> {
  const { size, leaves, newest } = await store.snapshot(async (tx) => {
    const run = await tx.query<{ first: number; bytes: number }>(
      "SELECT first, octet_length(hashes) AS bytes FROM ledger_node WHERE level = 0 ORDER BY first DESC LIMIT 1",
    );
    return { size: await entryCount(tx), leaves: run[0] ? run[0].first + run[0].bytes / HASH_BYTES : 0, newest: await newestCheckpoint(tx) };
  });
  if (size !== leaves) throw broken(`there are ${size} entries and a tree of ${leaves}`);
  const tree = await LogTree.load(store, size);
  if (!newest) {
    if (known) throw broken(`the checkpoint of ${known.size} entries is gone`);
    return { size, tree, published: undefined };
  }
  const checkpoint = openCheckpoint(newest.note, verifier);
  if (!checkpoint.ok)
    throw new Fault("LEDGER_OTHER_KEY", `the newest stored checkpoint is not one of ${verifier.vkey}: ${checkpoint.message}`, {
      hint: "bring back the log key this platform was made with",
    });
  const published: Published = { size: newest.size, root: checkpoint.value.root, note: newest.note };
  if (checkpoint.value.size !== newest.size) throw broken(`the checkpoint stored for ${newest.size} entries signs ${checkpoint.value.size}`);
  for (const one of known ? [published, known] : [published]) {
    if (one.size > size) throw broken(`a checkpoint of ${one.size} entries was signed and only ${size} are here`);
    if (!(await tree.root(one.size)).equals(one.root)) throw broken(`the tree of ${one.size} entries is not the one that was signed`);
  }
  if (known && known.size > published.size) throw broken(`the checkpoint of ${known.size} entries is gone`);
  return { size, tree, published };
}

function broken(what: string): Fault {
  return new Fault("LEDGER_BROKEN", `the ledger was changed from outside: ${what}`, { hint: "nexus ledger fsck" });
}
