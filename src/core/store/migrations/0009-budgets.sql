-- What a unit's people want to be told of a month's usage, as the log tells it, and what they were told. A budget stops nothing.

CREATE TABLE budget (
  imvu        text    PRIMARY KEY,
  amount      numeric NOT NULL CHECK (amount > 0 AND amount < 1e12 AND scale(amount) <= 4),
  currency    text    NOT NULL,
  -- Percents of the amount, ascending.
  thresholds  int[]   NOT NULL CHECK (array_length(thresholds, 1) BETWEEN 1 AND 5),
  entry_index bigint  NOT NULL UNIQUE
);

-- Once for each budget as it was set, month and threshold: whoever is second is refused by the key, and his entry with it.
CREATE TABLE budget_reached (
  -- Entry of the command that set it.
  budget      bigint NOT NULL,
  period      text   NOT NULL,
  what        text   NOT NULL CHECK (what IN ('usage', 'forecast')),
  percent     int    NOT NULL,
  imvu        text   NOT NULL,
  doc         jsonb  NOT NULL,
  entry_index bigint NOT NULL UNIQUE,
  PRIMARY KEY (budget, period, what, percent)
);
CREATE INDEX budget_reached_of_unit ON budget_reached (imvu, entry_index);

GRANT SELECT, INSERT, DELETE ON budget TO nexus_service;
GRANT SELECT, INSERT ON budget_reached TO nexus_service;
