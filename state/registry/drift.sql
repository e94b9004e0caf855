-- Format 3: how each recipe differed from what it should be when the last pass ended, and since when.
CREATE TABLE drift (
    recipe TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
