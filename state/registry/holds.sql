-- Format 2: what a person decided about a recipe. A row is deleted when its decision ends.

CREATE TABLE hold (
    recipe TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rolled_back (
    recipe TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
