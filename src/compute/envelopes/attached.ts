import { readdirSync, readFileSync } from "node:fs";
import { type Loop, loopBehind, SYS_BLOCK } from "./loop.ts";
import { type Mount, parseMountInfo } from "./mounts.ts";

/** Which device stands behind which image and what is mounted where, for all volumes at one instant: tables of the whole machine, so read once for all who ask. */
export interface Attached {
  /** Names of loop devices by the image file. */
  readonly loops: ReadonlyMap<string, string>;
  /** The topmost mount at each place. */
  readonly mounts: ReadonlyMap<string, Mount>;
}

/** @param folder the volumes' own; nothing else is of interest */
export function readAttached(folder: string): Attached {
  const loops = readdirSync(SYS_BLOCK).flatMap((name) => {
    const image = name.startsWith("loop") ? loopBehind(name) : undefined;
    return image?.startsWith(`${folder}/`) ? [[image, name] as const] : [];
  });
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter((line) => line.includes(`${folder}/`));
  return { loops: new Map(loops), mounts: new Map(parseMountInfo(lines.join("\n")).map((mount) => [mount.target, mount])) };
}

/** The device as it is now; undefined where another image, or none, has come behind it since. */
export function loopNow({ loops }: Attached, image: string): Loop | undefined {
  const name = loops.get(image);
  if (name === undefined || loopBehind(name) !== image) return undefined;
  const text = (file: string) => readFileSync(`${SYS_BLOCK}/${name}/${file}`, "utf8").trim();
  return { name, path: `/dev/${name}`, device: text("dev"), sequence: text("diskseq") };
}
