import type { Command, Imvu, Op, Params } from "../../contract/index.ts";
import type { DisplayName, Fqdn, IdentityName, Jurisdiction, Sha256 } from "../../kernel/index.ts";
import { type Allocation, createdImvu } from "./next.ts";

/** A new unit and commands on it, for this room's tests. */
export const digest = (letter: string) => letter.repeat(64) as Sha256;

export const createParams: Params<"imvu.create"> = {
  name: "Art Gallery" as DisplayName,
  owner: "creator-8891" as IdentityName,
  jurisdiction: "EU-GDPR" as Jurisdiction,
  envelope: { cpuMillis: 1_000, memoryBytes: 512 * 1024 ** 2, storageBytes: 1024 ** 3, iops: 1_000, bandwidthBps: 100_000_000, processes: 256, burst: null },
  runtime: "node",
  mailboxPasswordHash: digest("a"),
};
export const allocation: Allocation = { number: 7, createdAt: "2026-12-01T00:00:00.000Z", suffix: "world" as Fqdn, publicAddress: "192.0.2.1", content: digest("b") };

export function newImvu(): Imvu {
  return createdImvu(createParams, allocation);
}

export function command<O extends Op>(op: O, params: Params<O>): Command {
  return { op, imvu: newImvu().id, params, nonce: "n".repeat(22), iat: 0, exp: 1 } as unknown as Command;
}
