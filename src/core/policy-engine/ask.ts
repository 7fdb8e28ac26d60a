import type { Evidence, GateNumber } from "../../contract/index.ts";
import { type ImvuId, messageOf } from "../../kernel/index.ts";
import type { FabricName, Reality } from "./reality.ts";

/** One answer among those a gate combines. */
export interface Said extends Evidence {
  readonly by: string;
}

export const PROBE_TIMEOUT_MS = 60_000;
const DETAIL_CHARS_MAX = 4_000;

/** Asks every fabric that can see this gate; a needed one that cannot is an unproven answer, never silence. */
export async function askFabrics(reality: Reality, gate: GateNumber, imvu: ImvuId | undefined, needed: readonly FabricName[]): Promise<readonly Said[]> {
  const able = reality.fabrics.filter((fabric) => fabric.probes.includes(gate));
  const blind = needed.filter((name) => !able.some((fabric) => fabric.name === name));
  const said = await Promise.all(able.map((fabric) => listen(fabric.name, () => fabric.probe(gate, imvu))));
  return [...said, ...blind.map((name) => unproven(name, "cannot look at this gate yet"))];
}

/** A probe that throws or hangs has proved nothing. */
export async function listen(by: string, ask: () => Promise<Evidence>, timeout_ms = PROBE_TIMEOUT_MS): Promise<Said> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Evidence>((resolve) => {
    timer = setTimeout(() => resolve({ verdict: "unproven", detail: `no answer within ${timeout_ms} ms` }), timeout_ms);
  });
  try {
    const { verdict, detail } = await Promise.race([ask(), late]);
    return { by, verdict, detail };
  } catch (error) {
    return unproven(by, `could not be asked: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** One broken breaks; otherwise one unproven leaves it unproven; nothing asked is unproven. */
export function combine(said: readonly Said[]): Evidence {
  // What decides comes first: a row shows the beginning.
  const weight = { broken: 0, unproven: 1, holds: 2 };
  const detail = said.toSorted((a, b) => weight[a.verdict] - weight[b.verdict]).map((one) => `${one.by}: ${one.detail}`).join("; ");
  const verdict = said.some((one) => one.verdict === "broken")
    ? "broken"
    : said.length > 0 && said.every((one) => one.verdict === "holds")
      ? "holds"
      : "unproven";
  return { verdict, detail: cut(detail === "" ? "nothing could be asked" : detail) };
}

export function holds(by: string, detail: string): Said {
  return { by, verdict: "holds", detail };
}

export function broken(by: string, detail: string): Said {
  return { by, verdict: "broken", detail };
}

export function unproven(by: string, detail: string): Said {
  return { by, verdict: "unproven", detail };
}

function cut(text: string): string {
  return text.length > DETAIL_CHARS_MAX ? `${text.slice(0, DETAIL_CHARS_MAX - 3)}...` : text;
}
