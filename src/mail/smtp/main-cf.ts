import type { Layout } from "../layout.ts";

export const MESSAGE_BYTES_MAX = 25 * 1024 * 1024;
const RETRY_SECONDS = 30;

export interface PostfixSettings {
  readonly layout: Layout;
  /** The name in the greeting and in HELO. */
  readonly hostname: string;
  readonly listenAddress: string;
  /** `[host]:port` that takes all mail for other platforms; null: each domain's own mail exchangers. */
  readonly smarthost: string | null;
}

/** main.cf. Pure. Every value is a constant of ours, a path layoutOf() has checked, or a branded name. */
export function renderMainCf({ layout, hostname, listenAddress, smarthost }: PostfixSettings): string {
  const map = (name: string) => `socketmap:unix:${layout.socketmap}:${name}`;
  return `${entries({
    compatibility_level: "3.6",
    queue_directory: layout.queue,
    data_directory: layout.postfixData,
    command_directory: "/usr/sbin",
    daemon_directory: "/usr/lib/postfix/sbin",
    mail_owner: "postfix",
    setgid_group: "postdrop",
    maillog_file: layout.mailLog,
    maillog_file_prefixes: dirOf(layout.mailLog),
    myhostname: hostname,
    myorigin: "$myhostname",
    inet_protocols: listenAddress.includes(":") ? "ipv6" : "ipv4",
    inet_interfaces: listenAddress,
    // With inet_interfaces on loopback Postfix would dial the world from 127.0.0.1.
    smtp_bind_address: "0.0.0.0",
    // Nothing is local but what the socketmap says; no alias file, no system user.
    mydestination: "",
    mynetworks: "",
    local_transport: "error:5.1.1 there are no local users",
    local_recipient_maps: "",
    alias_maps: "",
    alias_database: "",
    virtual_alias_maps: "",
    virtual_alias_domains: "",
    virtual_mailbox_domains: map("domains"),
    virtual_mailbox_maps: map("mailboxes"),
    virtual_transport: `lmtp:unix:${layout.dovecotRun}/lmtp`,
    ...(smarthost === null ? {} : { relayhost: smarthost }),
    recipient_delimiter: "",
    smtputf8_enable: "no",
    enable_long_queue_ids: "yes",
    message_size_limit: String(MESSAGE_BYTES_MAX),
    mailbox_size_limit: "0",
    virtual_mailbox_limit: "0",
    notify_classes: "",
    biff: "no",
    // What clients wrote is what is signed and delivered: no rewriting, no folding, no 8-bit conversion behind the signature.
    local_header_rewrite_clients: "",
    remote_header_rewrite_domain: "",
    smtp_line_length_limit: "0",
    lmtp_line_length_limit: "0",
    disable_mime_output_conversion: "yes",
    // A delivery that met a starting platform is tried again soon.
    queue_run_delay: `${RETRY_SECONDS}s`,
    minimal_backoff_time: `${RETRY_SECONDS}s`,
    smtpd_banner: "$myhostname ESMTP",
    smtpd_helo_required: "yes",
    disable_vrfy_command: "yes",
    strict_rfc821_envelopes: "yes",
    // SMTP smuggling: a bare newline never ends a message here, and pipelining is not offered to be abused.
    smtpd_forbid_bare_newline: "yes",
    smtpd_discard_ehlo_keywords: "chunking, silent-discard",
    smtpd_data_restrictions: "reject_unauth_pipelining",
    smtpd_delay_reject: "yes",
    smtpd_tls_cert_file: layout.certificate,
    smtpd_tls_key_file: layout.certificateKey,
    smtpd_tls_security_level: "may",
    smtpd_tls_auth_only: "yes",
    smtpd_tls_protocols: ">=TLSv1.2",
    smtpd_tls_mandatory_protocols: ">=TLSv1.2",
    smtpd_tls_loglevel: "0",
    smtp_tls_security_level: "may",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: `unix:${layout.dovecotRun}/auth-postfix`,
    smtpd_sasl_security_options: "noanonymous",
    smtpd_sasl_authenticated_header: "no",
    smtpd_sender_login_maps: map("logins"),
    smtpd_reject_unlisted_sender: "yes",
    smtpd_relay_restrictions: "reject_unauth_destination",
    smtpd_recipient_restrictions: `reject_unauth_destination, check_policy_service unix:${layout.policy}, check_policy_service unix:${layout.dovecotRun}/quota-status`,
    smtpd_sender_restrictions: "reject_unlisted_sender, reject_unauthenticated_sender_login_mismatch",
    // How large the message is in truth is known only now.
    smtpd_end_of_data_restrictions: `check_policy_service unix:${layout.policy}`,
    // Fail closed: when a server of ours is down, senders are told to try later.
    smtpd_policy_service_default_action: "451 4.3.5 policy unavailable",
    smtpd_milters: `unix:${layout.milter}`,
    milter_default_action: "tempfail",
    milter_protocol: "6",
    milter_mail_macros: "i {auth_authen} {auth_type} {mail_addr}",
    milter_end_of_header_macros: "i",
    milter_end_of_data_macros: "i",
  })}`;
}

function dirOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function entries(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (/[\r\n\0]/.test(value)) throw new TypeError(`${name}: a value of main.cf is one line`);
      return value === "" ? `${name} =\n` : `${name} = ${value}\n`;
    })
    .join("");
}
