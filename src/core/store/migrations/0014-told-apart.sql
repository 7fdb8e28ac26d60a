-- Of a unit's entries nearly all are readings. Whoever asks for what else its stream tells finds that without them, however old the unit is. A body is in
-- canonical form, so its last members say what it is; an erased one is kept in view.
CREATE INDEX ledger_entry_but_readings ON ledger_entry (stream, index) WHERE (right(body, 30) IS DISTINCT FROM ',"type":"meter.reading","v":1}');
