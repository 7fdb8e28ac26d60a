import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { runOk } from "../../src/kernel/index.ts";

export interface Creator {
  readonly name: string;
  readonly call: Caller;
}

/** A whole platform in a scratch home with free ports, driven through the command line; leaves nothing. */
export class TestHouse implements AsyncDisposable {
  readonly root: string;
  readonly home: string;
  readonly operator: Caller;
  status: Printed;
  ca = "";

  private constructor(root: string) {
    this.root = root;
    this.home = join(root, "p");
    this.operator = new Caller(this.home);
  }

  /** @param pathChars length of the home's path, for tests of how long it may be. */
  static async start(pathChars = 0): Promise<TestHouse> {
    const shortest = join(tmpdir(), "nh-XXXXXX", "p").length;
    const root = await mkdtemp(join(tmpdir(), `nh${"h".repeat(Math.max(0, pathChars - shortest))}-`));
    await chmod(root, 0o711);
    const house = new TestHouse(root);
    try {
      await house.up();
      return house;
    } catch (error) {
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  async up(): Promise<void> {
    await this.operator.ok("up", "--detach");
    this.status = await this.operator.ok("status");
    this.ca = await readFile(this.status.platform.caFile, "utf8");
  }

  get api(): string {
    return `http://${this.status.listen.api}`;
  }

  /** A creator in a home of her own, with a fresh identity that is not registered yet. */
  async creator(name: string): Promise<Creator> {
    const home = join(this.root, name);
    await mkdir(home, { mode: 0o711, recursive: true });
    const call = new Caller(home, this.api);
    await call.ok("identity", "create", name);
    return { name, call };
  }

  /** A small unit: enough to answer, cheap enough for many. */
  async unit(creator: Creator, name: string, ...more: string[]): Promise<Printed> {
    const small = ["--cpu", "0.5", "--memory", "0.25", "--storage", "0.25"];
    return await creator.call.ok("imvu", "create", "--name", name, "--owner", creator.name, "--jurisdiction", "EU-GDPR", ...small, ...more);
  }

  /** As the database's superuser, which the product has no way to be. */
  async psql(sql: string): Promise<string> {
    const postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] as const;
    const said = await runOk([...postgres, "psql", "-h", join(this.home, "platform/pg/run"), "-d", this.status.database.name, "-v", "ON_ERROR_STOP=1", "-Atqc", sql], { env: { PATH: process.env.PATH ?? "" }, cwd: "/" });
    return said.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const down = await this.operator.call("down", "--purge");
    if (down.code !== 0) throw new Error(`down --purge: ${JSON.stringify(down.printed)} ${down.said}`);
    await rm(this.root, { recursive: true, force: true });
  }
}
