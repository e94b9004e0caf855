-- A name to show: made from the account's own until somebody chooses another.
ALTER TABLE account ADD COLUMN display TEXT NOT NULL DEFAULT '';
UPDATE account SET display = upper(substr(name, 1, 1)) || substr(name, 2)
