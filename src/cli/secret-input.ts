import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { accept, type Outcome, refuse } from "../kernel/index.ts";

/** How a secret is called, by which code a bad file is refused, and how long one may be. */
export interface SecretKind {
  readonly what: string;
  readonly code: string;
  readonly bytes_max: number;
}

/** One line of a file that only its owner can read. */
export async function secretFile(path: string, named: string, { what, code, bytes_max }: SecretKind): Promise<Outcome<string>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!file) return refuse("usage", code, `${named}: ${path} cannot be read`, `name a file of yours that holds ${what} on one line`);
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) return refuse("usage", code, `${named}: others can read ${path}`, `run 'chmod 600 ${path}'`);
    if (size > bytes_max) return refuse("usage", code, `${named}: ${path} has ${size} bytes, at most ${bytes_max}`, `put ${what} alone into it, on one line`);
    return accept((await file.readFile("utf8")).replace(/\r?\n$/, ""));
  } finally {
    await file.close();
  }
}

const [ENTER, NEWLINE, INTERRUPT, END, BACKSPACE, DELETE] = ["\r", "\n", "\u0003", "\u0004", "\b", "\u007f"];

/** One line of the terminal that is not shown while it is typed. */
export async function typedSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let line: string[] = [];
      const hear = (text: string) => {
        for (const character of text) {
          if (character === ENTER || character === NEWLINE || character === END) {
            stdin.off("data", hear);
            resolve(line.join(""));
            return;
          }
          if (character === INTERRUPT) {
            stdin.off("data", hear);
            reject(new Error("interrupted"));
            return;
          }
          if (character === BACKSPACE || character === DELETE) line = line.slice(0, -1);
          else line.push(character);
        }
      };
      stdin.on("data", hear);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
