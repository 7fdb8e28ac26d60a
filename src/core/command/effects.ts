import type { Command, Imvu } from "../../contract/index.ts";
import type { ImvuId, Json, Refusal } from "../../kernel/index.ts";
import type { Saga } from "./saga.ts";

/** One accepted command on its way through the engines. */
export interface Work {
  readonly command: Command;
  readonly digest: string;
  readonly actor: string;
  readonly before: Imvu | undefined;
  /** The IMVU's document when everything works; undefined for commands that have none. */
  readonly after: Imvu | undefined;
  /** What `allocate` answered. */
  readonly allocation: Json;
  readonly saga: Saga;
}

export interface Worked {
  /** Facts that only the engines knew (public keys they made): part of the outcome entry, so that a replay ends the same. */
  readonly learned: Json;
  /** What was read back, for the answer and the outcome entry. */
  readonly observed: Json;
}

/** What the command room needs from above: imvu/ implements it with the four fabrics. */
export interface Effects {
  /** Decisions of the platform at acceptance (numbers, addresses); recorded with the intent. */
  allocate(command: Command, actor: string, at: string, nextNumber: number): Promise<Json>;
  /** Pure: the document once `command` is done, before anything is learned. */
  after(command: Command, before: Imvu | undefined, allocation: Json): Imvu | undefined;
  /** Pure: adds what the engines taught us. */
  withLearned(after: Imvu, learned: Json): Imvu;
  /** Refuses what only the IMVU's rooms can judge (a record value's form); undefined: nothing against it. */
  objection(command: Command, before: Imvu | undefined): Promise<Refusal | undefined>;
  /** Pure: what there is to say of a command that is done when it is written down, because no engine has a part in it; undefined: it has to be run. */
  whole(command: Command, actor: string): Worked | undefined;
  run(work: Work): Promise<Worked>;
  /** Makes the engines equal to `to`; undefined: nothing of the IMVU remains. Used after a crash when a command cannot be finished. */
  converge(imvu: ImvuId, to: Imvu | undefined): Promise<void>;
}
