-- The month of every entry, so that a month can be summed up without reading all days.
CREATE TABLE dated (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    month TEXT NOT NULL,
    text TEXT NOT NULL,
    cents INTEGER NOT NULL,
    currency TEXT NOT NULL
);
INSERT INTO dated (id, day, month, text, cents, currency)
SELECT id, day, strftime('%Y-%m', day), text, cents, currency FROM entry;
DROP TABLE entry;
ALTER TABLE dated RENAME TO entry
