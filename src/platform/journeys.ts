import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Command, type Evidence, type Imvu, IMVUS_PER_HOME_MAX } from "../contract/index.ts";
import { asJson, ringByName } from "../core/command/index.ts";
import { periodOf, termsOf } from "../core/handshake/index.ts";
import { type Ledger, openLogKey } from "../core/ledger/index.ts";
import { noteSigner, signNote } from "../core/ledger/pure.ts";
import { type BundleFacts, flawsOf } from "../core/policy-engine/index.ts";
import type { Store } from "../core/store/index.ts";
import { type ExitDeps, exportImvu, IMVU_DOCUMENT_PATH, type KnownKey, OWNER_PATH, writeBundle } from "../imvu/export/index.ts";
import { arrive, arrivingImvu, type OpenedBundle, openBundle, parseDocument } from "../imvu/import/index.ts";
import type { Fabrics, Journeys } from "../imvu/imvu-manager/index.ts";
import { type Clock, Fault, type ImvuId, imvuNumberOf, type KeyId, type Outcome, refuse, rfc3339, type Sha256 } from "../kernel/index.ts";
import { verifyExport } from "../verify/index.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import { type Archive, Exits } from "./exits.ts";
import type { Home } from "./home.ts";
import type { Openings } from "./openings.ts";
import { rehearse } from "./rehearsal.ts";
import { statementFor } from "./statements.ts";
import { VERSION } from "./version.ts";

export interface OpenJourneys extends Journeys {
  /** What a verified bundle says, for the judge; null when the command brings none or it cannot be read. */
  bundleFacts(command: Command): Promise<BundleFacts | null>;
  /** Makes the bundle that an exit would make now, rehearses and verifies it, and keeps nothing of it. The unit must stand still. */
  rehearseExit(imvu: Imvu): Promise<Evidence>;
  newestArchive(imvu: ImvuId): Promise<Archive | undefined>;
  /** What a crash left half-written; nothing may be at work. */
  clear(): Promise<void>;
}

export interface JourneyDeps {
  readonly home: Home;
  readonly fabrics: Fabrics;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly openings: Openings;
  readonly blobs: BlobShelf;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** Leaving and arriving, with this home's folders, keys and log. */
export function openJourneys(deps: JourneyDeps): OpenJourneys {
  const { home, fabrics, ledger, store, blobs, clock } = deps;
  const exits = new Exits(join(home.site.dir, "exits"));

  const withBundle = async <T>(digest: Sha256, work: (bundle: OpenedBundle) => Promise<T>): Promise<T> => {
    const bundle = must(await openBundle(blobs.path(digest), { scratchDir: exits.folder }));
    try {
      return await work(bundle);
    } finally {
      await bundle.close();
    }
  };

  const exportDeps = async (imvu: Imvu): Promise<ExitDeps> => ({
    blobs,
    ledger,
    sign: await manifestSigner(home),
    toolVersion: VERSION,
    exports: [fabrics.domains, fabrics.mail, fabrics.compute, fabrics.network].map((fabric) => (sink) => fabric.export(imvu.id, sink)),
    rehearse: (reader, arriving) => rehearse({ home, fabrics, reader, imvu: arriving, say: deps.say }),
    identityEntriesOf: (kids) => identityEntriesOf(store, kids),
    keys: await memberKeys(store, imvu),
  });
  const newDir = (imvu: ImvuId, at: string) => join(exits.folder, `${imvu}-${at.replace(/[:.]/g, "").replace(/\d{3}Z$/, "Z")}`);

  return {
    async rehearseExit(imvu) {
      const at = rfc3339(clock.now());
      const dir = `${newDir(imvu.id, at)}-rehearsal`;
      try {
        const { rehearsal } = await writeBundle(await exportDeps(imvu), { imvu, dir, at, command: null, through: ledger.size() - 1 });
        const { ok, counts, failures } = await verifyExport(dir, { logKey: ledger.verifierKey });
        const [first] = failures;
        if (!ok) return { verdict: "broken", detail: `the bundle does not verify: ${first?.what}: expected ${first?.expected}, found ${first?.found}` };
        return { verdict: "holds", detail: `a bundle of ${counts.files} files and ${counts.entries} entries verifies offline, and ${rehearsal.equal} resources were equal after its import into a scratch instance` };
      } catch (error) {
        // Whatever stands in the way of an export stands in the way of leaving.
        if (!(error instanceof Fault)) throw error;
        return { verdict: "broken", detail: `no exit can be made now: ${error.message}` };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },

    async exit({ command, digest, before, saga }) {
      if (command.op !== "imvu.exit" || !before) throw new TypeError("not an exit");
      const at = rfc3339(clock.now());
      const dir = newDir(before.id, at);
      const intent = await intentOf(store, digest);
      let exported: Awaited<ReturnType<typeof exportImvu>> | undefined;
      await saga.run([
        { key: `exit/statement/${before.id}`, sentence: "draw this month's statement from the readings", do: () => drawStatement(deps, before, at), undo: async () => {} },
        {
          key: `exit/bundle/${before.id}`,
          sentence: "write the bundle, rehearse its import, pack it",
          do: async () => {
            exported = await exportImvu(
              await exportDeps(before),
              { imvu: before, dir, at, command: { command: digest as Sha256, index: intent }, through: ledger.size() - 1, encryptTo: command.params.encryptTo },
            );
          },
          undo: async () => {
            for (const path of [dir, `${dir}.partial`, `${dir}.tar.zst`, `${dir}.tar.zst.age`]) await rm(path, { recursive: true, force: true });
          },
        },
      ]);
      await exits.keepNewest(before.id);
      const { packed, rehearsal, bundle } = exported as Awaited<ReturnType<typeof exportImvu>>;
      const { sections } = bundle.manifest;
      return asJson({ state: "exported", archive: packed.archive, sha256: packed.sha256, bytes: packed.bytes, manifest: bundle.manifestSha256, sections, rehearsal });
    },

    async objection(command) {
      return await withBundle(command.params.bundle, async (bundle) => {
        const { id, zone, records } = must(parseDocument(await bundle.read(IMVU_DOCUMENT_PATH)));
        if (imvuNumberOf(id) > IMVUS_PER_HOME_MAX) return refuse("conflict", "UIDS_USED_UP", `bundle: ${id} has a number beyond ${IMVUS_PER_HOME_MAX}, for which this home has no user ids`, "import it on another platform");
        for (const set of records) {
          const checked = fabrics.validateRecord(zone, set);
          if (!checked.ok) return checked;
        }
        return undefined;
      });
    },

    async arriving(command, owner) {
      return await withBundle(command.params.bundle, async (bundle) => {
        const document = must(parseDocument(await bundle.read(IMVU_DOCUMENT_PATH)));
        const { name, jurisdiction } = command.params;
        return arrivingImvu(document, { name, owner, jurisdiction, publicAddress: home.site.publicAddress });
      });
    },

    async arrive({ command, after, saga }) {
      if (command.op !== "imvu.import") throw new TypeError("not an import");
      await withBundle(command.params.bundle, (bundle) => arrive(fabrics, blobs, after, bundle, saga));
    },

    async bundleFacts(command) {
      if (command.op !== "imvu.import") return null;
      return await withBundle(command.params.bundle, async (bundle) => {
        const document = must(parseDocument(await bundle.read(IMVU_DOCUMENT_PATH)));
        const owner = JSON.parse(Buffer.from(await bundle.read(OWNER_PATH)).toString("utf8")) as { keys: { kid: KeyId; status: KnownKey["status"] }[] };
        return { manifest: bundle.manifestSha256, sourceId: document.id, zone: document.zone, envelope: document.envelope, ...(document.timeZone === undefined ? {} : { timeZone: document.timeZone }), ...(document.currency === undefined ? {} : { currency: document.currency }), flaws: flawsOf(document), ownerKids: owner.keys.filter(({ status }) => status === "live").map(({ kid }) => kid) };
      });
    },

    newestArchive: (imvu) => exits.newest(imvu),
    clear: () => exits.clear(),
  };
}

function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Fault(outcome.code, outcome.message, { hint: outcome.hint });
  return outcome.value;
}

async function drawStatement(deps: JourneyDeps, imvu: Imvu, at: string): Promise<void> {
  const statement = must(await statementFor(deps, imvu, periodOf(Date.parse(at), termsOf(imvu).timeZone).name));
  await deps.ledger.append([{ stream: imvu.id, type: "statement.closed", actor: "platform", data: asJson(statement) }]);
}

async function manifestSigner(home: Home): Promise<(text: string) => string> {
  const key = await openLogKey(join(home.site.dir, "keys", "log.pem"));
  const signer = noteSigner(`${home.site.suffix}/${home.name}/${home.site.homeId}`, key);
  return (text) => signNote(text, [signer]);
}

async function intentOf(store: Store, digest: string): Promise<number> {
  const rows = await store.snapshot((tx) => tx.query<{ intent_index: number }>("SELECT intent_index FROM command_seen WHERE digest = $1", [digest]));
  return Number(rows[0]?.intent_index);
}

/** Each identity's whole history: which of its keys was live when is told by all of its entries together. */
async function identityEntriesOf(store: Store, kids: readonly string[]): Promise<readonly number[]> {
  const rows = await store.snapshot((tx) =>
    tx.query<{ at: string }>(
      `WITH named AS (SELECT DISTINCT identity AS name FROM identity_key WHERE kid = ANY($1))
       SELECT intent_index AS at FROM command_seen JOIN named ON actor = name WHERE op LIKE 'identity.%' AND state <> 'refused'
       UNION SELECT (doc->'keys'->0->>'since')::bigint FROM identity JOIN named USING (name) ORDER BY 1`,
      [kids],
    ),
  );
  return rows.map((row) => Number(row.at));
}

async function memberKeys(store: Store, imvu: Imvu): Promise<readonly KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const { identity } of imvu.members) {
    const ring = await store.snapshot((tx) => ringByName(tx, identity));
    for (const { kid, publicKey, since, ended } of ring?.keys ?? []) {
      const status = ended === null ? "live" : ended.how === "rotated" ? "rotated" : "revoked";
      keys.push({ identity, kid, publicKey, status, registered: since, ended: ended?.index ?? null });
    }
  }
  return keys;
}
