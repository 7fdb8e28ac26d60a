-- Consents of end users, in the order of the log; a projection like the others. Nothing is ever changed in it.

CREATE TABLE consent (
  imvu        text   NOT NULL,
  subject     text   NOT NULL,
  purpose     text   NOT NULL,
  -- SHA-256 of the text the subject was shown.
  text        text   NOT NULL,
  state       text   NOT NULL CHECK (state IN ('given', 'withdrawn')),
  -- The command's intent entry.
  entry_index bigint PRIMARY KEY
);
CREATE INDEX consent_subject ON consent (imvu, subject, purpose, entry_index);

GRANT SELECT, INSERT ON consent TO nexus_service;
