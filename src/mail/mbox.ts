/**
 * mbox files as a bundle holds them: the mboxrd dialect (a line of `>`s and "From " gets one `>` more, so that every line
 * that begins with "From " is a separator), one empty line after each message, LF line ends. Flags stand in three fields that come
 * first in each message: Status (R: seen), X-Status (A answered, F flagged, D deleted, T draft) and X-Keywords. Memory stays flat.
 */
export interface MboxMessage {
  /** IMAP flags and keywords. */
  readonly flags: readonly string[];
  /** Seconds since the epoch: when the message was received. */
  readonly received_s: number;
}

/** Longer lines are passed on in pieces. */
const LINE_PIECE_BYTES = 64 * 1024;
const LF = 0x0a;
const SYSTEM_FLAGS = [
  ["\\Answered", "A"],
  ["\\Flagged", "F"],
  ["\\Deleted", "D"],
  ["\\Draft", "T"],
] as const;

export type MboxPiece = { readonly begin: MboxMessage } | { readonly bytes: Buffer };

/** Pieces of messages to the file's bytes. */
export async function* writeMbox(pieces: AsyncIterable<MboxPiece>): AsyncGenerator<Buffer> {
  let lines: LineSplitter | undefined;
  let ended = true;
  const quoted = (all: readonly LinePiece[]) =>
    all.map(({ bytes, first, last }) => {
      ended = last;
      return first && /^>*From /.test(bytes.subarray(0, LINE_PIECE_BYTES).toString("latin1")) ? Buffer.concat([Buffer.from(">"), bytes]) : bytes;
    });
  const finish = () => {
    const rest = lines ? quoted(lines.end()) : [];
    // The empty line that ends a message must be a line of its own.
    return lines ? [...rest, Buffer.from(ended ? "\n" : "\n\n")] : [];
  };
  for await (const piece of pieces) {
    if ("bytes" in piece) {
      if (!lines) throw new TypeError("bytes before the first message");
      yield Buffer.concat(quoted(lines.push(piece.bytes)));
      continue;
    }
    yield Buffer.concat([...finish(), Buffer.from(separatorOf(piece.begin))]);
    lines = new LineSplitter();
    ended = true;
  }
  yield Buffer.concat(finish());
}

/** The file's bytes to pieces of messages; throws RangeError for what is not such a file. */
export async function* readMbox(source: AsyncIterable<Uint8Array>): AsyncGenerator<MboxPiece> {
  const lines = new LineSplitter();
  let received_s: number | undefined;
  let fields: string[] | undefined;
  let blank = false;
  function* take(all: readonly LinePiece[]): Generator<MboxPiece> {
    for (const { bytes, first, last } of all) {
      if (first && bytes.subarray(0, 5).toString("latin1") === "From ") {
        if (fields) throw new RangeError("an mbox message ends inside its flags");
        received_s = receivedOf(bytes.toString("latin1"));
        fields = [];
        blank = false;
        continue;
      }
      if (received_s === undefined) throw new RangeError("an mbox file begins with a separator");
      if (fields) {
        fields.push(bytes.toString("latin1").trimEnd());
        if (fields.length === 3) {
          yield { begin: { flags: flagsOf(fields), received_s } };
          fields = undefined;
        }
        continue;
      }
      // The last empty line before a separator, or the end, belongs to the file and not to the message.
      if (blank) yield { bytes: Buffer.from("\n") };
      blank = first && last && bytes.length === 1;
      if (!blank) yield { bytes: first && /^>+From /.test(bytes.toString("latin1")) ? bytes.subarray(1) : bytes };
    }
  }
  for await (const chunk of source) yield* take(lines.push(Buffer.from(chunk)));
  yield* take(lines.end());
  if (fields) throw new RangeError("an mbox message ends inside its flags");
}

interface LinePiece {
  readonly bytes: Buffer;
  /** Begins a line. */
  readonly first: boolean;
  /** Ends a line, with its line feed. */
  readonly last: boolean;
}

class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private first = true;

  push(chunk: Buffer): readonly LinePiece[] {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const pieces: LinePiece[] = [];
    let from = 0;
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, from)) {
      pieces.push({ bytes: data.subarray(from, end + 1), first: this.first, last: true });
      this.first = true;
      from = end + 1;
    }
    this.rest = Buffer.from(data.subarray(from));
    if (this.rest.length > LINE_PIECE_BYTES) {
      pieces.push({ bytes: this.rest, first: this.first, last: false });
      this.first = false;
      this.rest = Buffer.alloc(0);
    }
    return pieces;
  }

  end(): readonly LinePiece[] {
    return this.rest.length > 0 ? [{ bytes: this.rest, first: this.first, last: false }] : [];
  }
}

/** RFC 4155: asctime in UTC. The sender is not repeated: it stands in Return-Path. */
function separatorOf({ flags, received_s }: MboxMessage): string {
  const [weekday, day, month, year, time] = new Date(received_s * 1000).toUTCString().replace(",", "").split(" ") as [string, string, string, string, string];
  const states = SYSTEM_FLAGS.filter(([flag]) => flags.includes(flag)).map(([, letter]) => letter);
  const keywords = flags.filter((flag) => !flag.startsWith("\\")).sort();
  return [
    `From MAILER-DAEMON ${weekday} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`,
    `Status: ${flags.includes("\\Seen") ? "RO" : "O"}`,
    `X-Status: ${states.join("")}`,
    `X-Keywords: ${keywords.join(" ")}`,
    "",
  ].join("\n");
}

function receivedOf(separator: string): number {
  const match = /^From \S+ \w{3} (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})\s*$/.exec(separator);
  const time_ms = match ? Date.parse(`${match[2]} ${match[1]} ${match[4]} ${match[3]} UTC`) : Number.NaN;
  if (Number.isNaN(time_ms)) throw new RangeError(`not an mbox separator: ${JSON.stringify(separator.slice(0, 80))}`);
  return time_ms / 1000;
}

function flagsOf([status, states, keywords]: readonly string[]): readonly string[] {
  const found = [/^Status: (R?)O$/, /^X-Status:(?: ([AFDT]*))?$/, /^X-Keywords:(?: ([^\0-\x1f\x7f]*))?$/].map((form, index) => form.exec([status, states, keywords][index] ?? ""));
  if (found.some((match) => match === null)) throw new RangeError("an mbox message does not begin with its flags");
  const [seen, letters, words] = found.map((match) => match?.[1] ?? "") as [string, string, string];
  return [...(seen === "R" ? ["\\Seen"] : []), ...SYSTEM_FLAGS.filter(([, letter]) => letters.includes(letter)).map(([flag]) => flag), ...words.split(" ").filter(Boolean)];
}
