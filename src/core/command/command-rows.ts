import type { Tx } from "../store/index.ts";
import type { NewConsent } from "./consents.ts";
import type { NewlySeen, Settled } from "./projection.ts";

/** Rows that almost every batch has, for all its commands in one statement: what matters is how often PostgreSQL is asked, and that it plans it once. */
const PUT = {
  name: "rows of commands",
  text: `WITH
    -- A command that was refused because its nonce was used leaves no row: the nonce stays with the first one.
    seen AS (
      INSERT INTO command_seen (digest, actor, nonce, op, imvu, signed, intent_index, state, outcome_index, result)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $19::bigint[], $20::jsonb[])
        ON CONFLICT (digest) DO UPDATE SET state = excluded.state, intent_index = excluded.intent_index, signed = excluded.signed, actor = excluded.actor, imvu = excluded.imvu, outcome_index = excluded.outcome_index, result = excluded.result WHERE command_seen.state = 'refused'
    ),
    consents AS (
      INSERT INTO consent (imvu, subject, purpose, text, state, entry_index) SELECT * FROM unnest($9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
    )
    UPDATE command_seen SET state = ($16::text[])[array_position($15::text[], digest)], outcome_index = ($17::bigint[])[array_position($15::text[], digest)], result = ($18::jsonb[])[array_position($15::text[], digest)]
      WHERE digest = ANY($15::text[])`,
};

export interface CommandRows {
  readonly seen: readonly NewlySeen[];
  readonly consents: readonly NewConsent[];
  /** Of commands whose intents were committed before. */
  readonly settled: readonly Settled[];
}

export async function putCommandRows(tx: Tx, { seen, consents, settled }: CommandRows): Promise<void> {
  if (seen.length + consents.length + settled.length === 0) return;
  await tx.named(PUT, [
    seen.map(({ digest }) => digest),
    seen.map(({ actor }) => actor),
    seen.map(({ nonce }) => nonce),
    seen.map(({ op }) => op),
    seen.map(({ imvu }) => imvu),
    seen.map(({ signed }) => signed),
    seen.map(({ intentIndex }) => intentIndex),
    seen.map(({ state }) => state),
    consents.map(({ imvu }) => imvu),
    consents.map(({ params }) => params.subject),
    consents.map(({ params }) => params.purpose),
    consents.map(({ params }) => params.text),
    consents.map(({ params }) => params.state),
    consents.map(({ index }) => index),
    settled.map(({ digest }) => digest),
    settled.map(({ state }) => state),
    settled.map(({ index }) => index),
    settled.map(({ result }) => JSON.stringify(result)),
    seen.map(({ outcomeIndex }) => outcomeIndex),
    seen.map(({ result }) => (result === undefined ? null : JSON.stringify(result))),
  ]);
}
