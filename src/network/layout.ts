import { join } from "node:path";
import type { Site } from "../contract/index.ts";
import type { ImvuId } from "../kernel/index.ts";

/** Where this room keeps what it owns; everything but namespaces lies here. */
export interface Layout {
  readonly dir: string;
  readonly config: string;
  readonly socket: string;
  /** host + path prefix → route. */
  readonly routes: string;
  readonly roles: string;
  readonly certificateList: string;
  readonly certificates: string;
  readonly authority: string;
  readonly caFile: string;
  readonly caKey: string;
  readonly tokenKey: string;
  readonly tokenPublicKey: string;
  certificateOf(imvu: ImvuId): string;
}

export function layoutOf(site: Pick<Site, "dir">): Layout {
  const dir = join(site.dir, "network");
  const authority = join(dir, "authority");
  const certificates = join(dir, "certificates");
  return {
    dir,
    config: join(dir, "haproxy.cfg"),
    socket: join(site.dir, "run", "haproxy.sock"),
    routes: join(dir, "routes.map"),
    roles: join(dir, "roles.map"),
    certificateList: join(dir, "certificates.list"),
    certificates,
    authority,
    caFile: join(authority, "ca.pem"),
    caKey: join(authority, "ca.key"),
    tokenKey: join(authority, "token.key"),
    tokenPublicKey: join(authority, "token.pub"),
    certificateOf: (imvu) => join(certificates, `${imvu}.pem`),
  };
}
