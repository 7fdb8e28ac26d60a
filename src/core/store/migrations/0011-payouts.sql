-- What the platform owes each creator, as it pays it: one row for each payout, told by the entries of the unit's stream.

CREATE TABLE payout (
  imvu        text           NOT NULL,
  number      integer        NOT NULL CHECK (number > 0),
  -- End-to-end identification: ISO 20022 Max35Text.
  id          text           NOT NULL UNIQUE CHECK (length(id) <= 35),
  currency    text           NOT NULL,
  -- Counts of 10^-21 currency units.
  amount      numeric(60, 0) NOT NULL CHECK (amount > 0),
  state       text           NOT NULL CHECK (state IN ('created', 'executed', 'returned')),
  -- Time of its entry: RFC 3339, UTC, milliseconds.
  created_at  text           NOT NULL,
  doc         jsonb          NOT NULL,
  entry_index bigint         NOT NULL UNIQUE,
  -- {index, reference, at} and {index, reason, at}
  executed    jsonb,
  returned    jsonb,
  PRIMARY KEY (imvu, number),
  CONSTRAINT payout_state_told CHECK (CASE state WHEN 'created' THEN executed IS NULL AND returned IS NULL WHEN 'executed' THEN executed IS NOT NULL AND returned IS NULL ELSE returned IS NOT NULL END)
);
CREATE INDEX payout_in_state ON payout (state, entry_index);
GRANT SELECT, INSERT, UPDATE ON payout TO nexus_service;

-- `creator` is what is owed. What is on its way stands in `transit`, what has left the platform in `paid`.
ALTER TABLE journal DROP CONSTRAINT journal_account_check;
ALTER TABLE journal ADD CONSTRAINT journal_account_check CHECK (account IN ('usage', 'sales', 'refunds', 'creator', 'platform', 'rounding', 'transit', 'paid'));
CREATE INDEX journal_owed ON journal (imvu, currency) INCLUDE (amount) WHERE account = 'creator';

-- The owner's word on where it goes is found among a unit's many commands.
CREATE INDEX command_seen_account ON command_seen (imvu, intent_index) WHERE op = 'imvu.payout.account';
