-- Tariffs as the log tells them: what a command that publishes another is judged by.

CREATE TABLE tariff (
  entry_index bigint PRIMARY KEY,
  currency    text   NOT NULL,
  -- As it was published: RFC 3339, UTC, milliseconds.
  valid_from  text   NOT NULL
);
CREATE INDEX tariff_of_currency ON tariff (currency);

INSERT INTO tariff (entry_index, currency, valid_from)
  SELECT index, body::jsonb #>> '{data,currency}', body::jsonb #>> '{data,validFrom}' FROM ledger_entry WHERE stream = 'platform' AND body::jsonb ->> 'type' = 'platform.tariff';

-- Amounts have as many decimals as their currency's minor unit: none, two, three or four.
ALTER TABLE sale ALTER COLUMN amount TYPE numeric;
ALTER TABLE sale ADD CONSTRAINT sale_amount_exact CHECK (amount < 1e12 AND scale(amount) <= 4);

GRANT SELECT, INSERT ON tariff TO nexus_service;
