import { bigintArray, type Bound, textArray } from "../store/index.ts";
import type { NewConsent } from "./consents.ts";
import type { NewlySeen, Settled } from "./projection.ts";

/** Rows that almost every batch has, for all its commands in one statement: what matters is how often PostgreSQL is asked, and that it plans it once. */
const PUT = {
  name: "rows of commands",
  text: `WITH
    -- A command that was refused because its nonce was used leaves no row: the nonce stays with the first one.
    seen AS (
      INSERT INTO command_seen (digest, actor, nonce, op, imvu, signed, intent_index, state, outcome_index, result)
        SELECT digest, actor, nonce, op, imvu, signed, intent_index, state, outcome_index, result::jsonb
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $19::bigint[], $20::text[]) AS new (digest, actor, nonce, op, imvu, signed, intent_index, state, outcome_index, result)
        ON CONFLICT (digest) DO UPDATE SET state = excluded.state, intent_index = excluded.intent_index, signed = excluded.signed, actor = excluded.actor, imvu = excluded.imvu, outcome_index = excluded.outcome_index, result = excluded.result WHERE command_seen.state = 'refused'
    ),
    consents AS (
      INSERT INTO consent (imvu, subject, purpose, text, state, entry_index) SELECT * FROM unnest($9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
    )
    UPDATE command_seen SET state = ($16::text[])[array_position($15::text[], digest)], outcome_index = ($17::bigint[])[array_position($15::text[], digest)], result = ($18::text[])[array_position($15::text[], digest)]::jsonb
      WHERE digest = ANY($15::text[])`,
};

export interface CommandRows {
  readonly seen: readonly NewlySeen[];
  readonly consents: readonly NewConsent[];
  /** Of commands whose intents were committed before. */
  readonly settled: readonly Settled[];
}

/** Nothing to write: undefined. */
export function commandRows({ seen, consents, settled }: CommandRows): Bound | undefined {
  if (seen.length + consents.length + settled.length === 0) return undefined;
  return {
    statement: PUT,
    params: [
      textArray(seen.map(({ digest }) => digest)),
      textArray(seen.map(({ actor }) => actor)),
      textArray(seen.map(({ nonce }) => nonce)),
      textArray(seen.map(({ op }) => op)),
      textArray(seen.map(({ imvu }) => imvu)),
      textArray(seen.map(({ signed }) => signed)),
      bigintArray(seen.map(({ intentIndex }) => intentIndex)),
      textArray(seen.map(({ state }) => state)),
      textArray(consents.map(({ imvu }) => imvu)),
      textArray(consents.map(({ params }) => params.subject)),
      textArray(consents.map(({ params }) => params.purpose)),
      textArray(consents.map(({ params }) => params.text)),
      textArray(consents.map(({ params }) => params.state)),
      bigintArray(consents.map(({ index }) => index)),
      textArray(settled.map(({ digest }) => digest)),
      textArray(settled.map(({ state }) => state)),
      bigintArray(settled.map(({ index }) => index)),
      textArray(settled.map(({ result }) => JSON.stringify(result))),
      bigintArray(seen.map(({ outcomeIndex }) => outcomeIndex)),
      textArray(seen.map(({ result }) => (result === undefined ? null : JSON.stringify(result)))),
    ],
  };
}
