-- Who invoices are from and to, as the last command said: of each unit's owner, and of the platform.

CREATE TABLE billing (
  -- An IMVU's id, or `platform`.
  subject     text   PRIMARY KEY,
  doc         jsonb  NOT NULL,
  entry_index bigint NOT NULL UNIQUE
);

-- Invoices, each written in the transaction of its entry. A series is counted from 1 without a gap, whoever writes: the row before is there, or this one is not.
CREATE TABLE invoice (
  series          text   NOT NULL,
  sequence        bigint NOT NULL CHECK (sequence > 0),
  number          text   NOT NULL UNIQUE,
  imvu            text   NOT NULL,
  period          text   NOT NULL,
  -- What it is about: one invoice for each statement and each correction.
  statement_index bigint NOT NULL UNIQUE,
  doc             jsonb  NOT NULL,
  entry_index     bigint NOT NULL UNIQUE,
  PRIMARY KEY (series, sequence),
  CONSTRAINT invoice_number CHECK (number = series || '-' || CASE WHEN sequence < 1000000 THEN lpad(sequence::text, 6, '0') ELSE sequence::text END)
);
CREATE INDEX invoice_of_unit ON invoice (imvu, period, entry_index);

CREATE FUNCTION invoice_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  last bigint;
BEGIN
  SELECT max(sequence) INTO last FROM invoice WHERE series = NEW.series;
  IF NEW.sequence <> coalesce(last, 0) + 1 THEN
    RAISE EXCEPTION 'invoices have no gaps: number % of % does not follow %', NEW.sequence, NEW.series, coalesce(last, 0) USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invoice_follows BEFORE INSERT ON invoice FOR EACH ROW EXECUTE FUNCTION invoice_follows();
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_follows;

CREATE FUNCTION invoice_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'an invoice that was issued stands: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER invoice_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION invoice_stands();
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_stands;

GRANT SELECT, INSERT, UPDATE ON billing TO nexus_service;
GRANT SELECT, INSERT ON invoice TO nexus_service;
