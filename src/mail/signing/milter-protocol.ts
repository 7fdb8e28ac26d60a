/**
 * The Sendmail milter wire protocol, version 6, as Postfix speaks it (MILTER_README; libmilter's mfdef.h): packets of a 32-bit
 * big-endian length, one command byte, and data; texts end with NUL. Pure.
 */
export const PACKET_BYTES_MAX = 1024 * 1024;

export interface Packet {
  /** One letter: `O` negotiate, `D` macros, `M` mail, `L` header, `N` end of header, `B` body, `E` end of message, `A` abort, `Q` quit. */
  readonly command: string;
  readonly data: Buffer;
}

const ADD_HEADERS = 0x01;
const CHANGE_HEADERS = 0x10;

const NO_CONNECT = 0x01;
const NO_HELO = 0x02;
const NO_RECIPIENT = 0x08;
const NO_REPLY_HEADER = 0x80;
const NO_UNKNOWN = 0x100;
const NO_DATA = 0x200;
const NO_REPLY_BODY = 0x80000;
const NO_REPLY_MAIL = 0x4000;
const LEADING_SPACE = 0x100000;
const PROTOCOL = NO_CONNECT | NO_HELO | NO_RECIPIENT | NO_REPLY_HEADER | NO_UNKNOWN | NO_DATA | NO_REPLY_BODY | NO_REPLY_MAIL | LEADING_SPACE;

/** Takes whole packets off the front of what has arrived. */
export class PacketReader {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Packet[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const packets: Packet[] = [];
    while (this.rest.length >= 5) {
      const length = this.rest.readUInt32BE(0);
      if (length < 1 || length > PACKET_BYTES_MAX) throw new RangeError(`a milter packet of ${length} bytes`);
      if (this.rest.length < 4 + length) break;
      packets.push({ command: String.fromCharCode(this.rest[4] as number), data: this.rest.subarray(5, 4 + length) });
      this.rest = this.rest.subarray(4 + length);
    }
    return packets;
  }
}

export function packet(command: string, ...data: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(command, "latin1"), ...data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** The answer to Postfix's offer: protocol 6, the two actions used here, and no questions whose answers would not matter. */
export function negotiate(offer: Buffer): Buffer {
  if (offer.length < 12 || offer.readUInt32BE(0) < 6) throw new RangeError("the mail server speaks an older milter protocol");
  const [actions, protocol] = [offer.readUInt32BE(4), offer.readUInt32BE(8)];
  const wanted = ADD_HEADERS | CHANGE_HEADERS;
  if ((actions & wanted) !== wanted || (protocol & PROTOCOL) !== PROTOCOL) throw new RangeError("the mail server does not offer what this milter needs");
  return packet("O", words(6, wanted, PROTOCOL));
}

/** NUL-ended texts. Bytes are kept one to one (latin1): the header is signed as it came. */
export function textsOf(data: Buffer): readonly string[] {
  const texts = data.toString("latin1").split("\0");
  texts.pop();
  return texts;
}

export const CONTINUE = packet("c");
export const ACCEPT = packet("a");
export const TEMPFAIL = packet("t");

/** `550 5.7.1 text` */
export function replyCode(line: string): Buffer {
  return packet("y", nul(line.replace(/[\r\n\0]/g, " ").replaceAll("%", "%%")));
}

/** At `index` from the top of the message; the value keeps its own leading space, and its folds as LF. */
export function insertHeader(index: number, name: string, value: string): Buffer {
  return packet("i", words(index), nul(name), nul(value.replaceAll("\r\n", "\n")));
}

/** Removes the `nth` (from 1) field of that name. */
export function deleteHeader(name: string, nth: number): Buffer {
  return packet("m", words(nth), nul(name), nul(""));
}

function nul(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, "latin1"), Buffer.from([0])]);
}

function words(...values: readonly number[]): Buffer {
  const data = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) data.writeUInt32BE(value >>> 0, 4 * index);
  return data;
}
