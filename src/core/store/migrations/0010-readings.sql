-- What is asked of a unit's readings: since when it is metered, and what its newest entry says of when and what. The readings themselves are in the
-- log, and every figure is made from there: a row for each value only repeated it.

CREATE TABLE reading_asked (
  imvu        text        NOT NULL,
  place       text        NOT NULL CHECK (place IN ('first', 'newest')),
  entry_index bigint      NOT NULL,
  at          timestamptz NOT NULL,
  resources   text[]      NOT NULL,
  CONSTRAINT reading_of_unit PRIMARY KEY (imvu, place)
);

INSERT INTO reading_asked
  SELECT imvu, place, entry_index, min(at), array_agg(DISTINCT resource COLLATE "C" ORDER BY resource COLLATE "C")
    FROM reading JOIN (
      SELECT imvu, 'first' AS place, min(entry_index) AS entry_index FROM reading GROUP BY imvu
      UNION ALL SELECT imvu, 'newest', max(entry_index) FROM reading GROUP BY imvu
    ) AS asked USING (imvu, entry_index)
   GROUP BY imvu, place, entry_index;

DROP TABLE reading;
ALTER TABLE reading_asked RENAME TO reading;

GRANT SELECT, INSERT, UPDATE, DELETE ON reading TO nexus_service;

-- Most bodies are longer than what is kept as it is. Where the server has lz4 it takes a fraction of pglz's time, to write and to read; what stands
-- there stays as it was written.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
    ALTER TABLE ledger_entry ALTER COLUMN body SET COMPRESSION lz4;
  END IF;
END $$;
