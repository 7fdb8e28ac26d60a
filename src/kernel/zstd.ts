import { Buffer } from "node:buffer";
import { pipeline, type Readable } from "node:stream";
import { createZstdCompress } from "node:zlib";

const BLOCK_BYTES = 128 * 1024;

/**
 * Compresses a stream with zstd (RFC 8878) so that equal content gives equal bytes. What zstd writes depends on how its input was cut and on
 * whether the end came together with the last piece, which is otherwise a matter of timing: here every piece but the last has one size, and each
 * is consumed before the next one, or the end, is given.
 * An error of `source` is an error of what is returned.
 */
export function zstdCompressed(source: Readable): Readable {
  const compressor = createZstdCompress({ writableHighWaterMark: 1 } as Parameters<typeof createZstdCompress>[0]);
  pipeline(source, inBlocks, compressor, () => {
    // The reader of the compressor is told of errors, because pipeline destroys it with them.
  });
  return compressor;
}

async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; ) {
      const taken = Math.min(BLOCK_BYTES - filled, chunk.length - from);
      block.set(chunk.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled < BLOCK_BYTES) continue;
      yield block;
      block = Buffer.allocUnsafe(BLOCK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
