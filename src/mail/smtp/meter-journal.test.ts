import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Fault, type ImvuId } from "../../kernel/index.ts";
import { MeterJournal, replay } from "./meter-journal.ts";

const ONE = "IMVU-001" as ImvuId;
const TWO = "IMVU-002" as ImvuId;
const QUEUE = "4jXyY61yhBzJKTd";

const delivered = (to: string, by = "lmtp", queue = QUEUE) => `Nov 23 07:40:58 mail postfix/${by}[1]: ${queue}: to=<${to}>, relay=x, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n`;
const removed = (queue = QUEUE) => `Nov 23 07:40:58 mail postfix/qmgr[1]: ${queue}: removed\n`;

class Folder implements AsyncDisposable {
  readonly dir: string;
  constructor(dir: string) {
    this.dir = dir;
  }
  get log() {
    return join(this.dir, "mail.log");
  }
  get journal() {
    return join(this.dir, "meter.jsonl");
  }
  open(boot = "boot-1") {
    return MeterJournal.open(this.journal, this.log, boot, (address) => (address.endsWith("@imvu001.world") ? ONE : undefined));
  }
  async [Symbol.asyncDispose]() {
    await rm(this.dir, { recursive: true });
  }
}

async function folder(): Promise<Folder> {
  return new Folder(await mkdtemp(join(tmpdir(), "nx-meter-")));
}

test("a delivery counts once for who sent and once for who received, however often it is logged", async () => {
  await using here = await folder();
  const meter = await here.open();
  await meter.reserve(QUEUE, TWO);
  assert.deepEqual(await meter.read(TWO), { sent: 0, received: 0 }, "reserved is not sent");
  await appendFile(here.log, delivered("a@imvu001.world") + delivered("a@imvu001.world") + delivered("x@y.example", "smtp"));
  assert.deepEqual(await meter.read(TWO), { sent: 2, received: 0 });
  await appendFile(here.log, delivered("a@imvu001.world"));
  assert.deepEqual(await meter.read(ONE), { sent: 0, received: 1 });
  await appendFile(here.log, delivered("a@imvu001.world", "smtp", "4aaaaaaaaaaaaaa") + delivered("q@elsewhere.example", "lmtp", "4bbbbbbbbbbbbbb"));
  assert.deepEqual([await meter.read(ONE), await meter.read(TWO)], [{ sent: 0, received: 1 }, { sent: 2, received: 0 }], "not by our delivery agent, not for us");
  await meter.close();
});

test("counts, reservations and the place in the log survive; the epoch and its boot stay", async () => {
  await using here = await folder();
  const first = await here.open("boot-1");
  await first.reserve(QUEUE, TWO);
  await appendFile(here.log, delivered("a@imvu001.world"));
  await first.close();
  const second = await here.open("boot-2");
  assert.deepEqual([second.epoch, second.boot], [first.epoch, "boot-1"]);
  await appendFile(here.log, delivered("a@imvu001.world") + delivered("b@imvu001.world"));
  assert.deepEqual([await second.read(ONE), await second.read(TWO)], [{ sent: 0, received: 2 }, { sent: 2, received: 0 }]);
  await appendFile(here.log, removed());
  await second.drain();
  await second.close();
  const third = await here.open();
  assert.deepEqual(await third.read(ONE), { sent: 0, received: 2 });
  await third.close();
  assert.ok(!(await readFile(here.journal, "utf8")).includes(QUEUE), "a finished message is forgotten");
});

test("who asks while the log is being read is told what stood in it when he asked", async () => {
  await using here = await folder();
  const meter = await here.open();
  await appendFile(here.log, "");
  for (let turns = 0; turns < 150; turns += 1) {
    const reading = meter.drain();
    for (let turn = 0; turn < turns % 50; turn += 1) await new Promise(setImmediate);
    appendFileSync(here.log, delivered("a@imvu001.world", "lmtp", `4jXyY61yhB${String(turns).padStart(5, "0")}`));
    assert.deepEqual(await meter.read(ONE), { sent: 0, received: turns + 1 }, `after ${turns} turns`);
    await reading;
  }
  await meter.close();
});

test("half a log line waits for its end; a new log is read from its beginning", async () => {
  await using here = await folder();
  const meter = await here.open();
  const line = delivered("a@imvu001.world");
  await appendFile(here.log, line.slice(0, 50));
  assert.equal((await meter.read(ONE)).received, 0);
  await appendFile(here.log, line.slice(50));
  assert.equal((await meter.read(ONE)).received, 1);
  // Put away as the engine does it: a file that was deleted could lend the new one its inode.
  await rename(here.log, `${here.log}.1`);
  await writeFile(here.log, delivered("a@imvu001.world", "lmtp", "4cccccccccccccc"));
  assert.equal((await meter.read(ONE)).received, 2);
  await meter.close();
});

test("a line torn by a crash was never acknowledged; a journal that makes no sense is a fault", async () => {
  await using here = await folder();
  const meter = await here.open();
  await meter.reserve(QUEUE, TWO);
  await meter.close();
  await appendFile(here.journal, `{"settled":[{"queueId":"${QUEUE}","recipient":"x","sent":"IMVU-002","received":null}],"lo`);
  const again = await here.open();
  assert.deepEqual(await again.read(TWO), { sent: 0, received: 0 });
  await appendFile(here.log, delivered("x@y.example", "smtp"));
  assert.deepEqual(await again.read(TWO), { sent: 1, received: 0 }, "the reservation was kept");
  await again.close();
  for (const text of ["", "{}\n", "nonsense\n{}\n", '{"reserve":"x","imvu":"IMVU-001"}\n']) assert.throws(() => replay(text, "j"), (error: unknown) => error instanceof Fault && error.code === "METER_JOURNAL", text);
});

test("many reservations at once share their fsyncs and all count", async () => {
  await using here = await folder();
  const meter = await here.open();
  const queues = Array.from({ length: 200 }, (_, index) => `4jXy${String(index).padStart(10, "0")}`);
  await Promise.all(queues.map((queue) => meter.reserve(queue, TWO)));
  await appendFile(here.log, queues.map((queue) => delivered("x@y.example", "smtp", queue) + removed(queue)).join(""));
  assert.equal((await meter.read(TWO)).sent, 200);
  await meter.close();
});
