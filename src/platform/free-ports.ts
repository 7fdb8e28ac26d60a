import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { Ports } from "../contract/index.ts";
import { Fault } from "../kernel/index.ts";

const PORT_NAMES = ["api", "gatewayHttp", "gatewayHttps", "dns", "resolver", "smtp", "submission", "submissions", "imap", "imaps"] as const satisfies (keyof Ports)[];
const PORT_TRIES_MAX = 200;

/** True when TCP and UDP `port` can both be bound on `address` right now. */
export async function isPortFree(address: string, port: number): Promise<boolean> {
  const tcp = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
  if (!tcp) return false;
  return await new Promise<boolean>((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}

/** Distinct free ports between 20000 and 32000: below Linux's ephemeral range, so that no client connection takes one in between. */
export async function allocatePorts(address: string, random: () => number, keep?: Ports): Promise<Ports> {
  const taken = new Set<number>();
  const chosen: Record<string, number> = {};
  for (const name of PORT_NAMES) {
    const kept = keep?.[name];
    if (kept !== undefined && (await isPortFree(address, kept))) {
      chosen[name] = kept;
      taken.add(kept);
      continue;
    }
    let port = 0;
    for (let tries = 0; port === 0; tries += 1) {
      if (tries > PORT_TRIES_MAX) throw new Fault("NO_FREE_PORT", `no free port for ${name} on ${address} after ${PORT_TRIES_MAX} tries`);
      const candidate = 20_000 + Math.floor(random() * 12_000);
      if (!taken.has(candidate) && (await isPortFree(address, candidate))) port = candidate;
    }
    taken.add(port);
    chosen[name] = port;
  }
  return chosen as unknown as Ports;
}
