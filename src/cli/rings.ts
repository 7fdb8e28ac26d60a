import { RECOVERY_WAIT_MS } from "../contract/index.ts";
import { accept, type IdentityName, type KeyId, type Outcome, refuse } from "../kernel/index.ts";
import type { Client } from "./client.ts";
import { Failure } from "./failure.ts";
import { table } from "./output.ts";

/** An identity as a platform tells it: to everybody its keys, to itself its devices and its recovery too. */
export interface Ring {
  readonly name: IdentityName;
  readonly kid?: KeyId | null;
  readonly keys: readonly { readonly kid: KeyId; readonly status?: string; readonly device?: string | null; readonly since: number; readonly ended: number | { readonly index: number; readonly how: string } | null }[];
  readonly recovery?: { readonly kid: KeyId } | null;
  readonly pending?: { readonly kid: KeyId; readonly since_ms: number } | null;
  /** A recovery that waits, for everybody to see. */
  readonly recovering?: { readonly kid: KeyId; readonly since_ms: number } | null;
  readonly operator?: boolean;
}

/** undefined: nobody has this name there. */
export async function knownAs(client: Client, name: IdentityName): Promise<Ring | undefined> {
  return (await client.get(`/v1/identities/${name}`).catch((error: unknown) => {
    if (error instanceof Failure && error.document.code === "NO_SUCH_IDENTITY") return undefined;
    throw error;
  })) as Ring | undefined;
}

export function ringLines({ keys, recovery, pending, operator }: Ring): readonly string[] {
  const shown = keys.map(({ kid, status, device, since, ended }) => {
    const end = ended === null ? "" : typeof ended === "number" ? `to entry ${ended}` : `${ended.how} by entry ${ended.index}`;
    return [kid, status ?? (ended === null ? "live" : "ended"), device ?? "", `from entry ${since}`, end];
  });
  return [
    "",
    "keys on this platform",
    ...table(shown),
    ...(recovery === undefined ? [] : [recovery === null ? "no recovery key: nexus identity recovery-key makes one" : `recovery key ${recovery.kid}`]),
    ...(pending ? [`somebody recovers this identity; object before ${new Date(pending.since_ms + RECOVERY_WAIT_MS).toISOString()}: nexus identity object`] : []),
    ...(operator ? ["an operator of this platform"] : []),
  ];
}

/** Shown once, and kept nowhere. */
export function recoveryLines(name: IdentityName, written: string): readonly string[] {
  return ["", `recovery key of ${name}: write it on paper, it is not shown again`, "", `  ${written}`, "", `It brings the name back when every key is lost: nexus identity recover ${name}`, ""];
}

export function parseDevice(text: string): Outcome<string> {
  return /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(text) ? accept(text) : refuse("usage", "BAD_DEVICE", "--device: must be 1 to 32 of a-z, 0-9 and inner '-'", "like laptop");
}
