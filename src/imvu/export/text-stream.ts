import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { ExportSink } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";

/** A file of lines that is written while others are, in flat memory. */
export interface LineFile {
  line(text: string): Promise<void>;
  /** Resolves when the sink has the whole file. */
  end(): Promise<void>;
  /** Gives the file up, so that the sink closes it and fails; without effect after end. */
  abandon(): void;
}

function openLineFile(sink: ExportSink, path: string): LineFile {
  const stream = new PassThrough();
  const written = sink.file(path, stream);
  // A failure surfaces at the next line or at the end; it must not count as unhandled before.
  written.catch(() => {});
  stream.on("error", () => {});
  return {
    async line(text) {
      if (stream.destroyed) await written;
      if (!stream.write(`${text}\n`)) await Promise.race([once(stream, "drain"), written]);
    },
    async end() {
      stream.end();
      await written;
    },
    abandon() {
      stream.destroy(new Fault("EXPORT_ABANDONED", `${path} was given up: another part of its section failed`));
    },
  };
}

/** Line files of one section: when the section fails, none of them stays open. */
export async function withLineFiles<T>(sink: ExportSink, write: (open: (path: string) => LineFile) => Promise<T>): Promise<T> {
  const opened: LineFile[] = [];
  try {
    return await write((path) => {
      const file = openLineFile(sink, path);
      opened.push(file);
      return file;
    });
  } catch (error) {
    for (const file of opened) file.abandon();
    throw error;
  }
}
