-- Where reality was found to be other than the law allows, as the log tells it: what owners are told of, and the status shows.

CREATE TABLE drift (
  entry_index bigint PRIMARY KEY,
  imvu        text   NOT NULL,
  -- Time of its entry: RFC 3339, UTC, milliseconds.
  found_at    text   NOT NULL,
  doc         jsonb  NOT NULL
);
CREATE INDEX drift_of_unit ON drift (imvu, entry_index);

GRANT SELECT, INSERT ON drift TO nexus_service;
