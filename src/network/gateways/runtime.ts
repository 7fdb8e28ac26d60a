import { connect } from "node:net";
import { Fault } from "../../kernel/index.ts";
import { type RouteEntry, parseMap } from "../routing/route-map.ts";

const ANSWER_TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** One command to the running gateway's socket. Throws a Fault with code GATEWAY_DOWN when nobody listens. */
export function ask(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const parts: Buffer[] = [];
    let bytes = 0;
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Fault("GATEWAY_SLOW", "the gateway's socket does not answer", { retry: true })));
    socket.on("connect", () => socket.write(`${command}\n`));
    socket.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes > ANSWER_BYTES_MAX) socket.destroy(new Fault("GATEWAY_ANSWER", "the gateway's answer has no end"));
      else parts.push(part);
    });
    socket.on("end", () => resolve(Buffer.concat(parts).toString("utf8").trim()));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") reject(new Fault("GATEWAY_DOWN", "the gateway does not run", { cause: error, retry: true }));
      else reject(error);
    });
  });
}

export function isDown(error: unknown): boolean {
  return error instanceof Fault && error.code === "GATEWAY_DOWN";
}

/** An answer that is not the expected one is a fault: the socket speaks in sentences, never in codes. */
async function demand(socketPath: string, command: string, expected: RegExp): Promise<string> {
  const answer = await ask(socketPath, command);
  if (!expected.test(answer)) throw new Fault("GATEWAY_REFUSED", `${command.split("\n")[0]}: ${answer}`);
  return answer;
}

/** The map as the gateway has it in memory. */
export async function liveMap(socketPath: string, map: string): Promise<readonly RouteEntry[]> {
  const answer = await demand(socketPath, `show map ${map}`, /^(0x[0-9a-f]+ |$)/);
  // Each line begins with the entry's pointer.
  return parseMap(answer.replaceAll(/^0x[0-9a-f]+ /gm, ""));
}

const QUIET = /^$/;
const WORD = /^[\x21-\x7e]+$/;

/** Makes the live map hold exactly `wanted`: changed lines are set in place, so that no request meets a gap. */
export async function syncMap(socketPath: string, map: string, wanted: readonly RouteEntry[]): Promise<void> {
  for (const { key, value } of wanted) if (!WORD.test(key) || !WORD.test(value) || key.includes(";") || value.includes(";")) throw new Fault("BAD_ROUTE", `${key} cannot be said on the socket`);
  const live = await liveMap(socketPath, map);
  const times = new Map<string, number>();
  for (const { key } of live) times.set(key, (times.get(key) ?? 0) + 1);
  const values = new Map(live.map(({ key, value }) => [key, value]));
  const kept = new Set(wanted.map(({ key }) => key));
  for (const { key, value } of wanted) {
    const count = times.get(key) ?? 0;
    if (count > 1) {
      await demand(socketPath, `del map ${map} ${key}`, QUIET);
      await demand(socketPath, `add map ${map} ${key} ${value}`, QUIET);
    } else if (count === 0) await demand(socketPath, `add map ${map} ${key} ${value}`, QUIET);
    else if (values.get(key) !== value) await demand(socketPath, `set map ${map} ${key} ${value}`, QUIET);
  }
  for (const key of times.keys()) if (!kept.has(key)) await demand(socketPath, `del map ${map} ${key}`, QUIET);
}

/** Paths of the certificates the gateway presents, as its list has them now. */
export async function liveCertificates(socketPath: string, list: string): Promise<readonly string[]> {
  const answer = await ask(socketPath, `show ssl crt-list ${list}`);
  return answer.split("\n").map((line) => line.split(" ")[0] ?? "").filter((path) => path.startsWith("/"));
}

/** SHA-1 fingerprint of a loaded certificate, upper-case hexadecimal; undefined when it is not loaded. */
export async function liveFingerprint(socketPath: string, path: string): Promise<string | undefined> {
  return /^SHA1 FingerPrint: ([0-9A-F]+)$/m.exec(await ask(socketPath, `show ssl cert ${path}`))?.[1];
}

export async function presentCertificate(socketPath: string, list: string, path: string, pem: string): Promise<void> {
  const known = (await liveFingerprint(socketPath, path)) !== undefined;
  if (!known) await demand(socketPath, `new ssl cert ${path}`, /New empty certificate store/);
  await demand(socketPath, `set ssl cert ${path} <<\n${pem.trim()}\n`, /Transaction (created|updated)/);
  await demand(socketPath, `commit ssl cert ${path}`, /Success!/);
  if (!(await liveCertificates(socketPath, list)).includes(path)) await demand(socketPath, `add ssl crt-list ${list} ${path}`, /Success!/);
}

export async function withdrawCertificate(socketPath: string, list: string, path: string): Promise<void> {
  if ((await liveCertificates(socketPath, list)).includes(path)) await demand(socketPath, `del ssl crt-list ${list} ${path}`, /deleted/);
  if ((await liveFingerprint(socketPath, path)) !== undefined) await demand(socketPath, `del ssl cert ${path}`, /deleted/);
}
