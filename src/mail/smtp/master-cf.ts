import type { Ports } from "../../contract/index.ts";
import type { Layout } from "../layout.ts";

export interface MasterSettings {
  readonly layout: Layout;
  readonly listenAddress: string;
  readonly ports: Pick<Ports, "smtp" | "submission" | "submissions">;
}

const SMTPD_IDLE_SECONDS = 5;
const SMTPD_CONNECTIONS_MAX = 50;

/**
 * master.cf. Pure. chroot is off everywhere: the sockets of our servers lie outside the queue. There is no pickup
 * service: nobody on the machine injects mail past identity binding.
 */
export function renderMasterCf({ layout, listenAddress, ports }: MasterSettings): string {
  const host = listenAddress.includes(":") ? `[${listenAddress}]` : listenAddress;
  // An smtpd process remembers for its whole life how it resolved an address: an idle one ends soon, so that a new domain is new to nobody for long.
  const lifetime = [["max_idle", `${SMTPD_IDLE_SECONDS}s`], ["max_use", String(SMTPD_CONNECTIONS_MAX)]] as const;
  const authenticated = [
    ...lifetime,
    ["smtpd_sasl_auth_enable", "yes"],
    ["smtpd_client_restrictions", "permit_sasl_authenticated,reject"],
    ["smtpd_sender_restrictions", "reject_sender_login_mismatch"],
    ["smtpd_relay_restrictions", "permit_sasl_authenticated,reject"],
    // reject_unlisted_recipient stands here because permit ends the list before Postfix's own check of recipients.
    [
      "smtpd_recipient_restrictions",
      `check_policy_service,unix:${layout.policy},reject_unlisted_recipient,check_policy_service,unix:${layout.dovecotRun}/quota-status,permit_sasl_authenticated,reject`,
    ],
    ["cleanup_service_name", "subcleanup"],
  ] as const;
  return [
    // Without SASL switched on here Postfix skips the unauthenticated sender check; static:all keeps AUTH from being offered.
    service(`${host}:${ports.smtp}`, "inet", "n", "-", "smtpd", [...lifetime, ["smtpd_sasl_auth_enable", "yes"], ["smtpd_sasl_exceptions_networks", "static:all"]]),
    service(`${host}:${ports.submission}`, "inet", "n", "-", "smtpd", [["syslog_name", "postfix/submission"], ["smtpd_tls_security_level", "encrypt"], ...authenticated]),
    service(`${host}:${ports.submissions}`, "inet", "n", "-", "smtpd", [["syslog_name", "postfix/submissions"], ["smtpd_tls_wrappermode", "yes"], ...authenticated]),
    service("cleanup", "unix", "n", "0", "cleanup"),
    // Submitted mail gets the Date, Message-ID and From it lacks before the milter sees and signs it.
    service("subcleanup", "unix", "n", "0", "cleanup", [["always_add_missing_headers", "yes"]]),
    "qmgr unix n - n 300 1 qmgr\n",
    "tlsmgr unix - - n 1000? 1 tlsmgr\n",
    service("rewrite", "unix", "-", "-", "trivial-rewrite"),
    service("bounce", "unix", "-", "0", "bounce"),
    service("defer", "unix", "-", "0", "bounce"),
    service("trace", "unix", "-", "0", "bounce"),
    service("verify", "unix", "-", "1", "verify"),
    "flush unix n - n 1000? 0 flush\n",
    service("proxymap", "unix", "-", "-", "proxymap"),
    service("proxywrite", "unix", "-", "1", "proxymap"),
    service("smtp", "unix", "-", "-", "smtp"),
    service("relay", "unix", "-", "-", "smtp"),
    service("showq", "unix", "n", "-", "showq"),
    service("error", "unix", "-", "-", "error"),
    service("retry", "unix", "-", "-", "error"),
    service("discard", "unix", "-", "-", "discard"),
    service("lmtp", "unix", "-", "-", "lmtp"),
    service("anvil", "unix", "-", "1", "anvil"),
    service("scache", "unix", "-", "1", "scache"),
    "postlog unix-dgram n - n - 1 postlogd\n",
  ].join("");
}

/** `name type private unpriv chroot wakeup maxproc command`; a comma inside an option stands for a space (master(5)). */
function service(name: string, type: string, isPrivate: string, processes_max: string, command: string, options: readonly (readonly [string, string])[] = []): string {
  const lines = [`${name} ${type} ${isPrivate} - n - ${processes_max} ${command}`, ...options.map(([option, value]) => `  -o ${option}=${value}`)];
  return `${lines.join("\n")}\n`;
}
