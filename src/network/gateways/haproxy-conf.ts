import type { Site } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";
import { CALLER_OF_CLASS } from "../nexus-net/addresses.ts";
import { machineHandleOf } from "../nexus-net/namespaces.ts";
import { PRIVATE_PORT } from "../nexus-net/router-rules.ts";

const CONNECTIONS_MAX = 4_000;
const REQUEST_BYTES_BUFFER = 32_768;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const TUNNEL_TIMEOUT_MS = 3_600_000;
const CLIENTS_COUNTED_MAX = 100_000;
const HOST_CHARS_MAX = 253;

/** HAProxy's double quotes still expand `$`, its single quotes nothing at all. */
function quoted(text: string): string {
  if (/['\n\r\0]/.test(text)) throw new Fault("BAD_PATH", `${JSON.stringify(text)} cannot stand in a configuration`);
  return `'${text}'`;
}

/**
 * One reading of a path for everybody: what a service behind could still read as another path is refused (encoded slashes,
 * backslashes and NUL) or taken out before the map is asked (`;parameters`).
 */
const NORMALISE = [
  "http-request deny deny_status 400 if { path -m reg -i '(%2f|%5c|%00|\\\\|/\\.{1,2};)' }",
  "http-request normalize-uri percent-decode-unreserved strict",
  "http-request normalize-uri percent-to-uppercase strict",
  "http-request normalize-uri path-merge-slashes",
  "http-request normalize-uri path-strip-dot",
  "http-request normalize-uri path-strip-dotdot full",
  "http-request deny deny_status 400 if !{ path_beg / }",
  "http-request deny deny_status 400 if { path -m reg '(^|/)\\.{1,2}(;|/|$)' }",
];

/** Nothing a client says about itself reaches a service under the names the gateway speaks by; `_` reads as `-` in CGI. */
const STRIP = [
  "http-request del-header ^x[-_]nexus[-_] -m reg",
  "http-request del-header ^x[-_]forwarded -m reg",
  "http-request del-header ^(forwarded|x[-_]real[-_]ip)$ -m reg",
];

const HOST = [
  "http-request deny deny_status 400 if { req.hdr_cnt(host) gt 1 }",
  "http-request set-var(txn.host) req.hdr(host),lower,field(1,:),regsub('\\.$','')",
  `http-request deny deny_status 400 if { var(txn.host),length gt ${HOST_CHARS_MAX} }`,
];

function lookUp(layout: Layout): readonly string[] {
  return [
    `http-request set-var(txn.key) path,regsub(';[^/]*','',g)`,
    `http-request set-var(txn.key) var(txn.host),concat(,txn.key,/)`,
    `http-request set-var(txn.route) var(txn.key),map_beg(${layout.routes})`,
    "http-request return status 404 content-type text/plain string 'nothing is served here' if !{ var(txn.route) -m found }",
    "http-request set-var(txn.class) var(txn.route),field(1,|)",
    "http-request set-var(txn.address) var(txn.route),field(2,|)",
    "http-request set-var(txn.port) var(txn.route),field(3,|)",
    "http-request set-var(txn.rank) var(txn.route),field(4,|),add(0)",
    "http-request set-var(txn.limit) var(txn.route),field(5,|),add(0)",
    "http-request set-var(txn.imvu) var(txn.route),field(6,|)",
    "http-request set-var(txn.prefix) var(txn.route),field(7,|)",
  ];
}

/** RFC 6750, RFC 7519: the algorithm is ours, never the token's own; expiry and audience are looked at after the signature. */
function restrict(layout: Layout): readonly string[] {
  const refuse = (why: string) => `http-request return status 401 hdr WWW-Authenticate 'Bearer realm="nexus"' content-type text/plain string '${why}' if restricted`;
  return [
    "acl restricted var(txn.class) -m str restricted",
    "http-request set-var(txn.token) http_auth_bearer if restricted",
    `${refuse("a token is needed")} !{ var(txn.token) -m found }`,
    `${refuse("the token is not valid")} !{ var(txn.token),jwt_header_query('$.alg') -m str ES256 }`,
    `${refuse("the token is not valid")} !{ var(txn.token),jwt_verify(ES256,${layout.tokenPublicKey}) 1 }`,
    "http-request set-var(txn.expires) var(txn.token),jwt_payload_query('$.exp','int') if restricted",
    "http-request set-var(txn.now) date() if restricted",
    `${refuse("the token has expired")} !{ var(txn.expires),sub(txn.now) gt 0 }`,
    "http-request set-var(txn.audience) var(txn.token),jwt_payload_query('$.aud') if restricted",
    `${refuse("the token is for another host")} !{ var(txn.audience),strcmp(txn.host) eq 0 }`,
    "http-request set-var(txn.for) var(txn.token),jwt_payload_query('$.imvu') if restricted",
    `${refuse("the token is for another unit")} !{ var(txn.for),strcmp(txn.imvu) eq 0 }`,
    "http-request set-var(txn.identity) var(txn.token),jwt_payload_query('$.sub') if restricted",
    "http-request set-var(txn.role) var(txn.token),jwt_payload_query('$.role') if restricted",
    `http-request set-var(txn.has) var(txn.role),map_str_int(${layout.roles},0) if restricted`,
    "http-request return status 403 content-type text/plain string 'the role is too low' if restricted !{ var(txn.has),sub(txn.rank) ge 0 }",
    "http-request set-header X-Nexus-Identity %[var(txn.identity)] if restricted",
    "http-request set-header X-Nexus-Role %[var(txn.role)] if restricted",
  ];
}

/** A client over its limit is refused but not counted, so that it is let in again as soon as a minute has passed. */
const LIMIT = [
  "acl limited var(txn.limit) -m int gt 0",
  "http-request set-var(txn.bucket) src",
  "http-request set-var(txn.bucket) var(txn.bucket),concat(|,txn.prefix)",
  "http-request track-sc0 var(txn.bucket) table clients if limited",
  "http-request return status 429 hdr Retry-After 60 content-type text/plain string 'too many requests' if limited { sc_gpc0_rate(0,clients),sub(txn.limit) ge 0 }",
  "http-request sc-inc-gpc0(0) if limited",
];

const DIAL = ["http-request set-dst var(txn.address)", "http-request set-dst-port var(txn.port)"];

const FORWARD = [
  "http-request set-header X-Forwarded-For %[src]",
  "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
  "http-request set-header X-Forwarded-Proto http if !{ ssl_fc }",
  "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
];

/**
 * The whole configuration. It depends on the home alone, never on an IMVU: those live in maps and certificates that
 * are changed while it runs, so it is never reloaded.
 */
export function renderHaproxy(site: Site, layout: Layout): string {
  const machine = machineHandleOf(site);
  const section = (head: string, lines: readonly string[]) => [head, ...lines.map((line) => `  ${line}`), ""];
  return [
    ...section("global", [
      "expose-experimental-directives",
      "user haproxy",
      "group haproxy",
      `maxconn ${CONNECTIONS_MAX}`,
      `stats socket ${quoted(layout.socket)} mode 600 level admin`,
      "stats timeout 10s",
      "log stdout format raw local0 notice",
      "ssl-default-bind-options ssl-min-ver TLSv1.2",
      `tune.bufsize ${REQUEST_BYTES_BUFFER}`,
      "hard-stop-after 5s",
    ]),
    ...section("defaults", [
      "mode http",
      "log global",
      "option dontlog-normal",
      "option dontlognull",
      "option http-keep-alive",
      // A connection to one IMVU must never carry another's request.
      "http-reuse never",
      `timeout connect ${CONNECT_TIMEOUT_MS}ms`,
      `timeout http-request ${REQUEST_TIMEOUT_MS}ms`,
      `timeout http-keep-alive ${IDLE_TIMEOUT_MS}ms`,
      `timeout client ${IDLE_TIMEOUT_MS}ms`,
      `timeout server ${IDLE_TIMEOUT_MS}ms`,
      `timeout tunnel ${TUNNEL_TIMEOUT_MS}ms`,
    ]),
    ...section("frontend public", [
      `bind ${site.listenAddress}:${site.ports.gatewayHttp} namespace ${machine}`,
      `bind ${site.listenAddress}:${site.ports.gatewayHttps} namespace ${machine} ssl crt-list ${quoted(layout.certificateList)} strict-sni alpn h2,http/1.1`,
      ...NORMALISE,
      ...STRIP,
      ...HOST,
      "http-request deny deny_status 421 if { ssl_fc } !{ ssl_fc_sni,lower,strcmp(txn.host) eq 0 }",
      ...lookUp(layout),
      // A private route does not exist out here.
      "http-request return status 404 content-type text/plain string 'nothing is served here' if { var(txn.class) -m str private }",
      ...restrict(layout),
      ...LIMIT,
      ...FORWARD,
      ...DIAL,
      "use_backend restricted if restricted",
      "default_backend public",
    ]),
    ...section("frontend private", [
      // In the router's own namespace: every IMVU meets it at the router's end of its link, and at no other's.
      `bind 0.0.0.0:${PRIVATE_PORT}`,
      ...NORMALISE,
      ...STRIP,
      ...HOST,
      ...lookUp(layout),
      // Only private routes, and only for the IMVU they belong to: its address cannot be forged past the router's rules.
      "http-request set-var(txn.client) src",
      "http-request return status 404 content-type text/plain string 'nothing is served here' if !{ var(txn.class) -m str private }",
      "http-request return status 404 content-type text/plain string 'nothing is served here' if !{ var(txn.client),strcmp(txn.address) eq 0 }",
      ...LIMIT,
      ...FORWARD,
      ...DIAL,
      "default_backend private",
    ]),
    // Each class calls from an address of its own, by which the kernel meters it.
    ...section("backend public", ["server imvu 0.0.0.0:0"]),
    ...section("backend restricted", [`source ${CALLER_OF_CLASS.restricted}`, "server imvu 0.0.0.0:0"]),
    ...section("backend private", [`source ${CALLER_OF_CLASS.private}`, "server imvu 0.0.0.0:0"]),
    ...section("backend clients", [`stick-table type string len 512 size ${CLIENTS_COUNTED_MAX} expire 2m store gpc0,gpc0_rate(60s)`]),
  ].join("\n");
}
