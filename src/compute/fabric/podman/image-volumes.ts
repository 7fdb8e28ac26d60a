import { chmod, lchown, lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../../kernel/index.ts";

/** Hidden in the service's own data, so that it counts against the volume and leaves with the IMVU. */
const FOLDER = ".volumes";

/** A folder on the IMVU's volume for each VOLUME of an image: the engine would put them on the machine's own disk, without a limit. */
export async function ensureImageVolumes(dataPath: string, uidBase: number, paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const folders: Record<string, string> = {};
  for (const path of paths) {
    const name = path.replace(/^\/|\/$/g, "").replaceAll("/", "%");
    for (const folder of [join(dataPath, FOLDER), join(dataPath, FOLDER, name)]) {
      await mkdir(folder, { mode: 0o777 }).then(
        async () => {
          await lchown(folder, uidBase, uidBase);
          await chmod(folder, 0o777);
        },
        async (error: NodeJS.ErrnoException) => {
          // The service could write here before: what is there must be a folder and nothing that leads elsewhere.
          if (error.code !== "EEXIST" || !(await lstat(folder)).isDirectory()) throw new Fault("IMAGE_VOLUME", `the volume holds something else where the image wants ${path}`);
        },
      );
    }
    folders[path] = join(dataPath, FOLDER, name);
  }
  return folders;
}
