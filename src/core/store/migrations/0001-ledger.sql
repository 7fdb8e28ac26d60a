-- The log. Rows are only ever added: the service role may INSERT and SELECT, and the triggers below refuse the rest to
-- everybody who has not switched them off on purpose. Whoever does is caught by the hashes, not by the database.

CREATE TABLE ledger_entry (
  index      bigint PRIMARY KEY CHECK (index >= 0),
  stream     text   NOT NULL CHECK (octet_length(stream) BETWEEN 1 AND 64),
  stream_seq bigint NOT NULL CHECK (stream_seq >= 0),
  -- Canonical JSON, exactly the bytes that are hashed.
  body       text   NOT NULL CHECK (octet_length(body) <= 32768),
  -- SHA-256(body): the public leaf data.
  leaf       bytea  NOT NULL,
  CONSTRAINT ledger_entry_leaf CHECK (leaf = sha256(convert_to(body, 'UTF8'))),
  CONSTRAINT ledger_entry_stream_seq UNIQUE (stream, stream_seq)
);
CREATE INDEX ledger_entry_stream ON ledger_entry (stream, index);

-- Runs of consecutive RFC 6962 node hashes, as they were committed: level 0 holds leaf hashes, one run for each batch of the
-- sequencer; level n holds the roots of full subtrees of 256^n leaves, which are the hashes of a C2SP tile at that level.
CREATE TABLE ledger_node (
  level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
  first  bigint   NOT NULL CHECK (first >= 0),
  hashes bytea    NOT NULL CHECK (octet_length(hashes) > 0 AND octet_length(hashes) % 32 = 0),
  PRIMARY KEY (level, first)
);

-- Every checkpoint ever signed. "previous" is unique and names the one this extends: two that extend the same one cannot both be
-- stored, whoever tries, so a crash or a second process cannot fork the log.
CREATE TABLE ledger_checkpoint (
  size     bigint PRIMARY KEY CHECK (size > 0),
  previous bigint UNIQUE NULLS NOT DISTINCT REFERENCES ledger_checkpoint (size) CHECK (previous < size),
  root     bytea  NOT NULL CHECK (octet_length(root) = 32),
  -- C2SP signed note.
  note     text   NOT NULL
);

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'the ledger only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- An entry continues the log where it ends: no gap, and nothing in between.
CREATE FUNCTION ledger_continues() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  low bigint; high bigint; many bigint; before bigint; last bigint;
BEGIN
  SELECT min(index), max(index), count(*) INTO low, high, many FROM added;
  IF many = 0 THEN RETURN NULL; END IF;
  -- Both by max(): always two steps down the index, where EXISTS might read the whole table.
  SELECT max(index) INTO before FROM ledger_entry WHERE index < low;
  SELECT max(index) INTO last FROM ledger_entry;
  IF low <> coalesce(before + 1, 0) OR high - low + 1 <> many OR last <> high THEN
    RAISE EXCEPTION 'the ledger has no gaps: entries % to % do not follow entry %', low, high, before USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_continues AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_continues();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_continues;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ledger_entry', 'ledger_node', 'ledger_checkpoint'] LOOP
    EXECUTE format('CREATE TRIGGER %1$s_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()', name);
    EXECUTE format('ALTER TABLE %1$s ENABLE ALWAYS TRIGGER %1$s_only_grows', name);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO nexus_service', name);
  END LOOP;
END $$;
