-- Double entry: what each closed statement and each correction books, as the log tells it. Counts of 10^-21 currency units; a debit is more than 0.

CREATE TABLE journal (
  entry_index bigint         NOT NULL,
  account     text           NOT NULL CHECK (account IN ('usage', 'sales', 'refunds', 'creator', 'platform', 'rounding')),
  imvu        text           NOT NULL,
  period      text           NOT NULL,
  currency    text           NOT NULL,
  amount      numeric(60, 0) NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (entry_index, account)
);
CREATE INDEX journal_of_unit ON journal (imvu, entry_index);

CREATE FUNCTION journal_balances() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  one bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.entry_index ELSE NEW.entry_index END;
  total numeric;
BEGIN
  SELECT sum(amount) INTO total FROM journal WHERE entry_index = one;
  IF total <> 0 THEN
    RAISE EXCEPTION 'debits and credits of entry % differ by %', one, total USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_balances AFTER INSERT OR UPDATE OR DELETE ON journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_balances();
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_balances;

-- What was closed before there was a journal. A statement without a payout pays its creator's share, rounded up to the cent.
WITH made AS (
  SELECT entry_index, imvu, period, currency, doc, 'statement' AS kind FROM statement
  UNION ALL
  SELECT entry_index, imvu, period, currency, doc, 'correction' FROM correction
), figures AS (
  SELECT entry_index, imvu, period, currency,
    CASE kind WHEN 'statement' THEN coalesce(doc->>'usage', doc->>'gross')::numeric ELSE 0 END AS usage,
    coalesce(doc#>>'{revenue,recorded}', '0')::numeric AS sales,
    coalesce(doc#>>'{revenue,reversed}', '0')::numeric AS refunds,
    (doc->>'creator')::numeric AS creator,
    (doc->>'platform')::numeric AS platform,
    coalesce((doc#>>'{payout,creator}')::numeric, ceil((doc->>'creator')::numeric * 100) / 100) AS paid
  FROM made
)
INSERT INTO journal (entry_index, account, imvu, period, currency, amount)
  SELECT entry_index, account, imvu, period, currency, amount * 1e21
  FROM figures, LATERAL (VALUES ('usage', usage), ('sales', sales), ('refunds', -refunds), ('creator', -paid), ('platform', -platform), ('rounding', paid - creator)) AS posting (account, amount)
  WHERE amount <> 0;

GRANT SELECT, INSERT ON journal TO nexus_service;
