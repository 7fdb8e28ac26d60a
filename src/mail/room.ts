import { readdir, rm } from "node:fs/promises";
import type { Blobs, DkimKey, FabricRoom, MailDesired, Site } from "../contract/index.ts";
import { ensureFolder, Fault, type Fqdn, type ImvuId, type MailAddress, parseImvuId, runOk } from "../kernel/index.ts";
import type { TlsSource } from "./certificate.ts";
import { examineMail } from "./doctor.ts";
import { mailFabric } from "./fabric.ts";
import { Directory } from "./identity-binding/directory.ts";
import { countMessages } from "./imap/count-messages.ts";
import { serveDict } from "./imap/dict.ts";
import { dovecotConfigFile, dovecotEngine } from "./imap/engine.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { mailHands } from "./mailbox-hands.ts";
import { boxesOnDisk } from "./observe.ts";
import { osUser } from "./os-users.ts";
import type { TxtResolver } from "./signing/dkim.ts";
import { Keyring } from "./signing/keyring.ts";
import { serveMilter } from "./signing/milter.ts";
import { MeterJournal } from "./smtp/meter-journal.ts";
import { deliverNotice, type Notice } from "./smtp/notice.ts";
import { postfixEngine } from "./smtp/engine.ts";
import { quotaAsker, servePolicy } from "./smtp/policy.ts";
import { serveSocketmap } from "./smtp/socketmap.ts";
import type { MailState } from "./state.ts";
import { listenUnix, type UnixServer } from "./unix-server.ts";

export interface MailRoomDeps {
  readonly site: Site;
  readonly blobs: Blobs;
  /** Certificate (with its chain) and key for SMTP and IMAP, PEM, readable by root; asked for before each start of an engine. */
  readonly tls: TlsSource;
  /** What the ledger orders; probes compare it with what runs. Without it gate 14's probe is unproven. */
  readonly desiredOf?: (imvu: ImvuId) => MailDesired | undefined;
  /** Asks DNS, as node:dns's resolve does; without it probes and checks of hosted zones' signatures use the keys in the home. */
  readonly resolver?: TxtResolver;
  /** `[host]:port` that takes mail for other platforms; without it Postfix asks the machine's DNS for mail exchangers. */
  readonly smarthost?: string;
  /** A line for the platform's log. */
  readonly say?: (line: string) => void;
}

export interface MailRoom extends FabricRoom<MailDesired, MailState> {
  /** One RSA-2048 and one Ed25519 key for the IMVU; those it has already are returned as they are. */
  createDkimKeys(imvu: ImvuId, domain: Fqdn): Promise<readonly DkimKey[]>;
  removeDkimKeys(imvu: ImvuId): Promise<void>;
  /** Puts a line from the platform itself into a box of this IMVU. */
  notify(imvu: ImvuId, notice: Notice): Promise<void>;
  /** In all folders of a box of this IMVU, by Dovecot's own count. */
  messagesIn(imvu: ImvuId, address: MailAddress): Promise<number>;
}

export function openMailRoom(deps: MailRoomDeps): MailRoom {
  const { site, blobs } = deps;
  const layout = layoutOf(site);
  const hostname = `mail.${site.suffix}`;
  const say = deps.say ?? (() => {});
  const directory = new Directory();
  const keyring = new Keyring(layout);
  let journal: MeterJournal | undefined;
  let servers: readonly UnixServer[] = [];
  const theJournal = async () => (journal ??= await MeterJournal.open(layout.meterJournal, layout.mailLog, site.boot, (recipient) => directory.ownerOf(recipient)));
  const resolver = keyring.resolver(directory, deps.resolver);
  const kick = async (address: string) => {
    await runOk(["/usr/bin/doveadm", "-c", dovecotConfigFile(layout), "kick", address]).catch(() => {});
  };
  const hands = mailHands({ site, layout, blobs, directory, settle: async () => (await theJournal()).drain(), kick });

  return {
    fabric: mailFabric({ site, layout, directory, keyring, hands, journal: theJournal, ...(deps.desiredOf ? { desiredOf: deps.desiredOf } : {}), ...(deps.resolver ? { dns: deps.resolver } : {}) }),
    engines: [
      dovecotEngine(site, layout, hostname, deps.tls),
      postfixEngine({ site, layout, hostname, smarthost: deps.smarthost ?? null, tls: deps.tls, mayPutLogAway: async () => await (await theJournal()).mayPutLogAway() }),
    ],
    async open() {
      if (servers.length > 0) return;
      await makeFolders(layout);
      await expectBoxes(layout, directory);
      const [postfix, dovecot] = [await osUser("postfix"), await osUser("dovecot")];
      const meter = await theJournal();
      const forPostfix = { uid: 0, gid: postfix.gid };
      servers = [
        await listenUnix(layout.socketmap, forPostfix, 0o660, (socket) => serveSocketmap(directory, socket)),
        await listenUnix(layout.policy, forPostfix, 0o660, (socket) => servePolicy(directory, quotaAsker(`${layout.dovecotRun}/quota-status`), socket)),
        await listenUnix(layout.milter, forPostfix, 0o660, (socket) =>
          serveMilter(
            {
              directory,
              keysOf: (account) => keyring.of(account.imvu),
              reserve: async (queueId, account) => (account.probe ? undefined : await meter.reserve(queueId, account.imvu)),
              resolver,
              now: () => new Date(),
              say,
            },
            socket,
          ),
        ),
        await listenUnix(layout.dict, { uid: dovecot.uid, gid: dovecot.gid }, 0o600, (socket) => serveDict(directory, socket)),
      ];
    },
    async close() {
      const closing = servers;
      servers = [];
      for (const server of closing) await server.close();
      const meter = journal;
      journal = undefined;
      await meter?.close();
      // Everything lies in the home: there is nothing else to take away.
    },
    doctor: () => examineMail(site, layout),
    createDkimKeys: (imvu) => keyring.ensure(imvu),
    removeDkimKeys: (imvu) => keyring.remove(imvu),
    async notify(imvu, notice) {
      if (directory.ownerOf(notice.to) !== imvu) throw new Fault("MAIL_NOT_THEIRS", `${notice.to} is no box of ${imvu}`);
      await deliverNotice(layout, hostname, notice);
    },
    async messagesIn(imvu, address) {
      if (directory.ownerOf(address) !== imvu) throw new Fault("MAIL_NOT_THEIRS", `${address} is no box of ${imvu}`);
      return await countMessages(layout, address);
    },
  };
}

async function makeFolders(layout: Layout): Promise<void> {
  for (const folder of [layout.dir, layout.run, layout.boxes]) await ensureFolder(folder, 0o711);
  await ensureFolder(layout.dkim, 0o700);
  // What a killed process left half-removed or half-made.
  for (const folder of [layout.gone, layout.passing]) {
    await rm(folder, { recursive: true, force: true });
    await ensureFolder(folder, 0o711);
  }
}

/** Mail for a box that no step has announced yet is put off, not refused. */
async function expectBoxes(layout: Layout, directory: Directory): Promise<void> {
  for (const name of await readdir(layout.boxes)) {
    const imvu = parseImvuId(name);
    if (!imvu.ok) continue;
    for (const address of await boxesOnDisk(layout, imvu.value)) directory.expect(address, imvu.value);
  }
}
