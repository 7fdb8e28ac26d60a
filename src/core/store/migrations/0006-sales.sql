-- What was sold inside the units, and paid back of it, each under the name that its own source gave it.

CREATE TABLE sale (
  imvu        text           NOT NULL,
  source_id   text           NOT NULL,
  -- The sale that it takes back, or a part of it.
  reverses    text,
  amount      numeric(14, 2) NOT NULL CHECK (amount > 0),
  currency    text           NOT NULL,
  -- As it was signed: RFC 3339, UTC, milliseconds.
  at          text           NOT NULL,
  entry_index bigint         NOT NULL UNIQUE,
  PRIMARY KEY (imvu, source_id),
  FOREIGN KEY (imvu, reverses) REFERENCES sale (imvu, source_id)
);
CREATE INDEX sale_reversals ON sale (imvu, reverses) WHERE reverses IS NOT NULL;
CREATE INDEX sale_in_order ON sale (imvu, entry_index);

-- What sales that came after their month had closed change of it. Money is a count of 10^-21 currency units; gross, creator and platform are
-- the month as it is with the correction, and obey the constants of the law like a statement's.
CREATE TABLE correction (
  imvu        text           NOT NULL,
  period      text           NOT NULL,
  number      integer        NOT NULL CHECK (number > 0),
  currency    text           NOT NULL,
  gross       numeric(60, 0) NOT NULL,
  creator     numeric(60, 0) NOT NULL,
  platform    numeric(60, 0) NOT NULL,
  doc         jsonb          NOT NULL,
  entry_index bigint         NOT NULL UNIQUE,
  PRIMARY KEY (imvu, period, number),
  FOREIGN KEY (imvu, period) REFERENCES statement (imvu, period),
  CONSTRAINT correction_whole CHECK (gross = creator + platform),
  CONSTRAINT correction_split_55_45 CHECK (platform * 100 <= gross * 45 AND gross * 45 < (platform + 1) * 100)
);

GRANT SELECT, INSERT ON sale, correction TO nexus_service;
