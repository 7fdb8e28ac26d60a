import { join } from "node:path";
import type { Site } from "../contract/index.ts";
import { Fault, type ImvuId } from "../kernel/index.ts";

/** Every path of the mail room, all under the home. Sockets' names are short: sun_path holds 107 bytes. */
export interface Layout {
  readonly dir: string;
  readonly run: string;
  readonly socketmap: string;
  readonly policy: string;
  readonly milter: string;
  readonly dict: string;
  readonly postfixConfig: string;
  readonly queue: string;
  readonly postfixData: string;
  readonly mailLog: string;
  readonly dovecotConfig: string;
  readonly dovecotRun: string;
  readonly dovecotState: string;
  readonly certificate: string;
  readonly certificateKey: string;
  readonly dkim: string;
  readonly boxes: string;
  /** Boxes on their way out: renamed here at once, emptied afterwards. */
  readonly gone: string;
  /** Short-lived folders of probes and imports. */
  readonly passing: string;
  readonly meterJournal: string;
}

const SOCKET_PATH_BYTES_MAX = 107;
/** Longest name the engines put below dovecotRun. */
const LONGEST_DOVECOT_SOCKET = "token-login/imap-urlauth-token";

export function layoutOf(site: Pick<Site, "dir">): Layout {
  const dir = join(site.dir, "mail");
  // These paths stand in two configuration languages; neither has a quoting that all its parsers honour.
  if (!/^\/[A-Za-z0-9/._-]+$/.test(dir)) {
    throw new Fault("MAIL_PATH", `the mail engines cannot be told the path ${JSON.stringify(dir)}`, { hint: "choose a home of letters, digits, '.', '_' and '-'" });
  }
  const run = join(dir, "run");
  const dovecotRun = join(run, "d");
  if (Buffer.byteLength(join(dovecotRun, LONGEST_DOVECOT_SOCKET)) > SOCKET_PATH_BYTES_MAX) {
    throw new Fault("MAIL_PATH", `the home's path is too long for the mail engines' sockets (${site.dir.length} characters)`, { hint: "choose a home with a path of at most 60 characters" });
  }
  return {
    dir,
    run,
    socketmap: join(run, "map.sock"),
    policy: join(run, "policy.sock"),
    milter: join(run, "milter.sock"),
    dict: join(run, "dict.sock"),
    postfixConfig: join(dir, "postfix"),
    queue: join(dir, "queue"),
    postfixData: join(dir, "data"),
    mailLog: join(site.dir, "log", "mail.log"),
    dovecotConfig: join(dir, "dovecot"),
    dovecotRun,
    dovecotState: join(dir, "state"),
    certificate: join(dir, "tls", "cert.pem"),
    certificateKey: join(dir, "tls", "key.pem"),
    dkim: join(dir, "dkim"),
    boxes: join(dir, "boxes"),
    gone: join(dir, "gone"),
    passing: join(dir, "passing"),
    meterJournal: join(dir, "meter.jsonl"),
  };
}

export function boxesOf(layout: Layout, imvu: ImvuId): string {
  return join(layout.boxes, imvu);
}

export function boxOf(layout: Layout, imvu: ImvuId, address: string): string {
  return join(boxesOf(layout, imvu), address);
}
