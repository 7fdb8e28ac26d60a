import type { Ports } from "../../contract/index.ts";
import type { Layout } from "../layout.ts";

export interface DovecotSettings {
  readonly layout: Layout;
  readonly homeId: string;
  readonly hostname: string;
  readonly listenAddress: string;
  readonly ports: Pick<Ports, "imap" | "imaps">;
}

/** Bytes of address space an imap or lmtp process may map; big folders' indexes are mapped whole. */
const PROCESS_MEGABYTES_MAX = 512;

/** dovecot.conf for 2.3. Pure. Every value is a constant of ours or a path layoutOf() has checked. */
export function renderDovecotConf({ layout, homeId, hostname, listenAddress, ports }: DovecotSettings): string {
  return `instance_name = nx${homeId}
base_dir = ${layout.dovecotRun}
state_dir = ${layout.dovecotState}
log_path = /dev/stderr
protocols = imap lmtp
listen = ${listenAddress}
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
default_vsz_limit = ${PROCESS_MEGABYTES_MAX} M

ssl = required
ssl_cert = <${layout.certificate}
ssl_key = <${layout.certificateKey}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_username_chars = abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890.-_@+
auth_username_format = %Lu
auth_cache_size = 0

passdb {
  driver = dict
  args = ${layout.dovecotConfig}/dict-auth.conf
}
userdb {
  driver = dict
  args = ${layout.dovecotConfig}/dict-auth.conf
}

mail_location = maildir:~/Maildir
mail_fsync = always
mail_plugins = quota
# Every IMVU has a user id of its own, far above the system's.
first_valid_uid = 100000
first_valid_gid = 100000
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = subscribe
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
  mailbox Trash {
    auto = subscribe
    special_use = \\Trash
  }
  mailbox Junk {
    auto = subscribe
    special_use = \\Junk
  }
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = 552 5.2.2 this mailbox is full
}
# A message that fitted when it was accepted and does not fit any more goes back to its sender at once.
quota_full_tempfail = no

protocol imap {
  mail_plugins = quota imap_quota
  mail_max_userip_connections = 20
}
protocol lmtp {
  postmaster_address = postmaster@${hostname}
}

service imap-login {
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service lmtp {
  unix_listener lmtp {
    user = root
    group = postfix
    mode = 0660
  }
}
service auth {
  unix_listener auth-postfix {
    user = postfix
    group = postfix
    mode = 0660
  }
  unix_listener auth-userdb {
    user = root
    mode = 0600
  }
}
service quota-status {
  executable = quota-status -p postfix
  unix_listener quota-status {
    user = root
    group = postfix
    mode = 0660
  }
  client_limit = 1
}
# The penalty for failed logins goes by address, and behind one address (a loopback, a NAT) a guesser would slow everybody down. Each failure waits
# two seconds, and each guess costs its password's rounds.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  # Mail processes run as their IMVU's user.
  unix_listener stats-writer {
    mode = 0666
  }
}
`;
}

/**
 * The dict passdb and userdb. The service and whether the login is encrypted stand in the key: the server of ours
 * answers a password only for what the login may be used for.
 */
export function renderDictAuthConf(layout: Layout): string {
  return `uri = proxy:${layout.dict}:auth
password_key = passdb/%s/%{secured}/%u
user_key = userdb/%u
iterate_disable = yes
default_pass_scheme = CRYPT
`;
}
