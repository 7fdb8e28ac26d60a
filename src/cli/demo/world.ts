import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../kernel/index.ts";
import { Caller, type Printed } from "./driver.ts";
import type { Login } from "./outside.ts";

/** What the steps of the life hand on to each other. */
export interface World {
  readonly root: string;
  /** The first platform's operator; its home is the platform's home. */
  readonly operator: Caller;
  /** A second, fresh platform to arrive at. */
  readonly elsewhere: Caller;
  /** Creators in homes of their own; they know the platform only by its address. */
  artist: Caller;
  artisan: Caller;
  /** `nexus status` of the first platform. */
  status: Printed;
  gallery: Printed;
  workshop: Printed;
  ca: string;
  bundle: string;
}

export interface LifeStep {
  readonly name: string;
  /** Does it with real parts and returns what was seen, in a sentence. Throws when anything is otherwise. */
  readonly run: (world: World) => Promise<string>;
}

export const ARTIST = "creator-8891";
export const ARTISAN = "creator-7702";
/** Of the letter that is sent, and found again elsewhere. */
export const SUBJECT = "A frame for the blue one";
export const VERDICTS = 17;

export async function openWorld(root: string): Promise<World> {
  for (const folder of ["a", "b", "artist", "artisan", "work"]) await mkdir(join(root, folder), { recursive: true, mode: 0o711 });
  return {
    root,
    operator: new Caller(join(root, "a")),
    elsewhere: new Caller(join(root, "b")),
    artist: new Caller(join(root, "artist")),
    artisan: new Caller(join(root, "artisan")),
    status: undefined,
    gallery: undefined,
    workshop: undefined,
    ca: "",
    bundle: "",
  };
}

export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Fault("EXPECTED", what, { hint: "this is what the life of an IMVU promises; something is broken" });
}

/** Writes a small project to deploy and returns its folder. */
export async function project(world: World, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(world.root, "work", name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

export async function loginOf(world: World, created: Printed): Promise<Login> {
  return {
    address: created.mail.address,
    password: (await readFile(created.mail.passwordFile, "utf8")).trim(),
    ca: world.ca,
    servername: created.mail.servername,
  };
}

/** Asks again until `look` is satisfied: for deliveries and restarts that engines do in their own time. */
export async function eventually<T>(what: string, limit_ms: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Fault("EXPECTED", `${what}: not within ${limit_ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
