import type { Site } from "../../contract/index.ts";
import { Fault, type Fqdn, sleep } from "../../kernel/index.ts";
import { nameserverOf } from "../layout.ts";
import type { ZoneHands } from "../plan.ts";
import type { Flusher } from "../resolvers/flush.ts";
import { dsOf, ownLines, serialOf, type ZoneState } from "../state.ts";
import type { Order, Row } from "./control-client.ts";
import type { Knot } from "./knot.ts";

const TTL_SECONDS = 300;
/** How long a resolver may remember that a name is not there. */
const NEGATIVE_TTL_SECONDS = 30;
const SIGNED_TIMEOUT_MS = 10_000;
const SIGNED_POLL_MS = 5;
const HARMLESS = /duplicate|already exists|not exists|no such|not found|no such record/i;

/** Zones on the DNS server. Every change is a transaction of the server's own: served whole, signed, or not at all. */
export class Authority implements ZoneHands {
  private readonly site: Pick<Site, "suffix" | "publicAddress">;
  private readonly knot: Knot;
  private readonly flusher: Flusher;

  constructor(site: Pick<Site, "suffix" | "publicAddress">, knot: Knot, flusher: Flusher) {
    this.site = site;
    this.knot = knot;
    this.flusher = flusher;
  }

  private soa(): string {
    return `${nameserverOf(this.site.suffix)}. hostmaster.${this.site.suffix}. 1 3600 600 1209600 ${NEGATIVE_TTL_SECONDS}`;
  }

  /** The platform's own zone, which delegates to every IMVU's: one trust anchor for all of them. */
  async ensureSuffix(): Promise<void> {
    const { suffix, publicAddress } = this.site;
    const rows = await this.knot.read(suffix);
    if (rows?.some((row) => row.type === "SOA")) return;
    const nameserver = `${nameserverOf(suffix)}.`;
    await this.knot.change(suffix, [
      set(`${suffix}.`, TTL_SECONDS, "SOA", this.soa()),
      set(`${suffix}.`, TTL_SECONDS, "NS", nameserver),
      set(nameserver, TTL_SECONDS, publicAddress.includes(":") ? "AAAA" : "A", publicAddress),
    ]);
    await this.signed(suffix);
  }

  async addZone(zone: Fqdn): Promise<void> {
    if (!(await this.knot.zones()).includes(zone)) await this.knot.configure([{ command: "conf-set", section: "zone", item: "domain", data: `${zone}.` }], (error) => HARMLESS.test(error));
    await this.loaded(zone);
    const rows = await this.knot.read(zone);
    if (!rows?.some((row) => row.type === "SOA"))
      await this.knot.change(zone, [set(`${zone}.`, TTL_SECONDS, "SOA", this.soa()), set(`${zone}.`, TTL_SECONDS, "NS", `${nameserverOf(this.site.suffix)}.`)]);
    await this.signed(zone);
  }

  /** Resolves when the server has read what its journal holds of the zone: a change before that would begin a second history. */
  private async loaded(zone: string): Promise<void> {
    for (const deadline = Date.now() + SIGNED_TIMEOUT_MS; ; await sleep(SIGNED_POLL_MS)) {
      const [rows] = await this.knot.ask([{ command: "zone-status", zone: `${zone}.` }], () => true);
      const load = rows?.find((row) => row.type === "load")?.data;
      if (load !== undefined && !/pending|running/.test(load)) return;
      if (Date.now() > deadline) throw new Fault("ZONE_UNLOADED", `the DNS server has not loaded ${zone} within ${SIGNED_TIMEOUT_MS} ms`, { retry: true, hint: "nexus logs knot" });
    }
  }

  /** Resolves when the zone shows signatures and the DS it proposes. */
  private async signed(zone: string): Promise<readonly Row[]> {
    for (const deadline = Date.now() + SIGNED_TIMEOUT_MS; ; await sleep(SIGNED_POLL_MS)) {
      const rows = (await this.knot.read(zone)) ?? [];
      if (dsOf(rows).length > 0 && rows.some((row) => row.type === "RRSIG" && row.data?.startsWith("SOA "))) return rows;
      if (Date.now() > deadline) throw new Fault("ZONE_UNSIGNED", `the DNS server has not signed ${zone} within ${SIGNED_TIMEOUT_MS} ms`, { retry: true, hint: "nexus logs knot" });
    }
  }

  async removeZone(zone: string): Promise<void> {
    if ((await this.knot.zones()).includes(zone)) {
      await this.knot.ask([{ command: "zone-purge", zone: `${zone}.`, flags: "f" }], () => true);
      await this.knot.configure([{ command: "conf-unset", section: "zone", item: "domain", id: `${zone}.` }], (error) => HARMLESS.test(error));
      // What the journal and the key store still hold of a zone that is not configured any more.
      await this.knot.ask([{ command: "zone-purge", zone: `${zone}.`, flags: "fo" }], () => true);
    }
    await this.flusher.flush(zone);
  }

  async setLines(zone: string, from: readonly string[], to: readonly string[]): Promise<void> {
    const served = ownLines(zone, (await this.knot.read(zone)) ?? []);
    const gone = served.filter((line) => !to.includes(line));
    const fresh = to.filter((line) => !served.includes(line));
    if (gone.length + fresh.length > 0)
      await this.knot.change(zone, [...gone.map(parsed).map(([owner, , type, data]) => ({ command: "zone-unset", owner: `${owner}.`, type, data })), ...fresh.map(parsed).map(([owner, ttl, type, data]) => set(`${owner}.`, Number(ttl), type, data))]);
    const now = ownLines(zone, (await this.knot.read(zone)) ?? []);
    if (now.join("\n") !== to.join("\n")) {
      const differing = [...now.filter((line) => !to.includes(line)), ...to.filter((line) => !now.includes(line))][0];
      throw new Fault("ZONE_DIFFERS", `${zone} does not serve what was set: ${differing}`, { hint: "nexus logs knot" });
    }
    for (const name of new Set([...from, ...to, ...gone].map((line) => parsed(line)[0]))) if (gone.concat(fresh).some((line) => line.startsWith(`${name} `))) await this.flusher.flush(name);
  }

  async delegate(zone: string): Promise<void> {
    const { suffix } = this.site;
    const ds = dsOf(await this.signed(zone));
    const parent = (await this.knot.read(suffix)) ?? [];
    const there = (type: string) => parent.filter((row) => row.owner === `${zone}.` && row.type === type).map((row) => row.data ?? "");
    const orders: Order[] = [];
    for (const old of there("DS").filter((data) => !ds.includes(data))) orders.push({ command: "zone-unset", owner: `${zone}.`, type: "DS", data: old });
    for (const data of ds.filter((one) => !there("DS").includes(one))) orders.push(set(`${zone}.`, TTL_SECONDS, "DS", data));
    if (there("NS").length === 0) orders.push(set(`${zone}.`, TTL_SECONDS, "NS", `${nameserverOf(suffix)}.`));
    if (orders.length > 0) await this.knot.change(suffix, orders);
    await this.flusher.flush(zone);
  }

  async undelegate(zone: string): Promise<void> {
    const parent = (await this.knot.read(this.site.suffix)) ?? [];
    const types = new Set(parent.filter((row) => row.owner === `${zone}.` && (row.type === "DS" || row.type === "NS")).map((row) => row.type as string));
    if (types.size > 0) await this.knot.change(this.site.suffix, [...types].map((type) => ({ command: "zone-unset", owner: `${zone}.`, type })));
    await this.flusher.flush(zone);
  }

  async observe(zone: string): Promise<ZoneState | undefined> {
    const rows = await this.knot.read(zone);
    if (!rows?.some((row) => row.type === "SOA")) return undefined;
    const ds = dsOf(rows);
    const parent = (await this.knot.read(this.site.suffix)) ?? [];
    const above = parent.filter((row) => row.owner === `${zone}.` && row.type === "DS").map((row) => row.data ?? "").sort();
    const named = parent.some((row) => row.owner === `${zone}.` && row.type === "NS");
    return { zone, lines: ownLines(zone, rows), serial: serialOf(rows), ds, delegated: named && ds.length > 0 && ds.join("\n") === above.join("\n") };
  }

  /** Zones of IMVUs, as the server itself says: without the platform's own and the catalog. */
  async servedZones(): Promise<readonly string[]> {
    return (await this.knot.zones()).filter((zone) => zone !== "cat.platform" && zone !== this.site.suffix);
  }

  /** A zone as served, signed, in master-file form (RFC 1035 §5): SOA first, then by name. */
  async zoneFile(zone: string): Promise<string> {
    const rows = await this.knot.read(zone);
    if (!rows) throw new Fault("ZONE_NOT_SERVED", `${zone} is not served`, { hint: "nexus dns list" });
    const line = (row: Row) => `${row.owner}\t${row.ttl}\tIN\t${row.type}\t${row.data}`;
    const soa = rows.filter((row) => row.type === "SOA");
    const rest = rows.filter((row) => row.type !== "SOA").map(line).sort();
    return `$ORIGIN ${zone}.\n$TTL ${TTL_SECONDS}\n${[...soa.map(line), ...rest].join("\n")}\n`;
  }

  /**
   * Answers the server sent for each of the zones since it started, whatever their code; dropped queries are not among them. One batch, however many
   * zones; a zone that it does not serve is absent.
   */
  async answers(zones: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const said = await this.knot.ask(zones.map((zone) => ({ command: "zone-stats", zone: `${zone}.`, section: "mod-stats", item: "response-code" })), () => true);
    const counted = new Map<string, bigint>();
    for (const [at, rows] of said.entries()) {
      if (rows.some((row) => row.error !== undefined)) continue;
      counted.set(zones[at] as string, rows.filter((row) => row.item === "response-code").reduce((sum, row) => sum + BigInt(row.data ?? "0"), 0n));
    }
    return counted;
  }
}

function set(owner: string, ttl: number, type: string, data: string): Order {
  return { command: "zone-set", owner, ttl: String(ttl), type, data };
}

function parsed(line: string): [owner: string, ttl: string, type: string, data: string] {
  const [owner = "", ttl = "", type = "", ...data] = line.split(" ");
  return [owner, ttl, type, data.join(" ")];
}
