import type { Command, Op } from "../../contract/index.ts";
import type { IdentityName, KeyId } from "../../kernel/index.ts";
import { kidOf } from "./key.ts";

/** One identity's keys as the log tells them; plain JSON, and the projection's row. */
export type KeyRing = {
  readonly name: IdentityName;
  /** In order of arrival; a key that ended stays. */
  readonly keys: readonly HeldKey[];
  readonly recovery: BareKey | null;
  /** A recovery that waits for objections. */
  readonly pending: (BareKey & { readonly device: string | null; readonly since_ms: number; readonly index: number }) | null;
};

export type BareKey = {
  readonly kid: KeyId;
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string;
};

export type HeldKey = BareKey & {
  readonly device: string | null;
  /** Ledger index of the entry that made it live: it counts for every later one. */
  readonly since: number;
  readonly ended: { readonly index: number; readonly how: "rotated" | "revoked" | "recovered" } | null;
};

/** What a key of a ring is good for. `revoked` also says: a recovery key or a waiting one of former times. */
export type KeyState = "live" | "rotated" | "revoked" | "recovery" | "pending";

export type IdentityOp = Extract<Op, `identity.${string}`>;
export type IdentityCommand = Extract<Command, { op: IdentityOp }>;

export function isIdentityCommand(command: Command): command is IdentityCommand {
  return command.op.startsWith("identity.");
}

/** Public keys that a command makes known. But for the recovery key of a registration each signs the command itself: its holder is there. */
export function broughtBy(command: Command): readonly string[] {
  switch (command.op) {
    case "identity.register":
      return command.params.recoveryKey === undefined ? [command.params.publicKey] : [command.params.publicKey, command.params.recoveryKey];
    case "identity.key.add":
    case "identity.key.rotate":
    case "identity.recovery.begin":
      return [command.params.publicKey];
    case "identity.recovery.set":
      return [command.params.recoveryKey];
    default:
      return [];
  }
}

/** A ring with its first key. */
export function firstRing({ name, publicKey, recoveryKey, device }: { readonly name: IdentityName; readonly publicKey: string; readonly recoveryKey?: string | undefined; readonly device?: string | undefined }, index: number): KeyRing {
  return { name, keys: [{ ...bare(publicKey), device: device ?? null, since: index, ended: null }], recovery: recoveryKey === undefined ? null : bare(recoveryKey), pending: null };
}

/**
 * The ring after an accepted command. Pure and total over what gate 1 lets pass.
 * @param signer the key that signed first
 * @param at where the command stands in the log
 */
export function nextRing(ring: KeyRing | undefined, command: IdentityCommand, signer: KeyId, at: { readonly index: number; readonly time_ms: number }): KeyRing {
  if (command.op === "identity.register") return firstRing(command.params, at.index);
  if (ring === undefined) throw new TypeError(`entry ${at.index}: ${command.op} of an identity that nobody registered`);
  const ended = (how: "rotated" | "revoked" | "recovered", which: (key: HeldKey) => boolean) => ring.keys.map((key) => (key.ended === null && which(key) ? { ...key, ended: { index: at.index, how } } : key));
  const arriving = (publicKey: string, device: string | null): HeldKey => ({ ...bare(publicKey), device, since: at.index, ended: null });
  switch (command.op) {
    case "identity.key.add":
      return { ...ring, keys: [...ring.keys, arriving(command.params.publicKey, command.params.device)] };
    case "identity.key.rotate": {
      const old = ring.keys.find(({ kid }) => kid === signer);
      return { ...ring, keys: [...ended("rotated", ({ kid }) => kid === signer), arriving(command.params.publicKey, old?.device ?? null)] };
    }
    case "identity.key.revoke":
      return { ...ring, keys: ended("revoked", ({ kid }) => kid === command.params.kid) };
    case "identity.recovery.set":
      return { ...ring, recovery: bare(command.params.recoveryKey) };
    case "identity.recovery.begin":
      return { ...ring, pending: { ...bare(command.params.publicKey), device: command.params.device ?? null, since_ms: at.time_ms, index: at.index } };
    case "identity.recovery.object":
      return { ...ring, pending: null };
    case "identity.recovery.complete": {
      if (ring.pending === null) throw new TypeError(`entry ${at.index}: no recovery of ${ring.name} waits`);
      return { ...ring, keys: [...ended("recovered", () => true), arriving(ring.pending.publicKey, ring.pending.device)], pending: null };
    }
  }
}

/** Of a key that belongs, or belonged, to the ring. */
export function stateIn(ring: KeyRing, kid: KeyId): KeyState {
  const held = ring.keys.find((key) => key.kid === kid);
  if (held) return held.ended === null ? "live" : held.ended.how === "rotated" ? "rotated" : "revoked";
  if (ring.recovery?.kid === kid) return "recovery";
  return ring.pending?.kid === kid ? "pending" : "revoked";
}

/** Every key that the ring names now, whatever it is good for. */
export function keysIn(ring: KeyRing): readonly BareKey[] {
  return [...ring.keys, ...(ring.recovery ? [ring.recovery] : []), ...(ring.pending ? [ring.pending] : [])];
}

function bare(publicKey: string): BareKey {
  return { kid: kidOf(publicKey), publicKey };
}
