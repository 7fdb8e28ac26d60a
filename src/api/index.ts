/**
 * API: HTTP in front of the platform – one command bus, signed reads, the public log.
 * It parses, authenticates and maps answers; it decides nothing.
 * Depends on the port it states, contract, command and identity.
 */
export type { PlatformPort } from "./platform-port.ts";
export { type ApiServer, serveApi } from "./server.ts";
