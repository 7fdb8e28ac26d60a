import { z } from "zod";
import type { DnsType } from "./imvu.ts";

/** What commands say of a unit's parts: its envelope, services, records, routes, consents and snapshots. Limits carry their unit in the name. */
export const TTL_SECONDS_MIN = 30;
export const TTL_SECONDS_MAX = 604_800;
export const RECORD_VALUES_MAX = 32;
export const RECORD_VALUE_CHARS_MAX = 2_048;
export const ROUTE_PATH_CHARS_MAX = 256;
export const ENV_ENTRIES_MAX = 64;
export const ENV_VALUE_CHARS_MAX = 4_096;
export const GIB = 1024 ** 3;
export const MIB = 1024 ** 2;

export const zEnvelope = z.strictObject({
  cpuMillis: z.int().min(50).max(256_000),
  memoryBytes: z
    .int()
    .min(16 * MIB)
    .max(1024 * GIB),
  storageBytes: z
    .int()
    .min(128 * MIB)
    .max(64 * 1024 * GIB),
  iops: z.int().min(10).max(1_000_000),
  bandwidthBps: z.int().min(1_000_000).max(100_000_000_000),
  processes: z.int().min(8).max(32_768),
  burst: z.strictObject({ factor: z.int().min(2).max(16), seconds: z.int().min(1).max(3_600) }).nullable(),
});

export const zPort = z.int().min(1).max(65_535);
export const zDnsType = z.enum(["A", "AAAA", "CNAME", "MX", "TXT", "CAA", "SRV", "NS", "SSHFP", "TLSA"] satisfies DnsType[]);
export const zRoutePath = z
  .string()
  .max(ROUTE_PATH_CHARS_MAX)
  .regex(/^\/([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?)?$/, "must be an absolute path of unreserved characters, without // or ..")
  .refine((p) => !p.split("/").some((s) => s === "." || s === ".."), "must not contain . or .. segments");
export const zEnv = z
  .record(
    z.string().regex(/^[A-Z_][A-Z0-9_]{0,63}$/, "environment names are A-Z, 0-9 and _"),
    z
      .string()
      .max(ENV_VALUE_CHARS_MAX)
      .regex(/^[^\0\r\n]*$/, "one line, no NUL"),
  )
  .refine((env) => Object.keys(env).length <= ENV_ENTRIES_MAX, `at most ${ENV_ENTRIES_MAX} entries`);
export const zImageRef = z
  .string()
  .max(255)
  .regex(/^[a-z0-9]([a-z0-9._:/@-]*[a-z0-9])?$/, "must be an image reference like docker.io/library/nginx:1.27");

/** The IMVU's own name for an end user; better a pseudonym than an address. */
export const zConsentSubject = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
export const zConsentPurpose = z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/, "1 to 63 of a-z, 0-9, '.' and '-', like newsletter");

export const zSnapshotId = z.string().regex(/^S[1-9]\d{0,5}$/, "must be a snapshot's id, like S1");
/** What its owner calls it. */
export const zSnapshotLabel = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9 ._:+-]{0,61}[A-Za-z0-9])?$/, "1 to 63 letters, digits, spaces, '.', '_', ':', '+' and '-', with a letter or digit at both ends");
