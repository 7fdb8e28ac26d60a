import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Evidence, type GateNumber, imvuUidBase } from "../contract/index.ts";
import { type ImvuId, imvuNumberOf, messageOf, parseImvuId, run } from "../kernel/index.ts";
import type { MailParts } from "./parts.ts";
import { probeAttribution } from "./identity-binding/probe-attribution.ts";
import { lookUpUser } from "./imap/auth-lookup.ts";
import { boxesOf } from "./layout.ts";
import { boxesOnDisk, isPrivateTo, observeMail } from "./observe.ts";
import { isOpenAs } from "./plan.ts";

export const MAIL_PROBES: readonly GateNumber[] = [5, 7, 11, 14, 16];

export async function probeMail(parts: MailParts, gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence> {
  try {
    switch (gate) {
      case 5:
        return await probeAttribution(parts, imvu);
      // One comparison answers three questions: what is served is what was ordered, quotas included, and nothing else is.
      case 7:
      case 11:
      case 14:
        return await eachImvu(await imvusOf(parts, imvu), (one) => probeOrders(parts, one));
      case 16:
        return await eachImvu(await imvusOf(parts, imvu), (one) => probeBoxes(parts, one));
      default:
        return { verdict: "unproven", detail: `mail has no probe for gate ${gate}` };
    }
  } catch (error) {
    return { verdict: "unproven", detail: `mail could not be asked: ${messageOf(error)}` };
  }
}

/** Where each IMVU's mail goes and how much it may keep, asked of the engines, against the owner's last order. */
async function probeOrders({ site, layout, directory, desiredOf }: MailParts, imvu: ImvuId): Promise<Evidence> {
  const desired = desiredOf?.(imvu);
  if (!desired) return { verdict: "unproven", detail: `${imvu}: nobody told mail what is ordered` };
  const observed = await observeMail(site, layout, directory, imvu);
  const wrong = [
    ...(observed.domains.includes(desired.domain) ? [] : [`${desired.domain} takes no mail`]),
    ...observed.domains.filter((domain) => domain !== desired.domain).map((domain) => `${domain} takes mail and is not ordered`),
    ...desired.mailboxes.filter((mailbox) => !observed.mailboxes.some((is) => is.address === mailbox.address && isOpenAs(is, mailbox))).map(({ address }) => `${address} is not served as ordered`),
    ...observed.mailboxes.filter((is) => !desired.mailboxes.some((mailbox) => mailbox.address === is.address)).map(({ address }) => `${address} exists and is not ordered`),
  ];
  if (wrong.length > 0) return { verdict: "broken", detail: `${imvu}: ${wrong.join("; ")}` };
  return { verdict: "holds", detail: `${imvu}: Postfix and Dovecot serve ${desired.domain} and ${desired.mailboxes.length} mailboxes as ordered, with their quotas, and no others` };
}

/** Boxes belong to their IMVU's user alone, as the file system and an actual attempt of a neighbour's user say. */
async function probeBoxes({ site, layout }: MailParts, imvu: ImvuId): Promise<Evidence> {
  const uid = imvuUidBase(site, imvuNumberOf(imvu));
  const stranger = imvuUidBase(site, imvuNumberOf(imvu) - 1);
  const addresses = await boxesOnDisk(layout, imvu);
  if (addresses.length === 0) return { verdict: "unproven", detail: `${imvu}: has no mailbox to look at` };
  for (const address of addresses) {
    const box = join(boxesOf(layout, imvu), address);
    const user = await lookUpUser(layout, address);
    if (user && (Number(user.uid) !== uid || user.home !== box)) return { verdict: "broken", detail: `${address}: Dovecot opens ${user.home} as user ${user.uid}, not ${box} as ${uid}` };
    if (!(await isPrivateTo(box, uid))) return { verdict: "broken", detail: `${box} is open to others than user ${uid}` };
    const tried = await run(["/bin/ls", "-A", box], { uid: stranger, gid: stranger, cwd: "/" });
    if (tried.code === 0) return { verdict: "broken", detail: `user ${stranger} could list ${box}` };
    const own = await run(["/bin/ls", "-A", box], { uid, gid: uid, cwd: "/" });
    if (own.code !== 0) return { verdict: "unproven", detail: `user ${uid} cannot list ${box} either: ${own.stderr.trim()}` };
  }
  return { verdict: "holds", detail: `${imvu}: ${addresses.length} boxes belong to user ${uid} alone; user ${stranger} was refused at each` };
}

async function imvusOf({ layout, directory }: MailParts, imvu: ImvuId | undefined): Promise<readonly ImvuId[]> {
  if (imvu) return [imvu];
  const onDisk = (await readdir(layout.boxes).catch(() => [])).flatMap((name) => {
    const parsed = parseImvuId(name);
    return parsed.ok ? [parsed.value] : [];
  });
  return [...new Set([...directory.imvus(), ...onDisk])].sort();
}

/** The worst of all: broken before unproven before holds. */
async function eachImvu(imvus: readonly ImvuId[], probe: (imvu: ImvuId) => Promise<Evidence>): Promise<Evidence> {
  if (imvus.length === 0) return { verdict: "unproven", detail: "no IMVU has mail" };
  const seen: Evidence[] = [];
  for (const imvu of imvus) seen.push(await probe(imvu));
  return seen.find((one) => one.verdict === "broken") ?? seen.find((one) => one.verdict === "unproven") ?? { verdict: "holds", detail: seen.map((one) => one.detail).join("; ") };
}
