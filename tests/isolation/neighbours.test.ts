import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { get, submit } from "../../src/cli/demo/outside.ts";
import { addressOf } from "../../src/network/index.ts";
import { TestHouse } from "../harness/test-house.ts";

/** Code inside a workload, as a hostile creator would write it: it tries, and reports what happened. */
const SPY = `import http.server, json, os, socket, subprocess, urllib.parse

def attempt(what):
    try: return {"did": str(what())[:4000]}
    except BaseException as error: return {"failed": type(error).__name__ + ": " + str(error)}

def connect(host, port):
    with socket.create_connection((host, int(port)), timeout=2) as s: return "connected"

WORK = {
    "connect": lambda q: connect(q["host"], q["port"]),
    "bind": lambda q: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((q["host"], 9999)),
    "raw": lambda q: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet": lambda q: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "list": lambda q: sorted(os.listdir(q["path"])),
    "read": lambda q: open(q["path"]).read(),
    "write": lambda q: open(q["path"], "w").write("x"),
    "mknod": lambda q: os.mknod("/data/device", 0o600 | 0o060000, os.makedev(7, 0)),
    "setuid": lambda q: os.setuid(0) or os.getuid(),
    "mount": lambda q: subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp"], check=True, capture_output=True),
    "processes": lambda q: [open("/proc/%s/cmdline" % p).read().replace("\\0", " ") for p in os.listdir("/proc") if p.isdigit()],
    "status": lambda q: open("/proc/self/status").read(),
    "unshare": lambda q: subprocess.run(["unshare", "-r", "-n", "true"], check=True, capture_output=True),
}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        work = WORK.get(url.path.strip("/"))
        body = json.dumps(attempt(lambda: work(query)) if work else {"well": True}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
`;

test("a hostile workload reaches nothing of its neighbour", async (t) => {
  await using house = await TestHouse.start();
  const good = await house.creator("creator-good");
  const evil = await house.creator("creator-evil");
  const victim = await house.unit(good, "Victim");
  const spy = await house.unit(evil, "Spy");
  const folder = join(house.root, "spy");
  await mkdir(folder);
  await writeFile(join(folder, "server.py"), SPY);
  await evil.call.ok("deploy", "--imvu-id", spy.imvu.id, "--dir", folder, "--service", "web");
  const http = house.status.listen.gatewayHttp;
  const ask = async (what: string, query: Record<string, string> = {}): Promise<{ did?: string; failed?: string }> =>
    JSON.parse((await get(http, spy.imvu.zone, `/${what}?${new URLSearchParams(query)}`)).body);
  const fails = async (what: string, query: Record<string, string> = {}) => {
    const answer = await ask(what, query);
    assert.ok(answer.failed, `${what} ${JSON.stringify(query)}: ${answer.did}`);
  };

  await t.test("it cannot reach the neighbour's private port, the router's ends, or the machine's loopback", async () => {
    assert.equal((await get(http, victim.imvu.zone, "/")).status, 200, "the neighbour answers through the gateway");
    await fails("connect", { host: addressOf(1), port: "8080" });
    for (const name of ["api", "dns", "smtp", "imap", "gatewayHttp"]) {
      const [, port] = house.status.listen[name].split(":");
      await fails("connect", { host: "127.0.0.1", port });
    }
    await fails("connect", { host: "192.0.2.1", port: "80" });
  });
  await t.test("it cannot take the neighbour's address or open raw sockets", async () => {
    await fails("bind", { host: addressOf(1) });
    await fails("raw");
    await fails("packet");
  });
  await t.test("it sees its own processes and files only", async () => {
    const processes = (await ask("processes")).did ?? "";
    assert.ok(!/postgres|knotd|haproxy|dovecot|main\.ts/.test(processes), processes);
    for (const path of [house.home, "/root", "/var/lib/postgresql", join(house.home, "platform")]) await fails("list", { path });
    await fails("write", { path: "/srv/owned" });
    await fails("write", { path: "/etc/owned" });
    await fails("read", { path: "/etc/shadow" });
  });
  await t.test("it has no privileges to escape with", async () => {
    for (const what of ["mknod", "mount", "unshare"]) await fails(what);
    const status = (await ask("status")).did ?? "";
    assert.match(status, /CapEff:\s+0000000000000000/);
    assert.match(status, /NoNewPrivs:\s+1/);
    assert.match(status, /Seccomp:\s+2/);
  });
  await t.test("its owner's key opens nothing of the neighbour over the API, and every command is refused and recorded", async () => {
    const id = victim.imvu.id;
    for (const args of [["imvu", "show", id], ["dns", "list", "--imvu-id", id], ["route", "list", "--imvu-id", id], ["ledger", "entries", "--imvu-id", id], ["statement", "show", "--imvu-id", id], ["service", "logs", "web", "--imvu-id", id], ["dns", "export", "--imvu-id", id]]) {
      const refused = await evil.call.refused(4, /^NO_SUCH_IMVU$/, ...args);
      const absent = await evil.call.refused(4, /^NO_SUCH_IMVU$/, ...args.map((word) => (word === id ? "IMVU-999" : word)));
      assert.equal(refused.message.replace(id, ""), absent.message.replace("IMVU-999", ""), "a stranger cannot tell a foreign unit from none");
    }
    const commands = [
      ["imvu", "scale", "--imvu-id", id, "--cpu", "0.1"],
      ["dns", "set", "--imvu-id", id, "--name", "www", "--type", "A", "--value", "203.0.113.66"],
      ["service", "remove", "web", "--imvu-id", id],
      ["route", "remove", "--imvu-id", id, "--host", victim.imvu.zone],
      ["mail", "mailbox", "remove", "--imvu-id", id, "--address", victim.mail.address],
      ["imvu", "exit", "--imvu-id", id, "--export-path", join(house.root, "stolen")],
    ];
    for (const args of commands) {
      const error = await evil.call.refused(3, /^GATE_/, ...args);
      assert.equal(typeof error.ledgerIndex, "number", `${args.join(" ")} left no entry`);
    }
    const entries = (await good.call.ok("ledger", "entries", "--imvu-id", id)).entries as { type: string }[];
    assert.equal(entries.filter((entry) => entry.type === "command.refused").length, commands.length, "the owner sees every attempt in her stream");
  });
  await t.test("it cannot claim names of the neighbour's zone or send mail as the neighbour", async () => {
    await evil.call.refused(3, /^GATE_/, "dns", "set", "--imvu-id", spy.imvu.id, "--name", `x.${victim.imvu.zone}.`, "--type", "A", "--value", "203.0.113.66");
    await evil.call.refused(3, /^GATE_/, "route", "set", "--imvu-id", spy.imvu.id, "--class", "public", "--host", `x.${victim.imvu.zone}`, "--service", "web");
    await evil.call.refused(3, /^GATE_/, "mail", "mailbox", "create", "--imvu-id", spy.imvu.id, "--address", `admin@${victim.imvu.zone}`);
    const spoof = await submit(house.status.listen.smtp, undefined, { envelopeFrom: victim.mail.address, from: victim.mail.address, to: spy.mail.address, subject: "spoof", text: "x" });
    assert.ok(!spoof.accepted && /^55\d/.test(spoof.response), spoof.response);
  });
});
