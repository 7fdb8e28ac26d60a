import { z } from "zod";
import type { ImvuId } from "../kernel/index.ts";
import { zImvuId } from "./branded.ts";
import { COMMAND_PARAMS, type Op, type Params } from "./command-params.ts";

/** Every signed command: one schema validates, types and documents. Limits carry their unit in the name. */
export const COMMAND_LIFETIME_MS_DEFAULT = 10 * 60_000;
/** A command that waits for somebody's approval may live longer; its nonce is remembered for good. */
export const COMMAND_LIFETIME_MS_MAX = 7 * 24 * 3_600_000;
export const CLOCK_SKEW_MS_MAX = 60_000;
/** How long before it is valid a tariff is announced. */
export const TARIFF_NOTICE_MS = 30 * 24 * 3_600_000;
/** How long after its command was judged a tariff may come to stand in the log. */
export const TARIFF_WRITE_MS_MAX = 3_600_000;
/** How long older keys can object to a recovery. */
export const RECOVERY_WAIT_MS = 72 * 3_600_000;
/** Base64url characters of a payload: with signatures, facts and verdicts an entry stays below the ledger's 32 KiB. */
export const COMMAND_BYTES_MAX = 16 * 1024;

/** The signed payload. `imvu` is null for OPS_WITHOUT_IMVU. */
export const zCommandPayload = z.strictObject({
  op: z.enum(Object.keys(COMMAND_PARAMS) as [Op, ...Op[]]),
  imvu: zImvuId.nullable(),
  params: z.record(z.string(), z.json()),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/, "16 random bytes, base64url"),
  iat: z.int().min(0),
  exp: z.int().min(0),
});
export type CommandPayload = z.output<typeof zCommandPayload>;

/** A payload whose params were parsed by its op's schema: discriminated on `op`. */
export type Command = {
  [O in Op]: {
    readonly op: O;
    readonly imvu: ImvuId | null;
    readonly params: Params<O>;
    readonly nonce: string;
    readonly iat: number;
    readonly exp: number;
  };
}[Op];

/** JWS general JSON serialisation (RFC 7515 §7.2.1); first signature: the actor; further ones: approvals. */
export const zSignedCommand = z.strictObject({
  payload: z.string().max(COMMAND_BYTES_MAX),
  signatures: z
    .array(z.strictObject({ protected: z.string().max(512), signature: z.string().max(128) }))
    .min(1)
    .max(8),
});
export type SignedCommand = z.output<typeof zSignedCommand>;
