import type { Evidence } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import type { Parts } from "../parts.ts";
import { broken, holds, unproven } from "./asked.ts";

/** Gate 9: the tag on every container and volume, as the engine and the file system tell it, against the order and this node. */
export async function probePlaces({ site, containers, volumes, desiredOf }: Pick<Parts, "site" | "containers" | "volumes" | "desiredOf">, imvu: ImvuId, number: number): Promise<Evidence> {
  const declared = desiredOf(imvu)?.jurisdiction;
  if (declared === undefined) return unproven("nobody told compute where it may lie");
  const services = await containers.list(imvu);
  if ((await volumes.observe(number))?.mounted !== true) return broken("its volume is not mounted");
  const tags = [...services.map((service) => [`service ${service.name}`, service.jurisdiction] as const), ["its volume", await volumes.jurisdiction(number)] as const];
  for (const [what, tag] of tags) {
    if (tag !== declared) return broken(`${what} carries the tag "${tag}", declared is ${declared}`);
    if (!site.nodeJurisdictions.some((one) => one === tag)) return broken(`${what} is tagged ${tag}; this node is for ${site.nodeJurisdictions.join(", ")}`);
  }
  return holds(`${tags.length} resource(s) carry ${declared}, for which this node is allowed`);
}
