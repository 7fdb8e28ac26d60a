import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Fault } from "../../kernel/index.ts";
import type { Layout } from "../layout.ts";

/**
 * Dovecot's administration protocol 1.0 over its private socket: the same commands as the doveadm program, without a process
 * for each. A reply is tab-separated, tab-escaped fields on one line, then a line `+` or `-CODE`.
 */
const IDLE_TIMEOUT_MS = 60_000;
const FIELDS_BYTES_MAX = 16 * 1024 * 1024;

const TAB = 0x09;
const LF = 0x0a;
const ESCAPE = 0x01;
const UNESCAPED: ReadonlyMap<number, number> = new Map([[0x30, 0x00], [0x31, 0x01], [0x74, 0x09], [0x72, 0x0d], [0x6e, 0x0a]]);

/** A piece of a field; `last` when the field ends with it. */
export interface FieldPiece {
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** Streams the fields of a command's reply, however long they are. */
export async function* doveadmFields(layout: Layout, user: string, command: readonly [string, ...string[]]): AsyncGenerator<FieldPiece> {
  for (const word of [user, ...command]) if (/[\t\r\n\0\u0001]/.test(word)) throw new TypeError("a doveadm argument has no control characters");
  const socket = connect(join(layout.dovecotRun, "doveadm-server"));
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy(new Error(`nothing came for ${IDLE_TIMEOUT_MS} ms`)));
  socket.write(`VERSION\tdoveadm-server\t1\t0\n\t${user}\t${command.join("\t")}\n`);
  try {
    yield* read(socket);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("DOVEADM", `doveadm ${command[0]} for ${user}: ${(cause as Error).message}`, { cause, retry: true });
  } finally {
    socket.destroy();
  }
}

/** Collects a short reply whole. */
export async function doveadm(layout: Layout, user: string, command: readonly [string, ...string[]]): Promise<readonly string[]> {
  const fields: string[] = [];
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of doveadmFields(layout, user, command)) {
    bytes += piece.bytes.length;
    if (bytes > FIELDS_BYTES_MAX) throw new Fault("DOVEADM", `doveadm ${command[0]} said more than ${FIELDS_BYTES_MAX} bytes`);
    pieces.push(piece.bytes);
    if (!piece.last) continue;
    fields.push(Buffer.concat(pieces).toString("utf8"));
    pieces = [];
  }
  return fields;
}

async function* read(socket: Socket): AsyncGenerator<FieldPiece> {
  let state: "greeting" | "reply" | "status" = "greeting";
  let status = "";
  let escaped = false;
  let begun = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let from = 0;
    if (state === "greeting") {
      status += chunk.toString("latin1");
      const end = status.indexOf("\n");
      if (end < 0) continue;
      if (!status.startsWith("+")) throw new Error("the socket wants a password");
      from = chunk.length - (status.length - end - 1);
      status = "";
      state = "reply";
    }
    if (state === "reply") {
      const field = Buffer.alloc(chunk.length - from);
      let length = 0;
      for (; from < chunk.length && state === "reply"; from += 1) {
        const byte = chunk[from] as number;
        if (escaped) {
          field[length++] = UNESCAPED.get(byte) ?? byte;
          escaped = false;
        } else if (byte === ESCAPE) escaped = true;
        else if (byte === TAB || byte === LF) {
          // An empty reply is a lone line feed; every field, the last one too, is ended by a tab.
          if (byte === TAB || begun || length > 0) yield { bytes: Buffer.from(field.subarray(0, length)), last: true };
          length = 0;
          begun = false;
          if (byte === LF) state = "status";
          continue;
        } else field[length++] = byte;
        begun = true;
      }
      if (state === "reply" && length > 0) yield { bytes: Buffer.from(field.subarray(0, length)), last: false };
    }
    if (state === "status") {
      status += chunk.subarray(from).toString("latin1");
      if (!status.includes("\n")) continue;
      if (status.startsWith("+")) return;
      throw new Error(`it answered ${status.trim()}`);
    }
  }
  throw new Error("the connection was closed");
}
