import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { namespaceNameOf, type NetworkDesired, type Route, routerNamespaceNameOf } from "../../src/contract/index.ts";
import { type Fqdn, type IdentityName, imvuIdOf, run, runOk, type ServiceName, sleep, start } from "../../src/kernel/index.ts";
import { addressOf, openNetworkRoom, resolverAddressOf } from "../../src/network/index.ts";
import { superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";
import { started } from "../harness/started.ts";

const scratch = await ScratchSite.create();
const { site } = scratch;
const desired = new Map<string, NetworkDesired>();
const room = await openNetworkRoom({ site, desiredOf: (imvu) => desired.get(imvu) });
const servers: ReturnType<typeof start>[] = [];
let engines: Awaited<ReturnType<typeof superviseEngines>> | undefined;

const SERVICE_PORT = 8080;
/** Runs inside an IMVU: answers with who it is and what it was asked. */
const SERVICE = `require("node:http").createServer((q,s)=>{let n=0;q.on("data",(d)=>{n+=d.length});q.on("end",()=>{s.setHeader("content-type","application/json");
const b=q.url.endsWith("/bulk")?"x".repeat(1e6):"";s.end(JSON.stringify({who:process.argv[1],url:q.url,headers:q.headers,n,b}))})}).listen(${SERVICE_PORT},"0.0.0.0",()=>console.log("up"))`;

function route(number: number, path: string, kind: Route["class"], more: Partial<Route> = {}): Route {
  const host = `imvu00${number}.world` as Fqdn;
  return { class: kind, host, path, service: "web" as ServiceName, port: SERVICE_PORT, role: kind === "restricted" ? "maintainer" : null, ratePerMinute: null, ...more };
}

function unit(number: number, routes: readonly Route[], bandwidthBps = 200_000_000): NetworkDesired {
  return { imvu: imvuIdOf(number), number, zone: `imvu00${number}.world` as Fqdn, bandwidthBps, routes };
}

async function apply(number: number, wanted: NetworkDesired | undefined): Promise<readonly string[]> {
  const imvu = imvuIdOf(number);
  const steps = room.fabric.plan(imvu, wanted, await room.fabric.observe(imvu));
  for (const step of steps) await step.do();
  if (wanted) desired.set(imvu, wanted);
  else desired.delete(imvu);
  return steps.map((step) => step.key);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** The path is sent as it is: a client that normalises would hide what is being tried. */
async function ask(path: string, options: { host?: string; tls?: boolean; sni?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  const host = options.host ?? "imvu001.world";
  const ca = options.tls ? await readFile(room.certificateAuthority.caFile) : undefined;
  return await new Promise((resolve, reject) => {
    const shared = { host: "127.0.0.1", path, method: options.body === undefined ? "GET" : "POST", agent: false as const, headers: { Host: host, ...options.headers } };
    const request = options.tls
      ? httpsRequest({ ...shared, port: site.ports.gatewayHttps, servername: options.sni ?? host, ...(ca ? { ca } : {}) })
      : httpRequest({ ...shared, port: site.ports.gatewayHttp });
    request.on("error", reject);
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    request.end(options.body);
  });
}

function insideOf(number: number, ...argv: [string, ...string[]]) {
  return run(["/usr/bin/nsenter", `--net=/run/netns/${namespaceNameOf(site, number)}`, "--", ...argv]);
}

async function serve(number: number): Promise<void> {
  const child = start(["/usr/bin/nsenter", `--net=/run/netns/${namespaceNameOf(site, number)}`, "--", process.execPath, "-e", SERVICE, `unit-${number}`], { stdio: ["ignore", "pipe", "inherit"] });
  servers.push(child);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
}

before(async () => {
  await room.open();
  engines = await superviseEngines(site, room.engines, () => {});
  await apply(1, unit(1, [route(1, "/", "public"), route(1, "/inner", "private"), route(1, "/desk", "restricted"), route(1, "/slow", "public", { ratePerMinute: 3 })]));
  await apply(2, unit(2, [route(2, "/", "public"), route(2, "/inner", "private")]));
  await Promise.all([serve(1), serve(2)]);
});

after(async () => {
  for (const child of servers) child.kill("SIGKILL");
  await engines?.stop();
  await room.close();
  const left = (await readdir("/run/netns").catch(() => [] as string[])).filter((name) => name.startsWith(`nx${site.homeId}`));
  await scratch[Symbol.asyncDispose]();
  assert.deepEqual(left, []);
});

test("a plan of what stands is empty", async () => {
  assert.deepEqual(await apply(1, desired.get("IMVU-001")), []);
  assert.equal(addressOf(1), "10.64.0.6");
  assert.equal(resolverAddressOf(1), "10.64.0.5");
});

test("public routes answer over HTTP and HTTPS, each host its own IMVU", async () => {
  for (const tls of [false, true]) {
    const [one, two] = [await ask("/hello", { tls }), await ask("/hello", { tls, host: "imvu002.world" })];
    assert.equal(one.status, 200, one.body);
    assert.equal(JSON.parse(one.body).who, "unit-1");
    assert.equal(JSON.parse(two.body).who, "unit-2");
    assert.equal(JSON.parse(one.body).headers["x-forwarded-proto"], tls ? "https" : "http");
  }
  assert.equal((await ask("/", { host: "nobody.world" })).status, 404);
  assert.equal((await ask("/", { tls: true, host: "imvu002.world", sni: "imvu001.world" })).status, 421);
  await assert.rejects(ask("/", { tls: true, host: "nobody.world" }), /alert|ECONNRESET|unrecognized/i);
});

test("one connection of a client may ask for two hosts and never gets the other's answer", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const who = (host: string) =>
    new Promise<string>((resolve, reject) => {
      const request = httpRequest({ host: "127.0.0.1", port: site.ports.gatewayHttp, path: "/", agent, headers: { Host: host } }, (response) => {
        let body = "";
        response.on("data", (part) => {
          body += part;
        });
        response.on("end", () => resolve(JSON.parse(body).who));
      });
      request.on("error", reject);
      request.end();
    });
  for (let turn = 0; turn < 3; turn += 1) {
    assert.equal(await who("imvu001.world"), "unit-1");
    assert.equal(await who("imvu002.world"), "unit-2");
  }
  agent.destroy();
});

test("what a client says about itself does not reach the service", async () => {
  const answer = await ask("/hello", { headers: { "X-Nexus-Role": "owner", x_nexus_identity: "eve", "X-Forwarded-For": "1.2.3.4", Forwarded: "for=1.2.3.4" } });
  const { headers } = JSON.parse(answer.body);
  assert.equal(headers["x-nexus-role"], undefined);
  assert.equal(headers["x_nexus_identity"], undefined);
  assert.equal(headers.forwarded, undefined);
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
});

test("a private route is served to its own IMVU and to nobody else", async () => {
  for (const tls of [false, true]) assert.equal((await ask("/inner/x", { tls })).status, 404);
  const curl = (number: number, path: string) =>
    insideOf(number, "/usr/bin/curl", "-s", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: imvu001.world", `http://${resolverAddressOf(number)}${path}`);
  assert.equal((await curl(1, "/inner/x")).stdout.toString(), "200");
  assert.equal((await curl(1, "/hello")).stdout.toString(), "404");
  assert.equal((await curl(2, "/inner/x")).stdout.toString(), "404");
});

test("a restricted route takes a valid token of sufficient role, and nothing else", async () => {
  const claims = { imvu: imvuIdOf(1), identity: "creator-1" as IdentityName, role: "maintainer" as const, host: "imvu001.world", ttl_s: 60 };
  const status = async (token: string | undefined, tls = false) => (await ask("/desk/x", { tls, headers: token ? { Authorization: `Bearer ${token}` } : {} })).status;
  const good = await room.issueToken(claims);
  assert.equal(await status(undefined), 401);
  assert.equal(await status(good), 200);
  assert.equal(await status(good, true), 200);
  assert.equal(await status(await room.issueToken({ ...claims, role: "owner" })), 200);
  assert.equal(await status(await room.issueToken({ ...claims, role: "billing" })), 403);
  assert.equal(await status(await room.issueToken({ ...claims, role: "viewer" })), 403);
  assert.equal(await status(await room.issueToken({ ...claims, host: "imvu002.world" })), 401);
  assert.equal(await status(await room.issueToken({ ...claims, imvu: imvuIdOf(2) })), 401);
  const short = await room.issueToken({ ...claims, ttl_s: 1 });
  await sleep(2_100);
  assert.equal(await status(short), 401);
  const [head, body, signature] = good.split(".") as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const raised = encode({ ...JSON.parse(Buffer.from(body, "base64url").toString()), role: "owner" });
  assert.equal(await status(`${head}.${raised}.${signature}`), 401);
  assert.equal(await status(`${encode({ alg: "none", typ: "JWT" })}.${body}.`), 401);
  assert.equal(await status(`${encode({ alg: "HS256", typ: "JWT" })}.${body}.${signature}`), 401);
  const seen = JSON.parse((await ask("/desk/x", { headers: { Authorization: `Bearer ${good}`, "X-Nexus-Identity": "eve" } })).body).headers;
  assert.equal(seen["x-nexus-identity"], "creator-1");
  assert.equal(seen["x-nexus-role"], "maintainer");
});

test("no spelling of a path slips past its class", async () => {
  for (const path of ["/desk", "/desk/", "//desk", "/x/../desk", "/%64esk", "/./desk", "/x/%2e%2e/desk", "/desk;a=1", "/x/..;/desk", "/%2fdesk", "/x%2f..%2fdesk", "\\desk", "/desk?x", "//desk//a", "/%2e/desk", "/desk/%2e%2e%2fdesk/x", "/.//desk"]) {
    const { status } = await ask(path);
    assert.ok(status === 401 || status === 400, `${path} answered ${status}`);
  }
  for (const path of ["/inner", "//inner", "/x/../inner", "/%69nner", "/inner;a"]) assert.ok([400, 404].includes((await ask(path)).status), path);
  for (const path of ["/desktop", "/innermost", "/x/desk"]) assert.equal((await ask(path)).status, 200, path);
});

test("a client over its rate is refused, others' routes are not", async () => {
  const statuses: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) statuses.push((await ask("/slow/x")).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  assert.equal((await ask("/hello")).status, 200);
});

test("no IMVU reaches another", async () => {
  for (const target of [`${addressOf(2)}:${SERVICE_PORT}`, `${resolverAddressOf(2)}:80`, `127.0.0.1:${site.ports.gatewayHttp}`]) {
    const ran = await insideOf(1, "/usr/bin/curl", "-s", "-m", "1", `http://${target}/`);
    // 7: could not connect, 28: no answer in time. Any other code says nothing about the wall.
    assert.ok(ran.code === 7 || ran.code === 28, `${target}: curl ended with ${ran.code}: ${ran.stderr}`);
  }
  assert.equal((await room.fabric.probe(2, undefined)).verdict, "holds");
  assert.equal((await room.fabric.probe(2, imvuIdOf(1))).verdict, "holds");
});

test("the meter equals what the link carried, to the byte", async () => {
  const router = routerNamespaceNameOf(site);
  // The link's own statistics count frames; the counter counts IP bytes: 14 bytes of Ethernet apart, and ARP.
  const read = async () => new Map((await room.fabric.meter(imvuIdOf(1))).map(({ resource, value }) => [resource as string, Number(value)]));
  const first = await read();
  await ask("/bulk", { body: "y".repeat(300_000) });
  await sleep(200);
  const second = await read();
  const token = await room.issueToken({ identity: "creator-8891" as IdentityName, role: "owner", host: "imvu001.world", imvu: imvuIdOf(1), ttl_s: 60 });
  assert.equal((await ask("/desk/bulk", { headers: { Authorization: `Bearer ${token}` }, body: "y".repeat(300_000) })).status, 200);
  await sleep(200);
  const third = await read();
  const inner = await insideOf(1, "/usr/bin/curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: imvu001.world", "--data", "y".repeat(100_000), `http://${resolverAddressOf(1)}/inner/bulk`);
  assert.equal(inner.stdout.toString("utf8"), "200", inner.stderr);
  await sleep(200);
  const fourth = await read();
  // What a request of one class moves is in that class's counters and in no other's: a body of 300 kB in, a megabyte out.
  const moved = (from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>) => Object.fromEntries([...to].map(([resource, value]) => [resource.replace("network.", ""), Math.round((value - (from.get(resource) ?? 0)) / 100_000)]));
  const none = { in: 0, out: 0, "restricted.in": 0, "restricted.out": 0, "private.in": 0, "private.out": 0 };
  assert.deepEqual(moved(first, second), { ...none, in: 3, out: 10 });
  assert.deepEqual(moved(second, third), { ...none, "restricted.in": 3, "restricted.out": 10 });
  // Asked and served by the unit itself: both ways twice.
  const own = moved(third, fourth);
  assert.deepEqual({ ...own, "private.in": 0, "private.out": 0 }, none);
  assert.ok(own["private.in"] === 11 && own["private.out"] === 11, JSON.stringify(own));
  const [readings, link] = [
    await room.fabric.meter(imvuIdOf(1)),
    JSON.parse(await runOk(["/usr/sbin/ip", "-j", "-s", "-n", router, "link", "show", "dev", "v1"]))[0].stats64,
  ];
  const value = (way: string) => readings.filter(({ resource }) => resource.startsWith("network.") && resource.endsWith(way)).reduce((sum, reading) => sum + Number(reading.value), 0);
  assert.ok(value(".out") > 3_000_000 && value(".in") > 1_600_000);
  for (const [resource, stats] of [[".in", link.tx], [".out", link.rx]] as const) {
    const overhead = stats.bytes - value(resource) - 14 * stats.packets;
    assert.ok(overhead >= 0 && overhead % 28 === 0 && overhead < 28 * 100, `${resource}: ${stats.bytes} - ${value(resource)} leaves ${overhead}`);
  }
});

test("all links are metered by two processes, however many units ask", async () => {
  const asking = [1, 2, 1, 2, 1, 2].map((number) => imvuIdOf(number));
  const { answer, processes } = await started(() => Promise.all(asking.map((imvu) => room.fabric.meter(imvu))));
  assert.ok(answer.every((readings) => readings.length > 0));
  assert.equal(processes, 2);
});

test("bandwidth is read back from the kernel on both ends, and a change is seen", async () => {
  const wanted = unit(1, desired.get("IMVU-001")?.routes ?? [], 50_000_000);
  assert.deepEqual(await apply(1, wanted), ["network/bandwidth/IMVU-001/50000000"]);
  assert.deepEqual((await room.fabric.observe(imvuIdOf(1))).rates, { inwards: 50_000_000, outwards: 50_000_000 });
  assert.equal((await room.fabric.probe(15, undefined)).verdict, "holds");
  await runOk(["/usr/sbin/tc", "-n", routerNamespaceNameOf(site), "class", "replace", "dev", "v1", "parent", "1:", "classid", "1:1", "htb", "rate", "1mbit", "ceil", "1mbit"]);
  assert.equal((await room.fabric.probe(15, imvuIdOf(1))).verdict, "broken");
  await apply(1, wanted);
  assert.equal((await room.fabric.probe(15, undefined)).verdict, "holds");
});

test("a foreign rule, a foreign route and a missing rule are found, and put right by a plan", async () => {
  const router = routerNamespaceNameOf(site);
  const nft = (...words: string[]) => runOk(["/usr/bin/nsenter", `--net=/run/netns/${router}`, "--", "/usr/sbin/nft", ...words]);
  const wanted = desired.get("IMVU-001");
  assert.equal((await room.fabric.probe(8, undefined)).verdict, "holds");
  const attacks: (() => Promise<unknown>)[] = [
    () => nft("add table ip bad; add chain ip bad p { type nat hook prerouting priority -100; }; add rule ip bad p tcp dport 80 dnat to 10.64.0.10"),
    () => nft("insert rule inet nexus passing accept"),
    () => nft("flush chain inet nexus before"),
    () => nft('add element inet nexus doors { "v2" . 10.64.0.5 }'),
    () => nft("add chain inet nexus passing { policy accept; }"),
  ];
  for (const attack of attacks) {
    await attack();
    assert.equal((await room.fabric.probe(8, undefined)).verdict, "broken");
    // What was done to another's link is put right by that one's plan.
    for (const number of [1, 2]) await apply(number, desired.get(imvuIdOf(number)));
    const again = await room.fabric.probe(8, undefined);
    assert.equal(again.verdict, "holds", `${attack}: ${again.detail}`);
  }
  assert.equal((await room.fabric.probe(14, undefined)).verdict, "holds");
  const map = join(site.dir, "network", "routes.map");
  const line = `public|${addressOf(2)}|8080|0|0|IMVU-002|imvu001.world/`;
  await new Promise((resolve, reject) => {
    const socket = connect(join(site.dir, "run", "haproxy.sock"), () => socket.write(`set map ${map} imvu001.world/ ${line}\n`));
    socket.on("error", reject).on("close", resolve).resume();
  });
  assert.equal((await room.fabric.probe(14, imvuIdOf(1))).verdict, "broken");
  assert.equal((await room.fabric.probe(14, undefined)).verdict, "broken");
  await apply(1, wanted);
  assert.equal((await room.fabric.probe(14, undefined)).verdict, "holds");
  assert.equal(JSON.parse((await ask("/hello")).body).who, "unit-1");
});

test("routes and certificates outlive the gateway, links and counters a new opening", async () => {
  const before = await room.fabric.meter(imvuIdOf(1));
  await engines?.stop();
  engines = await superviseEngines(site, room.engines, () => {});
  for (const tls of [false, true]) assert.equal((await ask("/hello", { tls })).status, 200);
  assert.deepEqual(await apply(1, desired.get("IMVU-001")), []);
  await (await openNetworkRoom({ site })).open();
  const now = await room.fabric.meter(imvuIdOf(1));
  assert.deepEqual(now.map(({ epoch }) => epoch), before.map(({ epoch }) => epoch));
  for (const [index, reading] of now.entries()) assert.ok(BigInt(reading.value) >= BigInt(before[index]?.value ?? "0") && (reading.resource !== "network.out" || reading.value !== before[index]?.value));
});

test("the exported nginx configuration is one that nginx accepts", async () => {
  const files = new Map<string, string>();
  await room.fabric.export(imvuIdOf(1), { file: async (path, source) => void files.set(path, String(source)), omit: () => {} });
  const path = join(site.dir, "nginx.conf");
  // Where a stock server would keep its own pid and logs is not this test's to touch.
  const text = `pid ${site.dir}/nginx.pid;\nerror_log stderr;\n${files.get("network/nginx.conf")}`;
  await writeFile(path, text);
  const checked = await run(["/usr/sbin/nginx", "-t", "-p", site.dir, "-c", path]);
  assert.equal(checked.code, 0, checked.stderr);
  await writeFile(path, text.replace("merge_slashes on;", "merge_slashes maybe;"));
  assert.notEqual((await run(["/usr/sbin/nginx", "-t", "-p", site.dir, "-c", path])).code, 0);
});

test("undo of a creation leaves nothing, and so does a removal", async () => {
  const imvu = imvuIdOf(3);
  const steps = room.fabric.plan(imvu, unit(3, [route(3, "/", "public")]), await room.fabric.observe(imvu));
  for (const step of steps) await step.do();
  assert.equal((await ask("/", { host: "imvu003.world", tls: true })).status, 503);
  for (const step of steps.toReversed()) await step.undo();
  assert.equal((await ask("/", { host: "imvu003.world" })).status, 404);
  assert.deepEqual(room.fabric.plan(imvu, undefined, await room.fabric.observe(imvu)), []);
  assert.equal((await room.fabric.probe(8, undefined)).verdict, "holds");
  await apply(3, unit(3, [route(3, "/", "public")]));
  const removal = await apply(3, undefined);
  assert.deepEqual(removal, ["network/routes/IMVU-003", "network/certificate/IMVU-003", "network/link/IMVU-003"]);
  assert.deepEqual(room.fabric.plan(imvu, undefined, await room.fabric.observe(imvu)), []);
});
