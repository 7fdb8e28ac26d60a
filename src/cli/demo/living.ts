import { run } from "../../kernel/index.ts";
import type { Caller, Printed } from "./driver.ts";
import { ask, get, readMailbox, submit } from "./outside.ts";
import { eventually, expect, type LifeStep, loginOf, project, SUBJECT, VERDICTS } from "./world.ts";
import { GALLERY_PAGE, GREEDY_SERVER, WORKSHOP_SERVER } from "./works.ts";

async function readings(who: Caller, id: string): Promise<Map<string, bigint>> {
  const read = await who.ok("meter", "read", "--imvu-id", id);
  expect(read.readings.length > 0, `${id} has no meters`);
  return new Map(read.readings.map((r: { resource: string; value: string }) => [r.resource, BigInt(r.value)]));
}

/** What units do all day, and what is tried on them. */
export const LIVING: readonly LifeStep[] = [
  {
    name: "a site, a Node service and a Python service are deployed",
    run: async (world) => {
      const gallery = world.gallery.imvu;
      const workshop = world.workshop.imvu;
      await world.artist.ok("deploy", "--imvu-id", gallery.id, "--dir", await project(world, "gallery", { "index.html": GALLERY_PAGE }), "--service", "web");
      await world.artisan.ok(
        "deploy", "--imvu-id", workshop.id, "--service", "web", "--env", "GREETING=hello",
        "--dir", await project(world, "workshop", { "server.js": WORKSHOP_SERVER, "package.json": '{"type":"module","main":"server.js"}' }),
      );
      await world.artisan.ok("deploy", "--imvu-id", workshop.id, "--dir", await project(world, "greedy", { "server.py": GREEDY_SERVER }), "--service", "greedy", "--port", "8090");
      await world.artisan.ok("route", "set", "--imvu-id", workshop.id, "--class", "public", "--host", workshop.zone, "--path", "/greedy", "--service", "greedy", "--port", "8090");
      const page = await get(world.status.listen.gatewayHttp, `artgallery.${gallery.zone}`, "/");
      expect(page.status === 200 && page.body === GALLERY_PAGE, `the gallery answered ${page.status}: ${page.body.slice(0, 80)}`);
      const shop = await get(world.status.listen.gatewayHttps, workshop.zone, "/shelf", { ca: world.ca });
      expect(shop.status === 200 && shop.body.includes('"data":"hello"'), `the workshop answered ${shop.status}: ${shop.body.slice(0, 80)}`);
      const python = await get(world.status.listen.gatewayHttp, workshop.zone, "/greedy/");
      expect(python.status === 200, `the Python service answered ${python.status}`);
      return "all three answer through the gateway, one of them over HTTPS";
    },
  },
  {
    name: "DNS: set, validated, removed; another's zone is out of reach",
    run: async (world) => {
      const { id, zone } = world.gallery.imvu;
      const { resolver, dns } = world.status.listen;
      await world.artist.ok("dns", "set", "--imvu-id", id, "--name", "shop", "--type", "A", "--value", "203.0.113.7", "--ttl", "300");
      const answer = await ask(resolver, `shop.${zone}`, "A");
      expect(answer.authenticated && answer.signed && (answer.answers[0] ?? "").endsWith("203.0.113.7"), `shop.${zone} does not validate: ${answer.answers.join(" ")}`);
      await world.artist.ok("dns", "remove", "--imvu-id", id, "--name", "shop", "--type", "A");
      const gone = await ask(dns, `shop.${zone}`, "A");
      expect(gone.answers.length === 0, "a removed record still answers");
      const foreign = await world.artisan.refused(3, /^GATE_/, "dns", "set", "--imvu-id", id, "--name", "www", "--type", "A", "--value", "203.0.113.66", "--ttl", "300");
      expect(typeof foreign.ledgerIndex === "number", "the refusal is not in the ledger");
      const outside = await world.artisan.refused(3, /^GATE_/, "dns", "set", "--imvu-id", world.workshop.imvu.id, "--name", `www.${zone}.`, "--type", "A", "--value", "203.0.113.66", "--ttl", "300");
      const [host, port] = dns.split(":");
      const update = await run(["knsupdate"], { input: `server ${host} ${port}\nzone ${zone}.\nupdate add www.${zone}. 300 A 203.0.113.66\nsend\nquit\n` });
      const said = `${update.stdout.toString("utf8")}${update.stderr}`;
      expect(/REFUSED|NOTAUTH|NOTIMPL/.test(said), `a dynamic update was not refused: ${said}`);
      const untouched = await ask(resolver, `www.${zone}`, "A");
      expect(!untouched.answers.join().includes("203.0.113.66"), "the foreign record stands in the zone");
      return `validated with AD; refused by ${foreign.code} and ${outside.code}, and by the DNS server itself`;
    },
  },
  {
    name: "mail: signed, delivered, read; spoofs and relaying refused at SMTP time",
    run: async (world) => {
      const { submission, smtp, imap } = world.status.listen;
      const from = await loginOf(world, world.workshop);
      const to = await loginOf(world, world.gallery);
      const letter = { envelopeFrom: from.address, from: from.address, to: to.address, subject: SUBJECT, text: "It fits. Shall I send it?" };
      const sent = await submit(submission, from, letter);
      expect(sent.accepted, `the letter was not accepted: ${sent.response}`);
      const received = await eventually("the letter's arrival", 15_000, async () => (await readMailbox(imap, to, "INBOX", { subject: SUBJECT, flags: ["\\Seen", "\\Flagged"] })).find((m) => m.subject === SUBJECT));
      expect(/^DKIM-Signature:/im.test(received.source), "the letter is not signed");
      const envelope = await submit(submission, from, { ...letter, envelopeFrom: to.address, from: to.address });
      expect(!envelope.accepted && /^55\d/.test(envelope.response), `a foreign envelope sender was not refused: ${envelope.response}`);
      const header = await submit(submission, from, { ...letter, from: to.address });
      expect(!header.accepted && /^55\d/.test(header.response), `a foreign From header was not refused: ${header.response}`);
      const relay = await submit(smtp, undefined, { ...letter, envelopeFrom: "stranger@example.org", from: "stranger@example.org", to: "victim@example.net" });
      expect(!relay.accepted && /^55\d/.test(relay.response), `relaying was not refused: ${relay.response}`);
      return `delivered with a DKIM signature; refused: ${[envelope, header, relay].map((answer) => answer.response.slice(0, 9)).join(", ")}`;
    },
  },
  {
    name: "routes: public, private, restricted; paths are normalised",
    run: async (world) => {
      const { id, zone } = world.workshop.imvu;
      const http = world.status.listen.gatewayHttp;
      const set = (routeClass: string, path: string, ...more: string[]) =>
        world.artisan.ok("route", "set", "--imvu-id", id, "--class", routeClass, "--host", zone, "--path", path, "--service", "web", "--port", "8080", ...more);
      await set("private", "/ledger");
      await set("restricted", "/office", "--role", "maintainer");
      expect((await get(http, zone, "/ledger")).status === 404, "a private route answers from outside");
      expect((await get(http, zone, "/office")).status === 401, "a restricted route answers without a proof");
      for (const path of ["/x/../office", "//office", "/%6fffice", "/./office", "/x/..//office/"])
        expect((await get(http, zone, path)).status === 401, `${path} went past the restricted route`);
      const { token } = await world.artisan.ok("route", "token", "--imvu-id", id, "--host", zone);
      const inside = await get(http, zone, "/office", { headers: { authorization: `Bearer ${token}`, "x-nexus-role": "platform" } });
      expect(inside.status === 200 && inside.body.includes('"role":"owner"'), `with the owner's proof: ${inside.status} ${inside.body}`);
      const stranger = await get(http, zone, "/office", { headers: { authorization: `Bearer ${token.slice(0, -4)}AAAA` } });
      expect(stranger.status === 401, `a tampered proof answered ${stranger.status}`);
      return "404 from outside, 401 without a proof in every spelling, 200 with the owner's";
    },
  },
  {
    name: "limits hold, and the neighbour keeps answering",
    run: async (world) => {
      const http = world.status.listen.gatewayHttp;
      const greedy = async (what: string) => JSON.parse((await get(http, world.workshop.imvu.zone, `/greedy/${what}`)).body);
      const neighbour = async () => expect((await get(http, world.gallery.imvu.zone, "/")).status === 200, "the neighbour does not answer");
      const before = await readings(world.artisan, world.workshop.imvu.id);
      const began = Date.now();
      const burning = greedy("burn");
      await neighbour();
      await burning;
      const seconds = (Date.now() - began) / 1_000;
      const after = await readings(world.artisan, world.workshop.imvu.id);
      const used = Number((after.get("compute.cpu") ?? 0n) - (before.get("compute.cpu") ?? 0n)) / 1e9;
      expect(used < 0.5 * seconds * 1.35 + 0.5, `four busy processes took ${used.toFixed(2)} CPU-seconds in ${seconds.toFixed(1)} s at 0.5 cores`);
      const forked = await greedy("fork");
      expect(forked.stopped !== null && forked.born < 2000, `a fork bomb was not contained: ${JSON.stringify(forked)}`);
      const allocated = await greedy("allocate");
      expect(allocated.exit === -9, `a process without measure was not killed: ${JSON.stringify(allocated)}`);
      const filled = await greedy("fill");
      expect(filled.error !== null && filled.written <= 0.5 * 1024 ** 3, `the disk was not full: ${JSON.stringify(filled)}`);
      await neighbour();
      return `${used.toFixed(2)} CPU-s in ${seconds.toFixed(1)} s; ${forked.born} processes; killed at the memory limit; "${filled.error}" after ${Math.round(filled.written / 1024 ** 2)} MiB`;
    },
  },
  {
    name: "meters move, and the statement adds up to the last unit",
    run: async (world) => {
      const { id } = world.workshop.imvu;
      const seen = await readings(world.artisan, id);
      for (const resource of ["compute.cpu", "compute.memory", "compute.storage", "dns.answers", "mail.sent", "network.in", "network.out"])
        expect((seen.get(resource) ?? 0n) > 0n, `${resource} did not move`);
      const month = new Date().toISOString().slice(0, 7);
      const statement = await world.artisan.ok("statement", "show", "--imvu-id", id, "--month", month);
      const units = (text: string) => BigInt(text.replace(".", ""));
      const gross = units(statement.gross);
      const platform = (gross * 45n) / 100n;
      expect(gross > 0n && units(statement.platform) === platform && units(statement.creator) === gross - platform, `the split is not exact: ${JSON.stringify(statement)}`);
      const lines = statement.lines.reduce((sum: bigint, line: { amount: string }) => sum + units(line.amount), 0n);
      expect(lines === gross, "the lines do not add up to gross");
      return `gross ${statement.gross} = ${statement.creator} + ${statement.platform} ${statement.currency}`;
    },
  },
  {
    name: "scale: up at once; down without the owner's signature is refused by gate 15",
    run: async (world) => {
      const { id } = world.gallery.imvu;
      const scaled = await world.artist.ok("imvu", "scale", "--imvu-id", id, "--cpu", "1", "--memory", "0.5");
      expect(scaled.envelope.cpuCores === 1 && scaled.envelope.memoryBytes === 512 * 1024 ** 2, `read back from the kernel: ${JSON.stringify(scaled.envelope)}`);
      const error = await world.artisan.refused(3, /^GATE_15_/, "imvu", "scale", "--imvu-id", id, "--cpu", "0.25");
      return `1 core and 512 MiB read back; ${error.code} in entry ${error.ledgerIndex}`;
    },
  },
  {
    name: "seventeen probes ask reality",
    run: async (world) => {
      const called = await world.operator.call("verify", "gates");
      const gates: Printed[] = called.printed.gates;
      expect(gates.length === VERDICTS, `${gates.length} rows`);
      const broken = gates.filter((gate) => gate.verdict === "broken");
      expect(broken.length === 0, `broken: ${broken.map((gate) => `${gate.gate} ${gate.title}: ${gate.evidence}`).join("; ")}`);
      const proven = gates.filter((gate) => gate.verdict === "holds").length;
      const replay = await world.operator.ok("ledger", "replay", "--check");
      return `${proven} hold, ${VERDICTS - proven} unproven and say why; ${replay.projections} rows of tables are as the log tells them`;
    },
  },
];
