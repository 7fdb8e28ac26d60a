/** How each kind of file is used without us, by stock tools; a recipe appears only for files that are in the bundle. */
interface Recipe {
  readonly title: string;
  readonly says: string;
  readonly commands: readonly string[];
}

interface Kind {
  readonly title: string;
  readonly says: string;
  readonly match: RegExp;
  /** `path` is quoted for a shell; `name` is the pattern's first group, quoted too. */
  command(path: string, name: string): string;
}

export const FILES_SHOWN_MAX = 20;

const KINDS: readonly Kind[] = [
  {
    title: "DNS zones",
    says: "BIND zone files; any authoritative server loads them.",
    match: /^domains\/zones\/(.+)\.zone$/,
    command: (path, name) => `named-checkzone ${name} ${path}`,
  },
  {
    title: "DNSSEC keys",
    says: "In BIND's form. Signed with the same keys, the zone stays valid under the DS records that exist.",
    match: /^domains\/dnssec\/(K.+)\.private$/,
    command: (_path, name) => `dnssec-dsfromkey domains/dnssec/${name}.key`,
  },
  {
    title: "Mailboxes",
    says: "One mbox file per folder, flags kept; every mail program and Python's mailbox module read them.",
    match: /^mail\/mailboxes\/(.+)\.mbox$/,
    command: (path) => `python3 -c 'import mailbox, sys; print(len(mailbox.mbox(sys.argv[1])), "messages in", sys.argv[1])' ${path}`,
  },
  {
    title: "Mail signing keys",
    says: "DKIM private keys in PEM; the text beside each is the DNS record that belongs to it.",
    match: /^mail\/dkim\/(.+)\.private\.pem$/,
    command: (path) => `openssl pkey -in ${path} -noout -check`,
  },
  {
    title: "Images",
    says: "OCI archives.",
    match: /^compute\/images\/(.+)\.oci\.tar$/,
    command: (path) => `podman load -i ${path}`,
  },
  {
    title: "Volumes",
    says: "File trees with owners, modes and times.",
    match: /^compute\/volumes\/(.+)\.tar\.zst$/,
    command: (path, name) => `mkdir -p restored/${name} && tar --zstd -xpf ${path} -C restored/${name}`,
  },
  {
    title: "Ledger",
    says: "One entry per line; jq and any spreadsheet read it.",
    match: /^ledger\/events\.jsonl$/,
    command: (path) => `jq -r '[.index, .body.time, .body.type, .body.actor] | @tsv' ${path}`,
  },
];

export function recipesFor(paths: readonly string[]): readonly Recipe[] {
  return KINDS.flatMap(({ title, says, match, command }) => {
    const found = paths.flatMap((path) => {
      const name = match.exec(path);
      return name ? [command(quoted(path), quoted(name[1] ?? ""))] : [];
    });
    const more = found.length > FILES_SHOWN_MAX ? [`# … and ${found.length - FILES_SHOWN_MAX} more like these`] : [];
    return found.length > 0 ? [{ title, says, commands: [...found.slice(0, FILES_SHOWN_MAX), ...more] }] : [];
  });
}

/** A shell word; bundle paths are printable ASCII, so the quote is the only character to mind. */
function quoted(text: string): string {
  return /^[A-Za-z0-9._/@+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
