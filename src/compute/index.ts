/**
 * Compute: an envelope (control groups and a volume of hard size) per IMVU, and its services in containers without privileges inside it.
 * Limits are read back from the kernel, counters are the kernel's own, and images are built from Debian packages where there is no registry.
 * Depends on kernel and contract.
 */
export { type ComputeRoom, type ComputeRoomDeps, openComputeRoom } from "./room.ts";
export type { ComputeState } from "./state.ts";
