import type { Evidence } from "../../contract/index.ts";
import { type ImvuId, imvuIdOf, imvuNumberOf } from "../../kernel/index.ts";
import type { Parts } from "../parts.ts";

export const holds = (detail: string): Evidence => ({ verdict: "holds", detail });
export const broken = (detail: string): Evidence => ({ verdict: "broken", detail });
export const unproven = (detail: string): Evidence => ({ verdict: "unproven", detail });

/** Every IMVU of which the machine itself shows anything: a group, a volume, a container. */
export async function present({ groups, volumes, containers }: Pick<Parts, "groups" | "volumes" | "containers">): Promise<readonly ImvuId[]> {
  const numbers = new Set([...(await groups.numbers()), ...(await volumes.numbers())]);
  const ids = new Set<string>([...numbers].map(imvuIdOf));
  for (const { imvu } of await containers.list(undefined)) ids.add(imvu);
  return [...ids].sort() as ImvuId[];
}

/** One sentence per IMVU; the first that is broken ends it, one unproven leaves all unproven. */
export async function each(imvus: readonly ImvuId[], ask: (imvu: ImvuId, number: number) => Promise<Evidence>): Promise<Evidence> {
  if (imvus.length === 0) return unproven("there is no IMVU to look at");
  const said: Evidence[] = [];
  for (const imvu of imvus) {
    const { verdict, detail } = await ask(imvu, imvuNumberOf(imvu));
    if (verdict === "broken") return broken(`${imvu}: ${detail}`);
    said.push({ verdict, detail: `${imvu}: ${detail}` });
  }
  const doubtful = said.filter((one) => one.verdict === "unproven");
  return doubtful.length > 0 ? unproven(doubtful.map((one) => one.detail).join("; ")) : holds(said.map((one) => one.detail).join("; "));
}
