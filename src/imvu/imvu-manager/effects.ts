import type { Command, DnsRecordSet, Imvu, Op, Params, Snapshot } from "../../contract/index.ts";
import type { Effects, Work, Worked } from "../../core/command/index.ts";
import type { PayoutOrder } from "../../core/policy-engine/index.ts";
import { isSnapshotCommand } from "../../core/policy-engine/index.ts";
import { type Fqdn, type IdentityName, type ImvuId, type Json, refuse, type Refusal, type Sha256 } from "../../kernel/index.ts";
import { converge, type FabricName, FABRIC_ORDER, type Fabrics, stepsTo } from "./fabrics.ts";
import { desiredOf } from "./desired.ts";
import { type Allocation, createdImvu, nextImvu, withDkim } from "./next.ts";
import { nextSnapshots, objectionToSnapshot, runSnapshot, type SnapshotAllocation, unfresh, withSnapshot } from "./snapshots.ts";

/** Leaving and arriving, which need more than steps; imvu/export and imvu/import implement them. */
export interface Journeys {
  exit(work: Work): Promise<Json>;
  /** What only reading the bundle can say against it. */
  objection(command: Extract<Command, { op: "imvu.import" }>): Promise<Refusal | undefined>;
  /** The document a verified bundle brings, with the number it had. */
  arriving(command: Extract<Command, { op: "imvu.import" }>, owner: IdentityName): Promise<Imvu>;
  /** Puts back what steps alone cannot: keys before the zone is signed, content, messages. */
  arrive(work: Work & { readonly after: Imvu }): Promise<void>;
}

export interface EffectsDeps {
  readonly fabrics: Fabrics;
  readonly journeys: Journeys;
  readonly suffix: Fqdn;
  readonly publicAddress: string;
  /** Whether somebody registered under this name here. */
  isRegistered(name: IdentityName): Promise<boolean>;
  /** Writes the tariff into the log, once for each command; @returns its index. */
  publishTariff(tariff: Params<"platform.tariff.publish">, command: string): Promise<number>;
  /** Writes what became of a payout into its unit's stream, once for each command. */
  settlePayout(order: PayoutOrder, command: string): Promise<{ readonly index: number; readonly amount: string; readonly currency: string }>;
  contentOf(runtime: "static" | "node" | "python"): Promise<Sha256>;
  /** Reads all meters once and writes the reading: a new unit is metered from its first second. */
  attachMeters(imvu: ImvuId): Promise<void>;
}

const TOUCHED: Record<Op, readonly FabricName[]> = {
  "identity.register": [],
  "identity.key.add": [],
  "identity.key.rotate": [],
  "identity.key.revoke": [],
  "identity.recovery.set": [],
  "identity.recovery.begin": [],
  "identity.recovery.object": [],
  "identity.recovery.complete": [],
  "platform.operator.add": [],
  "platform.operator.remove": [],
  "platform.erase": [],
  "platform.tariff.publish": [],
  "platform.payout.execute": [],
  "platform.payout.return": [],
  "platform.billing.set": [],
  "imvu.create": FABRIC_ORDER,
  "imvu.import": FABRIC_ORDER,
  "imvu.exit": [],
  "imvu.scale": ["network", "compute"],
  "imvu.member.set": [],
  "imvu.member.remove": [],
  "service.deploy": ["compute"],
  "service.restart": [],
  "service.remove": ["network", "compute"],
  "dns.set": ["domains"],
  "dns.remove": ["domains"],
  "mail.mailbox.create": ["mail"],
  "mail.mailbox.password": ["mail"],
  "mail.mailbox.remove": ["mail"],
  "route.set": ["network"],
  "route.remove": ["network"],
  "consent.record": [],
  "revenue.record": [],
  "revenue.reverse": [],
  "imvu.payout.account": [],
  "imvu.billing.set": [],
  "imvu.snapshot.create": [],
  "imvu.snapshot.restore": [],
  "imvu.snapshot.remove": [],
  "imvu.budget.set": [],
  "imvu.erase": [],
};

/** What a command does to the engines: the document after it, and the steps that make it true. */
export function imvuEffects(deps: EffectsDeps): Effects {
  const { fabrics, journeys } = deps;
  return {
    async allocate(command, actor, at, nextNumber) {
      if (command.op === "imvu.create") {
        const allocation: Allocation = { number: nextNumber, createdAt: at, suffix: deps.suffix, publicAddress: deps.publicAddress, content: await deps.contentOf(command.params.runtime) };
        return { ...allocation };
      }
      if (command.op === "imvu.import") return JSON.parse(JSON.stringify(await journeys.arriving(command, actor as IdentityName))) as Json;
      return isSnapshotCommand(command) ? { at } : null;
    },
    after(command, before, allocation) {
      if (command.op === "imvu.create") return createdImvu(command.params, allocation as unknown as Allocation);
      if (command.op === "imvu.import") return allocation as unknown as Imvu;
      if (isSnapshotCommand(command)) return before && nextSnapshots(before, command, allocation as unknown as SnapshotAllocation);
      return before && unfresh(before, nextImvu(before, command));
    },
    withLearned: (after, learned) => {
      const { dkim, snapshot } = (learned ?? {}) as { dkim?: Imvu["dkim"]; snapshot?: Snapshot };
      if (snapshot) return withSnapshot(after, snapshot);
      return dkim ? withDkim(after, dkim) : after;
    },
    objection: async (command, before) => command.op === "imvu.import" ? await journeys.objection(command) : objectionTo(fabrics, command, before) ?? (await objectionToMember(deps, command, before)),
    converge: async (id, to) => {
      await converge(fabrics, id, to);
    },
    whole,
    async run(work): Promise<Worked> {
      const { command, after, saga } = work;
      // An intent of an earlier version may stand without its outcome.
      const done = whole(command, work.actor);
      if (done) return done;
      switch (command.op) {
        case "platform.tariff.publish": {
          const index = await deps.publishTariff(command.params, work.digest);
          return { learned: { index }, observed: { index, ...command.params } };
        }
        case "platform.payout.execute":
        case "platform.payout.return":
          return { learned: null, observed: { ...command.params, ...(await deps.settlePayout(command, work.digest)) } };
        case "imvu.create":
          return await create(deps, work, after as Imvu);
        case "imvu.import":
          await journeys.arrive({ ...work, after: after as Imvu });
          await deps.attachMeters((after as Imvu).id);
          return { learned: null, observed: await fabrics.view(after as Imvu) };
        case "imvu.exit":
          return { learned: null, observed: await journeys.exit(work) };
        case "imvu.snapshot.create":
        case "imvu.snapshot.restore":
        case "imvu.snapshot.remove": {
          const { before } = work;
          if (!before || !after) throw new TypeError("no unit to capture");
          return await runSnapshot(fabrics.snapshots, { ...work, command, before, after }, desiredOf(before, fabrics.resolverAddressOf(before.number)).compute, work.allocation as unknown as SnapshotAllocation);
        }
        case "service.restart": {
          const { name } = command.params;
          const id = command.imvu as ImvuId;
          await saga.run([{ key: `compute/restart/${name}`, sentence: `restart ${name}`, do: () => fabrics.restartService(id, name), undo: async () => {} }]);
          break;
        }
        default:
          for (const name of TOUCHED[command.op]) await saga.run(await stepsTo(fabrics, name, (after as Imvu).id, after));
      }
      return { learned: null, observed: await fabrics.view(after as Imvu) };
    },
  };
}

/** Keys, roles, consents, sales, budgets and billing profiles change in the intent's own transaction: from that entry on they count, or do not. */
function whole(command: Command, actor: string): Worked | undefined {
  switch (command.op) {
    case "identity.register":
    case "identity.key.add":
    case "identity.key.rotate":
    case "identity.key.revoke":
    case "identity.recovery.set":
    case "identity.recovery.begin":
    case "identity.recovery.object":
    case "identity.recovery.complete":
      return { learned: null, observed: { name: actor } };
    case "platform.operator.add":
    case "platform.operator.remove":
      return { learned: null, observed: { operator: command.params.identity } };
    case "consent.record":
      return { learned: null, observed: consentRecorded(command.params) };
    case "imvu.budget.set":
    case "revenue.record":
    case "revenue.reverse":
      return { learned: null, observed: { ...command.params } };
    case "imvu.payout.account":
      return { learned: null, observed: JSON.parse(JSON.stringify(command.params)) as Json };
    case "imvu.billing.set":
    case "platform.billing.set":
      return { learned: null, observed: JSON.parse(JSON.stringify(command.params)) as Json };
    default:
      return undefined;
  }
}

function consentRecorded({ subject, purpose, text, state }: Params<"consent.record">): Json {
  return { subject, purpose, text, state };
}

async function create(deps: EffectsDeps, { saga }: Work, after: Imvu): Promise<Worked> {
  const { fabrics } = deps;
  let dkim: Imvu["dkim"] = [];
  await saga.run([
    {
      key: `mail/keys/${after.zone}`,
      sentence: `make mail signing keys for ${after.zone}`,
      do: async () => {
        dkim = await fabrics.createDkimKeys(after.id, after.zone);
      },
      undo: () => fabrics.removeDkimKeys(after.id),
    },
  ]);
  const whole = withDkim(after, dkim);
  for (const name of FABRIC_ORDER) await saga.run(await stepsTo(fabrics, name, whole.id, whole));
  await saga.run([{ key: `meters/${after.id}`, sentence: "attach the meters and take their first reading", do: () => deps.attachMeters(after.id), undo: async () => {} }]);
  return { learned: JSON.parse(JSON.stringify({ dkim })) as Json, observed: await fabrics.view(whole) };
}

type Objection = Awaited<ReturnType<Effects["objection"]>>;

function objectionTo(fabrics: Fabrics, command: Command, before: Imvu | undefined): Objection {
  if (!before) return undefined;
  if (isSnapshotCommand(command)) return objectionToSnapshot(command, before);
  if (command.op === "dns.set") {
    const checked = fabrics.validateRecord(before.zone, command.params);
    if (!checked.ok) return checked;
    return clash(command.params, before.records);
  }
  if (command.op === "dns.remove" && !before.records.some((set) => set.name === command.params.name && set.type === command.params.type))
    return refuse("not-found", "NO_SUCH_RECORD", `name: ${command.params.name} has no ${command.params.type} records`, `nexus dns list --imvu-id ${before.id}`);
  if (command.op === "route.remove" && !before.routes.some((route) => route.host === command.params.host && route.path === command.params.path))
    return refuse("not-found", "NO_SUCH_ROUTE", `there is no route ${command.params.host}${command.params.path}`, `nexus route list --imvu-id ${before.id}`);
  if ((command.op === "service.remove" || command.op === "service.restart") && !before.services.some((service) => service.name === command.params.name))
    return refuse("not-found", "NO_SUCH_SERVICE", `there is no service ${command.params.name}`, `nexus service list --imvu-id ${before.id}`);
  if ((command.op === "mail.mailbox.password" || command.op === "mail.mailbox.remove") && !before.mailboxes.some((box) => box.address === command.params.address))
    return refuse("not-found", "NO_SUCH_MAILBOX", `there is no mailbox ${command.params.address}`, `nexus mail mailbox list --imvu-id ${before.id}`);
  return undefined;
}

async function objectionToMember(deps: Pick<EffectsDeps, "isRegistered">, command: Command, before: Imvu | undefined): Promise<Objection> {
  if (!before || (command.op !== "imvu.member.set" && command.op !== "imvu.member.remove")) return undefined;
  const { identity } = command.params;
  if (identity === before.owner) return refuse("conflict", "OWNER_STAYS", `identity: ${identity} owns ${before.id}, and stays its owner`, `nexus imvu member list --imvu-id ${before.id}`);
  if (command.op === "imvu.member.remove")
    return before.members.some((member) => member.identity === identity) ? undefined : refuse("not-found", "NO_SUCH_MEMBER", `identity: ${identity} is not a member of ${before.id}`, `nexus imvu member list --imvu-id ${before.id}`);
  return (await deps.isRegistered(identity)) ? undefined : refuse("not-found", "NO_SUCH_IDENTITY", `identity: nobody is registered as ${identity} on this platform`, "ask for the exact name; who has none runs 'nexus identity create NAME' and 'nexus identity register NAME'");
}

/** RFC 2181 §10.1: beside a CNAME nothing else may stand at a name. */
function clash(set: Pick<DnsRecordSet, "name" | "type">, records: readonly DnsRecordSet[]): Objection {
  const other = records.find((old) => old.name === set.name && old.type !== set.type && (old.type === "CNAME" || set.type === "CNAME"));
  return other && refuse("conflict", "CNAME_ALONE", `type: ${set.name} has ${other.type} records already, and a CNAME must stand alone`, `nexus dns remove --name ${set.name} --type ${other.type}`);
}
