import { accept, type Outcome, refuse } from "../../kernel/index.ts";
import type { Runtime } from "./recipe.ts";
import { safePath } from "./tar-path.ts";

/**
 * What a runtime runs. Pure: decided by the names in the content's top folder and its package.json.
 *
 * - static: everything is served as it is.
 * - node: the FILE of `"start": "node FILE"` in package.json; else its `main`; else server.js, server.mjs, index.js, index.mjs.
 *   Nothing is installed and no other command is run: modules are deployed with the content.
 * - python: server.py, app.py, main.py.
 */
export function commandFor(runtime: Runtime, has: (path: string) => boolean, packageJson: string | undefined): Outcome<readonly string[]> {
  switch (runtime) {
    case "static":
      // The port is expanded by nobody but this fixed script; PORT is in the environment.
      return accept(["/bin/sh", "-c", 'exec busybox httpd -f -p "$PORT" -h /srv -c /etc/httpd.conf']);
    case "node": {
      const asked = packageJson === undefined ? undefined : fileOf(packageJson);
      if (asked !== undefined && !asked.ok) return asked;
      const file = asked?.value ?? ["server.js", "server.mjs", "index.js", "index.mjs"].find(has);
      if (file === undefined) return missing("node", "server.js, or a package.json with \"main\" or \"start\": \"node FILE\"");
      if (!has(file)) return refuse("usage", "NO_ENTRY_POINT", `package.json names ${JSON.stringify(file)}, which is not there`, "deploy the folder that holds it");
      return accept(["/usr/local/bin/node", `/srv/${file}`]);
    }
    case "python": {
      const file = ["server.py", "app.py", "main.py"].find(has);
      return file === undefined ? missing("python", "server.py, app.py or main.py") : accept(["/usr/bin/python3", `/srv/${file}`]);
    }
  }
}

function missing(runtime: string, what: string): Outcome<never> {
  return refuse("usage", "NO_ENTRY_POINT", `the ${runtime} runtime finds nothing to run: it looks for ${what}`, "deploy the folder that holds it");
}

/** The file that package.json names; undefined when it names none. */
function fileOf(text: string): Outcome<string | undefined> {
  const bad = (why: string) => refuse("usage", "BAD_PACKAGE_JSON", `package.json ${why}`, "correct it and deploy again");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return bad("is not JSON");
  }
  const { main, scripts } = (parsed ?? {}) as { main?: unknown; scripts?: { start?: unknown } };
  const start = scripts?.start;
  const named = typeof start === "string" ? /^node\s+(?!-)(\S+)$/.exec(start.trim())?.[1] : undefined;
  if (typeof start === "string" && named === undefined) return bad(`has "start": ${JSON.stringify(start.slice(0, 80))}; only "node FILE" is run`);
  const file = named ?? (typeof main === "string" && main !== "" ? main : undefined);
  if (file === undefined) return accept(undefined);
  try {
    return accept(safePath(file));
  } catch {
    return bad(`names ${JSON.stringify(file.slice(0, 80))}, which is not a file inside the folder`);
  }
}
