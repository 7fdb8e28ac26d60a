import { stringify } from "yaml";
import type { ExportSink, NetworkDesired, Route } from "../contract/index.ts";
import type { ImvuId } from "../kernel/index.ts";

/** Where the owner's own token verifier is expected on a foreign server: until one answers there, restricted routes stay shut. */
const VERIFIER = "127.0.0.1:9091";
const PRIVATE_RANGES = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

export async function exportNetwork(imvu: ImvuId, desired: NetworkDesired | undefined, sink: ExportSink): Promise<void> {
  if (!desired) {
    sink.omit("network/", `the ledger orders no network for ${imvu}`);
    return;
  }
  await sink.file("network/routing-policy.yaml", renderPolicy(desired));
  await sink.file("network/nginx.conf", renderNginx(desired));
  await sink.file("network/Caddyfile", renderCaddyfile(desired));
  sink.omit("network/ certificates", "they are signed by this platform's own authority; get new ones where you host next");
  if (desired.routes.some(({ class: kind }) => kind === "restricted"))
    sink.omit("network/ the key of restricted routes' tokens", `it is the platform's; run a verifier of your own at ${VERIFIER}, the configurations ask it and refuse everybody until it answers`);
  if (desired.routes.some(({ ratePerMinute }) => ratePerMinute !== null)) sink.omit("network/Caddyfile rate limits", "stock Caddy has none; nginx.conf carries them");
}

function upstreamOf(route: Route): string {
  return `${route.service}:${route.port}`;
}

/** Longest prefix first within a host, as the gateway chooses. */
function byHost(routes: readonly Route[]): readonly (readonly [string, readonly Route[]])[] {
  const hosts = new Map<string, Route[]>();
  for (const route of routes) hosts.set(route.host, [...(hosts.get(route.host) ?? []), route]);
  return [...hosts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, list]) => [host, list.sort((a, b) => b.path.length - a.path.length || (a.path < b.path ? -1 : 1))] as const);
}

export function renderPolicy(desired: NetworkDesired): string {
  return stringify({
    imvu: desired.imvu,
    zone: desired.zone,
    bandwidthBps: desired.bandwidthBps,
    routes: desired.routes.map((route) => ({
      host: route.host,
      path: route.path,
      class: route.class,
      service: route.service,
      port: route.port,
      ...(route.role === null ? {} : { role: route.role }),
      ...(route.ratePerMinute === null ? {} : { ratePerMinute: route.ratePerMinute }),
    })),
  });
}

/** A file for nginx's `http` context's place: the whole configuration, checked by `nginx -t` where the services' names resolve. */
export function renderNginx(desired: NetworkDesired): string {
  const zones: string[] = [];
  const servers: string[] = [];
  for (const [host, routes] of byHost(desired.routes)) {
    const locations = routes.flatMap((route, index) => {
      const zone = `rate_${servers.length}_${index}`;
      if (route.ratePerMinute !== null) zones.push(`  limit_req_zone $binary_remote_addr zone=${zone}:1m rate=${route.ratePerMinute}r/m;`);
      const body = [
        ...(route.class === "private" ? [...PRIVATE_RANGES.map((range) => `allow ${range};`), "deny all;"] : []),
        ...(route.class === "restricted" ? ["auth_request /.nexus-verify;", `set $nexus_role ${route.role ?? "viewer"};`] : []),
        ...(route.ratePerMinute === null ? [] : [`limit_req zone=${zone} burst=${Math.max(1, route.ratePerMinute)} nodelay;`, "limit_req_status 429;"]),
        // A variable: the name is looked up when a request comes, so that a stopped service does not stop the server.
        `set $nexus_upstream ${upstreamOf(route)};`,
        "proxy_pass http://$nexus_upstream;",
        "proxy_set_header Host $host;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
      ].map((line) => `      ${line}`);
      // `= /app` and `/app/` together are the prefix on whole segments; `/` is everything.
      const prefix = route.path.endsWith("/") ? route.path : `${route.path}/`;
      const exact = prefix === "/" ? [] : [`    location = ${prefix.slice(0, -1)} {`, ...body, "    }"];
      return [...exact, `    location ${prefix} {`, ...body, "    }"];
    });
    const restricted = routes.some(({ class: kind }) => kind === "restricted");
    const verify = ["    location = /.nexus-verify {", "      internal;", `      proxy_pass http://${VERIFIER}/verify;`, "      proxy_pass_request_body off;", '      proxy_set_header Content-Length "";', "      proxy_set_header X-Nexus-Role $nexus_role;", "    }"];
    servers.push(["  server {", "    listen 80;", `    server_name ${host};`, "    merge_slashes on;", ...locations, ...(restricted ? verify : []), "  }"].join("\n"));
  }
  return [`# ${desired.imvu}, ${desired.zone}: the same policy as routing-policy.yaml.`, "events {}", "http {", "  resolver 127.0.0.11 127.0.0.1 valid=10s;", ...zones, ...servers, "}", ""].join("\n");
}

export function renderCaddyfile(desired: NetworkDesired): string {
  const sites = byHost(desired.routes).map(([host, routes]) => {
    const handles = routes.flatMap((route, index) => {
      const prefix = route.path.endsWith("/") ? route.path.slice(0, -1) : route.path;
      const matcher = prefix === "" ? [] : [`\t@route${index} path ${prefix} ${prefix}/*`];
      const inner = [
        ...(route.class === "private" ? [`\t\t@outside not remote_ip ${PRIVATE_RANGES.join(" ")}`, "\t\trespond @outside 404"] : []),
        ...(route.class === "restricted" ? [`\t\tforward_auth ${VERIFIER} {`, "\t\t\turi /verify", `\t\t\theader_up X-Nexus-Role ${route.role ?? "viewer"}`, "\t\t}"] : []),
        `\t\treverse_proxy ${upstreamOf(route)}`,
      ];
      return [...matcher, `\thandle${prefix === "" ? "" : ` @route${index}`} {`, ...inner, "\t}"];
    });
    return [`${host} {`, ...handles, "}"].join("\n");
  });
  return [`# ${desired.imvu}, ${desired.zone}: the same policy as routing-policy.yaml.`, ...sites, ""].join("\n");
}
