-- Format 4: number and hash of the ledger's last line, kept in the transaction that appends it. Without it, nobody
-- would notice that the last lines are gone.

CREATE TABLE ledger_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

INSERT INTO ledger_head (one, seq, hash) SELECT 1, seq, hash FROM ledger ORDER BY seq DESC LIMIT 1;

CREATE TRIGGER ledger_moves_its_head AFTER INSERT ON ledger
BEGIN
    INSERT OR REPLACE INTO ledger_head (one, seq, hash) VALUES (1, NEW.seq, NEW.hash);
END;
