import { once } from "node:events";
import { join } from "node:path";
import { type ChildProcess, sleep, start } from "../../src/kernel/index.ts";
import type { Ask, Told } from "./service.ts";

/** What a client makes of an answer: clear, or to be asked again. */
export type Answer = Extract<Told, { readonly id: number }>;
type Question = Ask extends infer A ? (A extends { readonly id: number } ? Omit<A, "id"> : never) : never;

/** The service as a child that is started again whenever it died; questions of a dead one are answered "unclear". */
export class ServiceProcess {
  private readonly siteFile: string;
  private child: ChildProcess | undefined;
  private readonly asked = new Map<number, (answer: Answer) => void>();
  private next = 0;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  ready = false;
  starts = 0;
  resumed = 0;
  /** The last words of children that died of something else than a kill. */
  readonly said: string[] = [];

  constructor(siteFile: string) {
    this.siteFile = siteFile;
  }

  begin(): void {
    this.running = this.keep();
  }

  get pid(): number | undefined {
    return this.ready ? this.child?.pid : undefined;
  }

  async ask(question: Question): Promise<Answer> {
    const id = this.next++;
    const child = this.child;
    if (!this.ready || !child?.connected) {
      await sleep(20);
      return { id, unclear: "no service" };
    }
    return await new Promise((resolve) => {
      this.asked.set(id, resolve);
      child.send({ ...question, id }, (error) => {
        if (error) this.settle({ id, unclear: "not sent" });
      });
    });
  }

  /** As the OOM killer would. */
  kill(): void {
    this.child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.kill();
    await this.running;
  }

  private async keep(): Promise<void> {
    while (!this.stopping) {
      const child = start([process.execPath, join(import.meta.dirname, "service.ts"), this.siteFile], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      this.child = child;
      this.starts += 1;
      let words = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        words = `${words}${chunk.toString("utf8")}`.slice(-2_000);
      });
      child.on("message", (told: Told) => {
        if ("ready" in told) {
          this.ready = true;
          this.resumed += told.resumed;
        } else this.settle(told);
      });
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      this.ready = false;
      if (signal === null) this.said.push(`exit ${code}: ${words}`);
      for (const id of [...this.asked.keys()]) this.settle({ id, unclear: "the service died" });
    }
  }

  private settle(answer: Answer): void {
    this.asked.get(answer.id)?.(answer);
    this.asked.delete(answer.id);
  }
}
