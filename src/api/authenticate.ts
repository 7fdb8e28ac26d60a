import type { FastifyRequest } from "fastify";
import type { Imvu, MemberRole } from "../contract/index.ts";
import { NonceWindow, type VerifiedRequest, verifyRequest } from "../core/identity/index.ts";
import { accept, type IdentityName, type Outcome, parseImvuId, refuse } from "../kernel/index.ts";
import type { PlatformPort } from "./platform-port.ts";

export interface Caller {
  readonly identity: IdentityName;
  readonly request: VerifiedRequest;
}

/** Who may read what of an IMVU; a stranger learns not even that it exists. */
export class Authenticator {
  private readonly platform: PlatformPort;
  private readonly nonces = new NonceWindow();

  constructor(platform: PlatformPort) {
    this.platform = platform;
  }

  async caller(request: FastifyRequest, body?: Uint8Array | "streamed"): Promise<Outcome<Caller>> {
    const verified = await verifyRequest(
      { method: request.method, targetUri: `${this.platform.apiOrigin}${request.raw.url ?? "/"}`, headers: request.headers, ...(body === undefined ? {} : { body }) },
      { now_ms: this.platform.clock.now(), keyOf: (kid) => this.platform.keyOf(kid), nonces: this.nonces },
    );
    if (!verified.ok) return verified;
    const identity = await this.platform.identityOf(verified.value.kid);
    if (!identity) return refuse("unauthenticated", "UNKNOWN_IDENTITY", "no live identity has this key", "register it first: nexus identity create");
    return accept({ identity, request: verified.value });
  }

  /** The IMVU of the path, when the caller is a member with one of `roles`. Absent and foreign answer the same. */
  async member(request: FastifyRequest, roles: readonly MemberRole[], body?: Uint8Array): Promise<Outcome<{ caller: Caller; imvu: Imvu }>> {
    const { id } = request.params as { id: string };
    const parsed = parseImvuId(id);
    if (!parsed.ok) return parsed;
    const caller = await this.caller(request, body);
    if (!caller.ok) return caller;
    const imvu = await this.platform.imvu(parsed.value);
    const role = imvu?.members.find((member) => member.identity === caller.value.identity)?.role;
    if (!imvu || !role || !roles.includes(role)) return refuse("not-found", "NO_SUCH_IMVU", `${parsed.value} is not an IMVU that ${caller.value.identity} may read`, "nexus imvu list");
    return accept({ caller: caller.value, imvu });
  }
}
