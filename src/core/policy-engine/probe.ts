import type { Evidence } from "../../contract/index.ts";
import { type ImvuId, messageOf } from "../../kernel/index.ts";
import type { Gate } from "./gate.ts";
import { GATES } from "./gates.ts";
import type { ProbeRow, Reality } from "./reality.ts";

/** Seventeen rows, always, one gate after another: the engines serve creators meanwhile. */
export async function probeGates(reality: Reality, imvu: ImvuId | undefined): Promise<readonly ProbeRow[]> {
  const rows: ProbeRow[] = [];
  for (const gate of GATES) rows.push(await rowOf(gate, reality, imvu));
  return rows;
}

export async function rowOf(gate: Gate, reality: Reality, imvu: ImvuId | undefined): Promise<ProbeRow> {
  const began = performance.now();
  const { verdict, detail } = await probed(gate, reality, imvu);
  return { gate: gate.number, title: gate.title, verdict, evidence: detail, ms: Math.round(performance.now() - began) };
}

/** A probe that throws has proved nothing; it has not found the law broken either. */
async function probed(gate: Gate, reality: Reality, imvu: ImvuId | undefined): Promise<Evidence> {
  try {
    return await gate.probe(reality, imvu);
  } catch (error) {
    return { verdict: "unproven", detail: `could not be asked: ${messageOf(error)}` };
  }
}
