import { parseSha256, type Sha256, sha256File } from "../kernel/index.ts";
import { usageFailure } from "./failure.ts";

/** SHA-256 of a document that a command names and does not hold: from the file itself, or given where that lies elsewhere. */
export async function digestOf(flag: string, file: string | undefined, digest: string | undefined, what: string): Promise<Sha256> {
  if ((file === undefined) === (digest === undefined)) throw usageFailure(`--${flag}: exactly one of --${flag} FILE and --${flag}-sha256 DIGEST is needed`, `name the file with ${what}: --${flag} FILE`);
  if (file !== undefined) {
    return await sha256File(file).catch((error: Error) => {
      throw usageFailure(`--${flag}: ${file} cannot be read: ${error.message}`, "name a file of yours");
    });
  }
  const parsed = parseSha256(digest ?? "");
  if (!parsed) throw usageFailure(`--${flag}-sha256: must be 64 lower-case hexadecimal digits (SHA-256)`, "sha256sum FILE prints them");
  return parsed;
}
