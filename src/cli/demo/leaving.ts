import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../kernel/index.ts";
import { Caller, type Printed } from "./driver.ts";
import { ask, get, readMailbox } from "./outside.ts";
import { ARTIST, expect, type LifeStep, loginOf, SUBJECT } from "./world.ts";
import { GALLERY_PAGE } from "./works.ts";

/** Out of the platform with everything, and to life elsewhere. */
export const LEAVING: readonly LifeStep[] = [
  {
    name: "Workshop and ArtGallery leave with everything, rehearsed",
    run: async (world) => {
      const leave = async (who: Caller, id: string): Promise<Printed> => {
        const exit = await who.ok("imvu", "exit", "--imvu-id", id, "--export-path", join(world.root, "exit"));
        expect(exit.rehearsal.compared > 0 && exit.rehearsal.different.length === 0 && exit.rehearsal.compared === exit.rehearsal.equal, `rehearsal of ${id}: ${JSON.stringify(exit.rehearsal)}`);
        return exit;
      };
      const workshop = await leave(world.artisan, world.workshop.imvu.id);
      const gallery = await leave(world.artist, world.gallery.imvu.id);
      world.bundle = gallery.path;
      const revenue = await world.operator.ok("verify", "revenue");
      expect(revenue.ok && revenue.statements === 2 && revenue.readings > 0, `the statements made again: ${JSON.stringify(revenue)}`);
      const equal = (exit: Printed) => `${exit.rehearsal.equal}/${exit.rehearsal.compared}`;
      return `${equal(workshop)} and ${equal(gallery)} resources equal after rehearsed imports; ${gallery.archive}`;
    },
  },
  {
    name: "the bundle verifies with the platform stopped; a flipped bit is named",
    run: async (world) => {
      await world.operator.ok("down");
      const verify = async () => await run([process.execPath, join(world.bundle, "verify.mjs"), world.bundle], { timeout_ms: 120_000 });
      const clean = await verify();
      expect(clean.code === 0, `verify.mjs: ${clean.stdout.toString("utf8")}${clean.stderr}`);
      const victim = join(world.bundle, "domains", "zones", `${world.gallery.imvu.zone}.zone`);
      await flipBit(victim);
      const tampered = await verify();
      const said = `${tampered.stdout.toString("utf8")}${tampered.stderr}`;
      expect(tampered.code === 1 && said.includes(`${world.gallery.imvu.zone}.zone`), `a flipped bit was not named: ${said}`);
      await flipBit(victim);
      return clean.stdout.toString("utf8").trim().split("\n").at(-1) ?? "";
    },
  },
  {
    name: "ArtGallery comes back to life on another platform",
    run: async (world) => {
      await world.elsewhere.ok("up", "--detach");
      const status = await world.elsewhere.ok("status");
      const artist = new Caller(world.artist.home, `http://${status.listen.api}`);
      const imported = await artist.ok("imvu", "import", world.bundle, "--as", ARTIST);
      const { zone } = world.gallery.imvu;
      expect(imported.imvu.id === world.gallery.imvu.id && imported.imvu.zone === zone, `it arrived as ${imported.imvu.id}`);
      const answer = await ask(status.listen.resolver, `www.${zone}`, "A");
      expect(answer.authenticated, `www.${zone} does not validate there: ${answer.status}`);
      const page = await get(status.listen.gatewayHttp, `artgallery.${zone}`, "/");
      expect(page.body === GALLERY_PAGE, `the site answered ${page.status}`);
      expect(JSON.stringify(imported.dns.ds) === JSON.stringify(world.gallery.dns.ds), "the zone has other keys there");
      const login = { ...(await loginOf(world, world.gallery)), ca: await readFile(status.platform.caFile, "utf8") };
      const letter = (await readMailbox(status.listen.imap, login)).find((message) => message.subject === SUBJECT);
      expect(letter?.flags.includes("\\Flagged") === true, "the letter or its flags did not arrive");
      return "same id, same DNSSEC keys, validated; the letter is there, flagged; the site answers";
    },
  },
  {
    name: "the image in the bundle is an OCI archive, and runs as one",
    run: async (world) => {
      const status = await world.elsewhere.ok("status");
      const artist = new Caller(world.artist.home, `http://${status.listen.api}`);
      const { id, zone } = world.gallery.imvu;
      await artist.ok("deploy", "--imvu-id", id, "--oci", join(world.bundle as string, "compute/images/web.oci.tar"), "--service", "copy", "--port", "8081");
      await artist.ok("route", "set", "--imvu-id", id, "--class", "public", "--host", `stage.${zone}`, "--path", "/", "--service", "copy", "--port", "8081");
      const page = await get(status.listen.gatewayHttp, `stage.${zone}`, "/");
      expect(page.body === GALLERY_PAGE, `the image answered ${page.status}`);
      await world.elsewhere.ok("ledger", "replay", "--check");
      await world.elsewhere.ok("down", "--purge");
      return `stage.${zone} answers from it, beside the service it was made of`;
    },
  },
];

async function flipBit(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 40);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, 40);
  } finally {
    await file.close();
  }
}
