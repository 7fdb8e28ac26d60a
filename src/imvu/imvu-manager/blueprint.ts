import { pack } from "tar-stream";
import { Buffer } from "node:buffer";

/** The page a new IMVU answers with until its owner deploys: deterministic tars, so that their digest is a fact. */
export type Runtime = "static" | "node" | "python";
export const RUNTIMES: readonly Runtime[] = ["static", "node", "python"];

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>It works</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; color: #1d2430; background: #fbfaf7 }
  code { background: #eceae4; padding: .1em .4em; border-radius: .3em }
</style>
<h1>It works.</h1>
<p>This unit is running, and it is yours. Put your own site here with</p>
<p><code>nexus deploy --imvu-id ID --dir PATH</code></p>
</html>
`;

const NODE_SERVER = `import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const page = readFileSync(new URL("index.html", import.meta.url));
createServer((request, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8").end(page);
}).listen(Number(process.env.PORT), "0.0.0.0");
`;

const PYTHON_SERVER = `import http.server, os

os.chdir(os.path.dirname(os.path.abspath(__file__)))
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
`;

const FILES: Record<Runtime, Readonly<Record<string, string>>> = {
  static: { "index.html": PAGE },
  node: { "index.html": PAGE, "package.json": '{"type":"module","main":"server.js"}\n', "server.js": NODE_SERVER },
  python: { "index.html": PAGE, "server.py": PYTHON_SERVER },
};

export async function blueprintTar(runtime: Runtime): Promise<Buffer> {
  const archive = pack();
  for (const [name, text] of Object.entries(FILES[runtime])) archive.entry({ name, mode: 0o644, mtime: new Date(0) }, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
