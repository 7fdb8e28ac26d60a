import { readFile } from "node:fs/promises";
import { importPKCS8, SignJWT } from "jose";
import type { MemberRole } from "../../contract/index.ts";
import type { IdentityName, ImvuId } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";

export const TOKEN_LIFETIME_S_MAX = 86_400;

export interface TokenClaims {
  readonly imvu: ImvuId;
  readonly identity: IdentityName;
  readonly role: MemberRole;
  /** The one host it opens restricted routes on. */
  readonly host: string;
  readonly ttl_s: number;
}

/** An ES256 JSON Web Token (RFC 7519) that the gateway lets through restricted routes. */
export async function issueToken(layout: Layout, claims: TokenClaims): Promise<string> {
  const key = await importPKCS8(await readFile(layout.tokenKey, "utf8"), "ES256");
  const now_s = Math.floor(Date.now() / 1_000);
  return await new SignJWT({ imvu: claims.imvu, role: claims.role })
    .setProtectedHeader({ alg: "ES256", typ: "JWT" })
    .setSubject(claims.identity)
    .setAudience(claims.host)
    .setIssuedAt(now_s)
    .setExpirationTime(now_s + Math.max(1, Math.min(claims.ttl_s, TOKEN_LIFETIME_S_MAX)))
    .sign(key);
}
