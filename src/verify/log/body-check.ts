import type { Buffer } from "node:buffer";
import { chainFlaw, Erasures, leavesOfBundle, parseEntryBody, type StreamHead, TILE_WIDTH } from "../../core/ledger/pure.ts";
import { sha256 } from "../../kernel/index.ts";
import { entriesTilePath } from "./layout.ts";

/** Of the platform's stream only its own words are shown to everybody; what was refused to strangers stands between them. */
const WITH_GAPS = "platform";

/** One stream's bodies against the commitments of a log that was checked, in the order of the log; one bundle of commitments in memory. */
export class BodyCheck {
  private readonly stream: string;
  private readonly size: number;
  private readonly read: (path: string) => Promise<Buffer>;
  private head: StreamHead | undefined;
  private last = -1;
  private readonly erasures = new Erasures();
  private bundle: { readonly n: number; readonly leaves: readonly Buffer[] } | undefined;

  constructor(stream: string, size: number, read: (path: string) => Promise<Buffer>) {
    this.stream = stream;
    this.size = size;
    this.read = read;
  }

  /** What is wrong with the stream's next body, in words; undefined when nothing is. */
  async flaw(index: number, text: string): Promise<string | undefined> {
    const leaf = sha256(text);
    const misplaced = await this.placeFlaw(index, leaf);
    if (misplaced !== undefined) return misplaced;
    const body = parseEntryBody(text);
    if (!body.ok) return body.message;
    const { stream, streamSeq, time } = body.value;
    if (stream !== this.stream) return `it belongs to stream ${stream}`;
    const chained = this.stream === WITH_GAPS && streamSeq !== (this.head?.streamSeq ?? -1) + 1 ? sequenceFlaw(streamSeq, this.head) : chainFlaw(body.value, this.head);
    this.head = { streamSeq, time, leaf };
    const [standing] = this.erasures.ordered(body.value);
    return chained ?? (standing === undefined || this.stream === WITH_GAPS ? undefined : `it ordered the body of entry ${standing} erased, and that stands, or another stood there`);
  }

  /** The same for an entry whose body is gone: the next one links to it, and a later one must order it. */
  async goneFlaw(index: number, leaf: Buffer): Promise<string | undefined> {
    if (this.stream === WITH_GAPS) return "of the platform's own words none is ever erased";
    this.head = { streamSeq: (this.head?.streamSeq ?? -1) + 1, time: this.head?.time ?? "", leaf };
    this.erasures.gone({ index, stream: this.stream, leaf });
    return await this.placeFlaw(index, leaf);
  }

  /** Entries without a body that nothing ordered erased, once all were read. */
  unordered(): readonly number[] {
    return this.erasures.unordered();
  }

  private async placeFlaw(index: number, leaf: Buffer): Promise<string | undefined> {
    if (!Number.isSafeInteger(index) || index <= this.last) return `it stands after entry ${this.last}`;
    if (index >= this.size) return `the log has ${this.size} entries`;
    const n = Math.floor(index / TILE_WIDTH);
    if (this.bundle?.n !== n) {
      const path = entriesTilePath(n, this.size);
      this.bundle = { n, leaves: leavesOfBundle(await this.read(path), Math.min(TILE_WIDTH, this.size - n * TILE_WIDTH)) ?? [] };
    }
    this.last = index;
    const committed = this.bundle.leaves[index - n * TILE_WIDTH];
    return committed?.equals(leaf) ? undefined : `a body with SHA-256 ${leaf.toString("base64")}, not its commitment ${committed?.toString("base64") ?? "(none)"}`;
  }
}

function sequenceFlaw(streamSeq: number, head: StreamHead | undefined): string | undefined {
  return head && streamSeq <= head.streamSeq ? `it is number ${streamSeq} of its stream and stands after number ${head.streamSeq}` : undefined;
}
