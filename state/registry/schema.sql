-- Format 1 of the registry. What holds for every row is said here, so that no writer can forget it.

PRAGMA application_id = 1130458670;  -- "Can."

-- The greatest number ever recorded. It outlives the recipe, so that a number names one snapshot for ever.
CREATE TABLE generation (
    recipe TEXT NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL CHECK (last > 0)
) STRICT, WITHOUT ROWID;

-- `digest` hashes the other columns of its row: SQLite itself would not notice a flipped bit.
CREATE TABLE canonical (
    recipe TEXT NOT NULL REFERENCES generation (recipe),
    generation INTEGER NOT NULL CHECK (generation > 0),
    record TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (recipe, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE memory (
    recipe TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- At most one promotion of a recipe is under way.
CREATE TABLE intent (
    recipe TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation > 0),
    record TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    seq INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    recipe TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE INDEX ledger_of_recipe ON ledger (recipe, kind, seq);

CREATE TRIGGER canonical_is_never_rewritten BEFORE UPDATE ON canonical
BEGIN
    SELECT RAISE (ABORT, 'a canonical is never rewritten');
END;

CREATE TRIGGER generation_is_used_once BEFORE UPDATE ON generation WHEN NEW.last <= OLD.last
BEGIN
    SELECT RAISE (ABORT, 'a generation is recorded once');
END;

CREATE TRIGGER intent_names_a_new_generation BEFORE INSERT ON intent
WHEN NEW.generation <= (SELECT last FROM generation WHERE recipe = NEW.recipe)
BEGIN
    SELECT RAISE (ABORT, 'a generation is recorded once');
END;

CREATE TRIGGER ledger_is_never_rewritten BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE (ABORT, 'the ledger is only appended to');
END;

CREATE TRIGGER ledger_is_never_cut BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE (ABORT, 'the ledger is only appended to');
END;

-- Also keeps INSERT OR REPLACE off, which would delete without asking the trigger above.
CREATE TRIGGER ledger_goes_on BEFORE INSERT ON ledger
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger)
    OR NEW.prev <> coalesce((SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1), '')
BEGIN
    SELECT RAISE (ABORT, 'a line of the ledger follows the one before');
END;
