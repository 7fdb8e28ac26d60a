/**
 * What gate 7 counts with.
 *
 * - Memory and storage are promised once: the sum of all envelopes on a node stays within what it has.
 * - CPU is a ceiling, not a reservation: the sum of cpuMillis may reach the node's cores times this factor;
 *   burst is within the same ceiling's bounded time and is not added.
 * - storageBytes of an envelope holds the volume AND the mailboxes: bytes used on the volume plus the sum of all
 *   mailbox quotas stay within it. The volume's own hard limit is the file system's (EDQUOT).
 */
export const CPU_OVERCOMMIT_FACTOR = 8;
export const SERVICES_PER_IMVU_MAX = 32;
export const MAILBOXES_PER_IMVU_MAX = 512;
export const RECORD_SETS_PER_IMVU_MAX = 2_000;
export const ROUTES_PER_IMVU_MAX = 256;
/** Owner included. */
export const MEMBERS_PER_IMVU_MAX = 64;
/** A service needs a few processes to be one: the envelope's count is shared by all. */
export const PROCESSES_PER_SERVICE_MIN = 2;
export const LIVE_KEYS_PER_IDENTITY_MAX = 16;
/** Keys that ended count: they are kept for ever, so that what they signed can be verified. */
export const KEYS_PER_IDENTITY_MAX = 1_000;
export const SNAPSHOTS_PER_IMVU_MAX = 16;
/** Below this a file system of btrfs keeps what is left for itself: 5.2 MiB of 128 were free when it made no snapshot any more. */
export const SNAPSHOT_ROOM_BYTES = 8 * 1024 ** 2;
/** How old the capture of what is there now may be when something replaces it. */
export const SNAPSHOT_FRESH_MS = 15 * 60_000;
/** For how long the capture that a restore rested on stays. */
export const SNAPSHOT_REST_MS = 3_600_000;
