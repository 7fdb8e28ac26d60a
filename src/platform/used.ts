import type { Command, Imvu } from "../contract/index.ts";
import type { UsedFacts } from "../core/policy-engine/index.ts";
import type { MailAddress } from "../kernel/index.ts";
import type { Rooms } from "./rooms.ts";

/** What an IMVU uses right now, asked of its engines, for gates that compare with it. */
export async function usedOf(rooms: Rooms, imvu: Imvu, command: Command): Promise<UsedFacts> {
  const readings = await rooms.compute.fabric.meter(imvu.id);
  const level = (resource: string) => Number(readings.find((reading) => reading.resource === resource)?.value ?? Number.NaN);
  const memoryBytes = level("compute.memory");
  const storageBytes = level("compute.storage");
  const processes = await rooms.compute.processes(imvu.id);
  if (![memoryBytes, storageBytes, processes].every(Number.isFinite)) throw new TypeError(`the engines of ${imvu.id} do not say what it uses`);
  const mailboxMessages = command.op === "mail.mailbox.remove" ? await messagesIn(rooms, imvu, command.params.address) : null;
  return { memoryBytes, storageBytes, processes, mailboxMessages };
}

/** A mailbox that does not exist holds nothing that could be lost; that there is none is said later, as not found. */
async function messagesIn(rooms: Rooms, imvu: Imvu, address: MailAddress): Promise<number> {
  return imvu.mailboxes.some((box) => box.address === address) ? await rooms.mail.messagesIn(imvu.id, address) : 0;
}
