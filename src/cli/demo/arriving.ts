import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Caller, type Printed } from "./driver.ts";
import { ask, get, readMailbox } from "./outside.ts";
import { ARTISAN, ARTIST, expect, type LifeStep, loginOf, VERDICTS, type World } from "./world.ts";

async function reaches(world: World, created: Printed): Promise<string> {
  const { resolver, gatewayHttp, imap } = world.status.listen;
  const zone = created.imvu.zone;
  const answer = await ask(resolver, `www.${zone}`, "A");
  expect(answer.authenticated && answer.answers.length === 1, `www.${zone} did not validate: ${answer.status} ${answer.answers.join(" ")}`);
  const page = await get(gatewayHttp, zone, "/");
  expect(page.status === 200, `http://${zone}/ answered ${page.status}`);
  const messages = await readMailbox(imap, await loginOf(world, created));
  expect(messages.length === 0, `a new mailbox holds ${messages.length} messages`);
  return `${zone} validates, answers HTTP, and ${created.mail.address} logs in`;
}

/** A platform, two creators, two units. */
export const ARRIVING: readonly LifeStep[] = [
  {
    name: "the platform starts",
    run: async (world) => {
      await world.operator.ok("up", "--detach");
      world.status = await world.operator.ok("status");
      const address = `http://${world.status.listen.api}`;
      world.artist = new Caller(join(world.root, "artist"), address);
      world.artisan = new Caller(join(world.root, "artisan"), address);
      world.ca = await readFile(world.status.platform.caFile, "utf8");
      const down = world.status.engines.filter((engine: Printed) => engine.state !== "running");
      expect(down.length === 0, `not running: ${down.map((engine: Printed) => engine.name).join(", ")}`);
      return `${world.status.engines.length} engines run`;
    },
  },
  {
    name: "a second start on the same home is refused",
    run: async (world) => {
      const error = await world.operator.refused(2, /^HOME_IN_USE$/, "up");
      return error.message;
    },
  },
  {
    name: "two creators make their keys",
    run: async (world) => {
      const artist = await world.artist.ok("identity", "create", ARTIST);
      await world.artisan.ok("identity", "create", ARTISAN);
      const file = join(world.artist.home, "identities", `${ARTIST}.json`);
      expect(((await stat(file)).mode & 0o777) === 0o600, "the key file is not 0600");
      return `${ARTIST} has key ${artist.kid}; only public keys will leave the creators' homes`;
    },
  },
  {
    name: "ArtGallery is created under EU-GDPR, and works at once",
    run: async (world) => {
      world.gallery = await world.artist.ok("imvu", "create", "--name", "ArtGallery", "--owner", ARTIST, "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.5");
      const { verdicts, imvu, receipt } = world.gallery;
      expect(verdicts.length === VERDICTS && verdicts.every((v: Printed) => v.verdict !== "deny"), "not all seventeen verdicts are there and favourable");
      expect((await stat(receipt.file)).isFile(), "no receipt file");
      return `${imvu.id}: ${await reaches(world, world.gallery)}`;
    },
  },
  {
    name: "Workshop is created under US-CCPA, and works at once",
    run: async (world) => {
      world.workshop = await world.artisan.ok(
        "imvu", "create", "--name", "Workshop", "--owner", ARTISAN, "--jurisdiction", "US-CCPA", "--blueprint", "node",
        "--cpu", "0.5", "--memory", "0.5", "--storage", "0.5",
      );
      return `${world.workshop.imvu.id}: ${await reaches(world, world.workshop)}`;
    },
  },
];
