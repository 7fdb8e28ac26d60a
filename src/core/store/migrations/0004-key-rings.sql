-- An identity has several keys over time, and some at once. Its row is the ring as the log tells it: { name, keys, recovery, pending }.
-- identity_key finds the identity of every key that it ever made known; operators have a role on the platform itself.

CREATE TABLE identity_key (
  kid        text PRIMARY KEY,
  identity   text NOT NULL,
  public_key text NOT NULL
);
INSERT INTO identity_key (kid, identity, public_key) SELECT kid, name, public_key FROM identity;

UPDATE identity SET doc = jsonb_build_object(
  'name', name,
  'keys', jsonb_build_array(jsonb_build_object('kid', kid, 'publicKey', public_key, 'device', NULL, 'since', updated_index, 'ended', NULL)),
  'recovery', NULL,
  'pending', NULL
);
ALTER TABLE identity DROP COLUMN kid, DROP COLUMN public_key, DROP COLUMN status;

-- What is asked of all units for one command, without reading their documents.
ALTER TABLE imvu
  ADD COLUMN zone          text   GENERATED ALWAYS AS (doc->>'zone') STORED,
  ADD COLUMN cpu_millis    bigint GENERATED ALWAYS AS ((doc->'envelope'->>'cpuMillis')::bigint) STORED,
  ADD COLUMN memory_bytes  bigint GENERATED ALWAYS AS ((doc->'envelope'->>'memoryBytes')::bigint) STORED,
  ADD COLUMN storage_bytes bigint GENERATED ALWAYS AS ((doc->'envelope'->>'storageBytes')::bigint) STORED;

-- The newest reading of a unit, without reading all of them.
CREATE INDEX reading_newest ON reading (imvu, entry_index);

CREATE TABLE operator (
  identity    text   PRIMARY KEY,
  -- Index of the entry that made it one.
  entry_index bigint NOT NULL
);

GRANT SELECT, INSERT ON identity_key TO nexus_service;
GRANT SELECT, INSERT, DELETE ON operator TO nexus_service;
