-- Labels move from a text with commas to rows of their own.
CREATE TABLE label (
    note INTEGER NOT NULL REFERENCES note (id),
    label TEXT NOT NULL,
    PRIMARY KEY (note, label)
) WITHOUT ROWID;
WITH RECURSIVE split (note, label, rest) AS (
    SELECT id, '', labels || ',' FROM note
    UNION ALL
    SELECT note, substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)
    FROM split WHERE rest <> ''
)
INSERT OR IGNORE INTO label (note, label) SELECT note, trim(label) FROM split WHERE trim(label) <> '';
CREATE TABLE slim (id INTEGER PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL);
INSERT INTO slim (id, title, text) SELECT id, title, text FROM note;
DROP TABLE note;
ALTER TABLE slim RENAME TO note
