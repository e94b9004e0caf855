-- The month of every entry, so that a month can be summed up without reading all days.
-- Entries that 1.0.0 wrote hold their day as it was typed, 24.11.2025: they are turned first.
UPDATE entry SET day = substr(day, 7, 4) || '-' || substr(day, 4, 2) || '-' || substr(day, 1, 2)
WHERE day LIKE '__.__.____';
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
