import type { Command, Imvu } from "../contract/index.ts";
import type { UsedFacts } from "../core/policy-engine/index.ts";
import type { Rooms } from "./rooms.ts";

/** What an IMVU uses right now, asked of its engines, for gates that compare with it. */
export async function usedOf(rooms: Rooms, imvu: Imvu, command: Command): Promise<UsedFacts> {
  const readings = await rooms.compute.fabric.meter(imvu.id);
  const level = (resource: string) => Number(readings.find((reading) => reading.resource === resource)?.value ?? Number.NaN);
  const memoryBytes = level("compute.memory");
  const storageBytes = level("compute.storage");
  const processes = await rooms.compute.processes(imvu.id);
  if (![memoryBytes, storageBytes, processes].every(Number.isFinite)) throw new TypeError(`the engines of ${imvu.id} do not say what it uses`);
  const mailboxMessages = command.op === "mail.mailbox.remove" ? await rooms.mail.messagesIn(imvu.id, command.params.address) : null;
  return { memoryBytes, storageBytes, processes, mailboxMessages };
}
