import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Fault, writeFileAtomic } from "../kernel/index.ts";
import type { WitnessStanding } from "./asker.ts";

/** What a log's side keeps of its witnesses from one run to the next. Its loss costs a question to each witness, no truth. */
export interface Kept {
  /** The largest checkpoint that enough had cosigned, with their lines. */
  readonly note: string | null;
  readonly standings: readonly WitnessStanding[];
  readonly required: number;
  readonly present: number;
  /** Entries of the checkpoint that is shown. */
  readonly size: number;
  readonly alarms: readonly string[];
}

const text = z.string().nullable();
const zKept = z.object({
  note: text,
  required: z.int(),
  present: z.int(),
  size: z.int(),
  alarms: z.array(z.string()),
  standings: z.array(z.object({ name: z.string(), vkey: z.string(), url: z.string(), size: z.int().min(0), answered: text, lastAnswer: text, lastError: text, alarm: text })),
});

/** undefined: nothing was kept yet. @throws Fault when the file is not as we write it */
export async function readKept(path: string): Promise<Kept | undefined> {
  const kept = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (kept === undefined) return undefined;
  try {
    return zKept.parse(JSON.parse(kept));
  } catch (cause) {
    throw new Fault("WITNESSES_FILE", `${path}: not as it was written`, { cause, hint: `keep ${path} as evidence, move it away, and start again` });
  }
}

export async function writeKept(path: string, kept: Kept): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(kept, null, 2)}\n`);
}
