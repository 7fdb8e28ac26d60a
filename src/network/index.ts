/**
 * Network: a namespace and a routed link per IMVU, counted and shaped in the kernel; a gateway for its public, private and restricted routes.
 * Nothing passes from one IMVU to another, and routes change without a reload.
 * Depends on kernel and contract.
 */
export type { TokenClaims } from "./gateways/tokens.ts";
export { addressOf, resolverAddressOf } from "./nexus-net/addresses.ts";
export { type NetworkRoom, type NetworkRoomDeps, openNetworkRoom } from "./room.ts";
export type { NetworkState } from "./state.ts";
