-- A body that a law orders erased goes, and its leaf stays. Each one that went is named here with the entry that says so: the outcome of
-- the order.

CREATE TABLE ledger_erasure (
  index       bigint PRIMARY KEY REFERENCES ledger_entry (index),
  -- The entries of a batch are written at its end.
  order_index bigint NOT NULL REFERENCES ledger_entry (index) DEFERRABLE INITIALLY DEFERRED CHECK (order_index > index)
);
CREATE TRIGGER ledger_erasure_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_erasure FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE ledger_erasure ENABLE ALWAYS TRIGGER ledger_erasure_only_grows;
GRANT SELECT ON ledger_erasure TO nexus_service;

-- The check on the leaf holds for every body that is there. An entry begins with one.
ALTER TABLE ledger_entry ALTER COLUMN body DROP NOT NULL;

CREATE FUNCTION ledger_erases() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF OLD.body IS NULL OR NEW.body IS NOT NULL OR (NEW.index, NEW.stream, NEW.stream_seq, NEW.leaf) IS DISTINCT FROM (OLD.index, OLD.stream, OLD.stream_seq, OLD.leaf)
    OR NOT EXISTS (SELECT FROM ledger_erasure WHERE index = OLD.index) THEN
    RAISE EXCEPTION 'the ledger only grows: UPDATE on ledger_entry is refused' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;

DROP TRIGGER ledger_entry_only_grows ON ledger_entry;
CREATE TRIGGER ledger_entry_only_grows BEFORE DELETE OR TRUNCATE OR UPDATE OF index, stream, stream_seq, leaf ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_only_grows;
CREATE TRIGGER ledger_entry_erases BEFORE UPDATE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_erases();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_erases;

-- The service role itself still has no right to change or delete a row: these two do, and only this.
CREATE FUNCTION ledger_erase(gone bigint[], by_order bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  INSERT INTO ledger_erasure (index, order_index) SELECT one, by_order FROM unnest(gone) AS one;
  UPDATE ledger_entry SET body = NULL WHERE index = ANY(gone);
$$;
CREATE FUNCTION consent_erase(gone bigint[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM consent WHERE entry_index = ANY(gone) AND entry_index IN (SELECT index FROM ledger_erasure);
$$;
REVOKE ALL ON FUNCTION ledger_erase, consent_erase FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_erase, consent_erase TO nexus_service;

CREATE OR REPLACE FUNCTION ledger_continues() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  low bigint; high bigint; many bigint; whole bigint; before bigint; last bigint;
BEGIN
  SELECT min(index), max(index), count(*), count(body) INTO low, high, many, whole FROM added;
  IF many = 0 THEN RETURN NULL; END IF;
  -- Both by max(): always two steps down the index, where EXISTS might read the whole table.
  SELECT max(index) INTO before FROM ledger_entry WHERE index < low;
  SELECT max(index) INTO last FROM ledger_entry;
  IF low <> coalesce(before + 1, 0) OR high - low + 1 <> many OR last <> high OR whole <> many THEN
    RAISE EXCEPTION 'the ledger has no gaps: entries % to % do not follow entry %', low, high, before USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

-- Only erasures leave dead rows here: the old versions go within minutes, and do not wait for a fifth of the table.
ALTER TABLE ledger_entry SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 0, toast.autovacuum_vacuum_scale_factor = 0);
ALTER TABLE command_seen SET (toast.autovacuum_vacuum_threshold = 0, toast.autovacuum_vacuum_scale_factor = 0);
