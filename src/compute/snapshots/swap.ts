import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { removeTree, settleOnDisk, snapshotOf } from "../envelopes/subvolumes.ts";

/**
 * Puts other data in the place of what a volume holds. There is no exchange of two names in one step, so the order is such that a crash
 * anywhere leaves the old data or the new under `data`, or what settleRestore ends before anything runs on it:
 *
 *     data                     incoming-T.new      half-made: goes
 *     data                     incoming-T          whole, not in place yet: goes, and is made again by whoever finishes the command
 *               aside-T        incoming-T          between two names: incoming-T becomes data
 *     data      aside-T                            in place; aside-T is what was there, until the command lets it go
 *               aside-T                            between the names of an undo: aside-T becomes data
 *
 * T belongs to one command. Whoever runs it again finds what was there under its own token and leaves it as it is.
 */
const INCOMING = "incoming-";
const ASIDE = "aside-";
const UNFINISHED = ".new";

/** @param owner of the volume's folders */
export async function putInPlace(root: string, captured: string, token: string, owner: number): Promise<void> {
  await settleRestore(root);
  await emptyDiscard(root, token);
  const [data, incoming, aside] = [join(root, "data"), join(root, `${INCOMING}${token}`), asideOf(root, token)];
  const beside = `${incoming}${UNFINISHED}`;
  await mkdir(beside, { mode: 0o700 });
  await chown(beside, owner, owner);
  await chmod(beside, 0o700);
  for (const name of (await readdir(captured)).sort()) await snapshotOf(join(captured, name), join(beside, name), "writable");
  await rename(beside, incoming);
  // A second run: what stands under `data` came by the first, and is nowhere else because it is in the snapshot.
  await rename(data, existsSync(aside) ? discardIn(root, token) : aside);
  await rename(incoming, data);
  await settleOnDisk(root);
  await removeTree(discardIn(root, token));
}

export async function putBack(root: string, token: string): Promise<void> {
  await settleRestore(root);
  const aside = asideOf(root, token);
  if (!existsSync(aside)) return;
  await emptyDiscard(root, token);
  await rename(join(root, "data"), discardIn(root, token));
  await rename(aside, join(root, "data"));
  await settleOnDisk(root);
  await removeTree(discardIn(root, token));
}

/** From the rename on nothing is set aside any more; how far the rest comes does not matter. */
export async function letGo(root: string, token: string): Promise<void> {
  const aside = asideOf(root, token);
  if (!existsSync(aside)) return;
  await emptyDiscard(root, token);
  await settleOnDisk(root);
  await rename(aside, discardIn(root, token));
  await removeTree(discardIn(root, token)).catch(() => {});
}

export function isSetAside(root: string, token: string): boolean {
  return existsSync(asideOf(root, token));
}

export async function isUnsettled(root: string): Promise<boolean> {
  const names = await readdir(root).catch(() => [] as string[]);
  return names.some((name) => name.startsWith(INCOMING)) || (!names.includes("data") && names.some((name) => name.startsWith(ASIDE)));
}

export async function settleRestore(root: string): Promise<void> {
  for (const name of await readdir(root)) if (name.startsWith(INCOMING) && name.endsWith(UNFINISHED)) await removeTree(join(root, name));
  const data = join(root, "data");
  for (const name of await readdir(root)) {
    if (!name.startsWith(INCOMING)) continue;
    if (existsSync(data)) await removeTree(join(root, name));
    else await rename(join(root, name), data);
  }
  const [aside] = existsSync(data) ? [] : (await readdir(root)).filter((name) => name.startsWith(ASIDE));
  if (aside !== undefined) await rename(join(root, aside), data);
}

async function emptyDiscard(root: string, token: string): Promise<void> {
  await mkdir(join(root, "scratch"), { recursive: true, mode: 0o700 });
  await removeTree(discardIn(root, token));
}

function asideOf(root: string, token: string): string {
  return join(root, `${ASIDE}${token}`);
}

function discardIn(root: string, token: string): string {
  return join(root, "scratch", `replaced-${token}`);
}
