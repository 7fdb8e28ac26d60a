/** What the demonstration's creators deploy: a site, a service in Node, one in Python, and one that misbehaves. */

export const GALLERY_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>ArtGallery</title>
<h1>ArtGallery</h1>
<p>Twelve paintings, one owner.</p>
</html>
`;

export const WORKSHOP_SERVER = `import { createServer } from "node:http";

let served = 0;
createServer((request, response) => {
  served += 1;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ shop: "Workshop", path: request.url, served, role: request.headers["x-nexus-role"] ?? null, data: process.env.GREETING ?? null }));
}).listen(Number(process.env.PORT), "0.0.0.0");
`;

/** Takes what it is told to take: processors, processes, memory, disk – and keeps answering, so that the limits can be seen from inside. */
export const GREEDY_SERVER = `import http.server, json, os, subprocess, sys, time

def burn(seconds):
    code = "import time\\nend = time.time() + %d\\nwhile time.time() < end: pass" % seconds
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    for child in children: child.wait()
    return {"burned": True}

def fork():
    born = []
    try:
        for _ in range(2000): born.append(subprocess.Popen(["/bin/sleep", "20"]))
        stopped = None
    except OSError as error:
        stopped = os.strerror(error.errno)
    count = len(born)
    for child in born: child.kill()
    for child in born: child.wait()
    return {"born": count, "stopped": stopped}

def allocate():
    child = subprocess.run([sys.executable, "-c", "held = []\\nwhile True: held.append(bytearray(8 << 20))"])
    return {"exit": child.returncode}

def fill():
    written, error = 0, None
    block = os.urandom(1 << 20)
    try:
        with open("/data/fill", "wb") as out:
            for _ in range(20000):
                out.write(block)
                out.flush()
                written += len(block)
                if written % (64 << 20) == 0: os.fsync(out.fileno())
            os.fsync(out.fileno())
    except OSError as fault:
        error = os.strerror(fault.errno)
    try: os.unlink("/data/fill")
    except OSError: pass
    return {"written": written, "error": error}

WORK = {"/burn": lambda: burn(3), "/fork": fork, "/allocate": allocate, "/fill": fill, "/": lambda: {"well": True}}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        work = WORK.get(self.path.split("/greedy")[-1] or "/")
        body = json.dumps(work() if work else {"error": "unknown"}).encode()
        self.send_response(200 if work else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
`;
