import type { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";

/** An entry's body has at most 32 KiB; a line of ours adds its index. A longer one is no line of ours. */
export const LINE_BYTES_MAX = 64 * 1024;

/**
 * Lines of a text file, without their newline, in flat memory. Throws RangeError for a line beyond the bound and TypeError for
 * bytes that are no UTF-8.
 */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      yield text(chunk.subarray(begin, end));
      begin = end + 1;
    }
    const rest = chunk.subarray(begin);
    length += rest.length;
    if (length > LINE_BYTES_MAX) throw new RangeError(`a line is longer than ${LINE_BYTES_MAX} bytes`);
    if (rest.length > 0) pending.push(rest);
  }
  if (length > 0) throw new RangeError("the last line does not end");

  function text(end: Buffer): string {
    if (length + end.length > LINE_BYTES_MAX) throw new RangeError(`a line is longer than ${LINE_BYTES_MAX} bytes`);
    let line = "";
    for (const piece of pending) line += decoder.decode(piece, { stream: true });
    line += decoder.decode(end);
    pending = [];
    length = 0;
    return line;
  }
}
