import type { EntryBody } from "../../contract/index.ts";
import type { Json } from "../../kernel/index.ts";

/** What the outcome of an order to erase names: entries whose bodies went with it. */
export interface Erased {
  readonly index: number;
  /** Hex SHA-256 of the body that stood there. */
  readonly commitment: string;
}

/** Where a unit's own orders stand, and where those of operators do. */
const PLATFORM_STREAM = "platform";

/**
 * The entries that this one orders erased, when it is the outcome of such an order and stands where one may: a unit's own in its stream,
 * operators' in the platform's.
 */
export function erasedBy({ type, stream, data }: Pick<EntryBody, "type" | "stream" | "data">): readonly Erased[] {
  if (type !== "effect.applied") return [];
  const { op, learned } = data as { op?: Json; learned?: Json };
  if (op !== (stream === PLATFORM_STREAM ? "platform.erase" : "imvu.erase")) return [];
  const { erased } = (learned ?? {}) as { erased?: Json };
  return Array.isArray(erased) ? erased.flatMap((one) => (isErased(one) ? [one] : [])) : [];
}

function isErased(value: unknown): value is Erased {
  const { index, commitment } = (value ?? {}) as { index?: unknown; commitment?: unknown };
  return Number.isSafeInteger(index) && typeof commitment === "string";
}

/**
 * Entries without a body, each of which an order that comes later in the log must name. Whoever reads the log in order tells it of both;
 * what is left at the end was ordered by nobody.
 */
export class Erasures {
  private readonly waiting = new Map<number, { readonly stream: string; readonly commitment: string }>();

  gone({ index, stream, leaf }: { readonly index: number; readonly stream: string; readonly leaf: Buffer }): void {
    this.waiting.set(index, { stream, commitment: leaf.toString("hex") });
  }

  /** @returns indexes that the entry orders erased and whose bodies stand. */
  ordered(body: EntryBody): readonly number[] {
    const standing: number[] = [];
    for (const { index, commitment } of erasedBy(body)) {
      const gone = this.waiting.get(index);
      if (!gone || gone.commitment !== commitment) standing.push(index);
      else if (gone.stream === body.stream || body.stream === PLATFORM_STREAM) this.waiting.delete(index);
    }
    return standing;
  }

  /** Entries whose bodies are gone though nobody ordered it, in the order of the log. */
  unordered(): readonly number[] {
    return [...this.waiting.keys()].sort((a, b) => a - b);
  }
}
