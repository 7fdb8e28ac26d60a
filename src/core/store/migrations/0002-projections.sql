-- Projections of the ledger: each row can be thrown away and made again from the log. The service role may change them.

CREATE TABLE imvu (
  id            text   PRIMARY KEY,
  number        int    NOT NULL UNIQUE CHECK (number > 0),
  owner         text   NOT NULL,
  status        text   NOT NULL,
  doc           jsonb  NOT NULL,
  -- Index of the ledger entry this row was last made from.
  updated_index bigint NOT NULL
);
CREATE INDEX imvu_owner ON imvu (owner);

CREATE TABLE identity (
  name          text   PRIMARY KEY,
  kid           text   NOT NULL UNIQUE,
  public_key    text   NOT NULL,
  status        text   NOT NULL,
  doc           jsonb  NOT NULL,
  updated_index bigint NOT NULL
);

-- Commands that were verified: the same command again answers its first outcome, an actor's nonce is used once.
CREATE TABLE command_seen (
  digest        text   PRIMARY KEY,
  actor         text   NOT NULL,
  nonce         text   NOT NULL,
  op            text   NOT NULL,
  imvu          text,
  -- The JWS in general JSON serialisation, as it came.
  signed        text   NOT NULL,
  intent_index  bigint NOT NULL,
  outcome_index bigint,
  state         text   NOT NULL CHECK (state IN ('accepted', 'refused', 'applied', 'failed')),
  result        jsonb,
  CONSTRAINT command_seen_nonce UNIQUE (actor, nonce)
);
-- What a start after a crash looks for.
CREATE INDEX command_seen_open ON command_seen (intent_index) WHERE state = 'accepted';
CREATE INDEX command_seen_imvu ON command_seen (imvu, intent_index);

CREATE TABLE reading (
  imvu        text           NOT NULL,
  entry_index bigint         NOT NULL,
  resource    text           NOT NULL,
  at          timestamptz    NOT NULL,
  value       numeric(40, 0) NOT NULL CHECK (value >= 0),
  boot        text           NOT NULL,
  epoch       text           NOT NULL,
  PRIMARY KEY (imvu, resource, entry_index)
);

-- Closed statements. Money is a count of 10^-21 currency units. The constants of the law once more: the platform's part is the
-- floor of 45 percent and the creator's is everything else. Written without a division, which would round.
CREATE TABLE statement (
  imvu        text           NOT NULL,
  period      text           NOT NULL,
  currency    text           NOT NULL,
  gross       numeric(60, 0) NOT NULL,
  creator     numeric(60, 0) NOT NULL,
  platform    numeric(60, 0) NOT NULL,
  doc         jsonb          NOT NULL,
  entry_index bigint         NOT NULL UNIQUE,
  PRIMARY KEY (imvu, period),
  CONSTRAINT statement_whole CHECK (gross = creator + platform),
  CONSTRAINT statement_split_55_45 CHECK (platform * 100 <= gross * 45 AND gross * 45 < (platform + 1) * 100)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON imvu, identity, command_seen, reading, statement TO nexus_service;
