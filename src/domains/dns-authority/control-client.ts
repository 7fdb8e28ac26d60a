import { Buffer } from "node:buffer";
import { createConnection } from "node:net";
import { Fault, messageOf } from "../../kernel/index.ts";

/** Knot's control protocol (libknot/control): units of one type byte, then items `code, length (16 bit, big endian), data`. */
const UNIT = { end: 0, data: 1, extra: 2, block: 3 } as const;
const CODES = { command: 0x10, flags: 0x11, error: 0x12, section: 0x13, item: 0x14, id: 0x15, zone: 0x16, owner: 0x17, ttl: 0x18, type: 0x19, data: 0x1a, filters: 0x1b } as const;
const NAME_OF = new Map<number, Field>(Object.entries(CODES).map(([name, code]) => [code, name as Field]));
const ITEM_BYTES_MAX = 65_535;
const ANSWER_BYTES_MAX = 256 * 1024 ** 2;
const BATCH_TIMEOUT_MS = 30_000;

type Field = keyof typeof CODES;
export type Row = Partial<Readonly<Record<Field, string>>>;
export type Order = Row & { readonly command: string };

/** One batch on one connection: the server speaks with one client at a time, so a connection is never kept idle. */
export function talk(socketPath: string, orders: readonly Order[]): Promise<readonly (readonly Row[])[]> {
  return new Promise((resolve, reject) => {
    const answers: Row[][] = [[]];
    let waiting: Buffer = Buffer.alloc(0);
    let bytes = 0;
    let extra: Row = {};
    const socket = createConnection(socketPath);
    const fail = (error: Fault) => {
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Fault("KNOT_TIMEOUT", `the DNS server's control socket did not answer within ${BATCH_TIMEOUT_MS} ms`, { retry: true })), BATCH_TIMEOUT_MS);
    socket.on("error", (cause) => {
      clearTimeout(timer);
      reject(new Fault("KNOT_UNREACHABLE", `the DNS server's control socket: ${messageOf(cause)}`, { cause, retry: true }));
    });
    socket.on("close", () => {
      clearTimeout(timer);
      if (answers.length <= orders.length) reject(new Fault("KNOT_CLOSED", "the DNS server closed its control socket before it had answered", { retry: true }));
    });
    socket.on("connect", () => {
      socket.write(Buffer.concat(orders.map(encode)));
    });
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) return fail(new Fault("KNOT_FLOOD", `the DNS server answered more than ${ANSWER_BYTES_MAX} bytes`));
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      for (let read = readUnit(waiting); read; read = readUnit(waiting)) {
        waiting = waiting.subarray(read.bytes);
        if (read.type === UNIT.block) {
          answers.push([]);
          extra = {};
        } else if (read.type === UNIT.data || read.type === UNIT.extra) {
          // An EXTRA unit continues the row before it: what it does not repeat stays.
          extra = read.type === UNIT.extra ? { ...extra, ...read.row } : read.row;
          answers.at(-1)?.push(extra);
        }
        if (answers.length > orders.length) {
          socket.end(Buffer.from([UNIT.end]));
          clearTimeout(timer);
          resolve(answers.slice(0, orders.length));
          return;
        }
      }
    });
  });
}

function encode(order: Order): Buffer {
  const parts: Buffer[] = [Buffer.from([UNIT.data])];
  for (const [name, code] of Object.entries(CODES) as [Field, number][]) {
    const value = order[name];
    if (value === undefined) continue;
    const data = Buffer.from(value, "utf8");
    if (data.length > ITEM_BYTES_MAX) throw new Fault("KNOT_ITEM_LONG", `${name} has ${data.length} bytes; the DNS server takes at most ${ITEM_BYTES_MAX}`);
    const head = Buffer.alloc(3);
    head.writeUInt8(code, 0);
    head.writeUInt16BE(data.length, 1);
    parts.push(head, data);
  }
  parts.push(Buffer.from([UNIT.block]));
  return Buffer.concat(parts);
}

/** The first whole unit of `buffer`; undefined while its end has not arrived. A unit ends where the next unit's type byte stands. */
function readUnit(buffer: Buffer): { readonly type: number; readonly row: Row; readonly bytes: number } | undefined {
  const type = buffer[0];
  if (type === undefined) return undefined;
  if (type === UNIT.block || type === UNIT.end) return { type, row: {}, bytes: 1 };
  const row: Partial<Record<Field, string>> = {};
  let at = 1;
  for (;;) {
    const code = buffer[at];
    if (code === undefined) return undefined;
    if (code < CODES.command) return { type, row, bytes: at };
    if (at + 3 > buffer.length) return undefined;
    const length = buffer.readUInt16BE(at + 1);
    if (at + 3 + length > buffer.length) return undefined;
    const name = NAME_OF.get(code);
    if (name) row[name] = buffer.toString("utf8", at + 3, at + 3 + length);
    at += 3 + length;
  }
}
