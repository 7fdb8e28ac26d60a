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
