"""Takes notes from the queue and indexes their words."""

import re
import time

from store import migrate, transaction


def index_next() -> bool:
    """Index one note from the queue. Return False if the queue is empty."""
    with transaction() as database:
        job = database.execute("SELECT id, note FROM job ORDER BY id LIMIT 1").fetchone()
        if job is None:
            return False
        (text,) = database.execute("SELECT title || ' ' || text FROM note WHERE id = ?", (job["note"],)).fetchone()
        words = {(word, job["note"]) for word in re.findall(r"\w+", text)}
        database.executemany("INSERT INTO word (word, note) VALUES (?, ?)", sorted(words))
        database.execute("DELETE FROM job WHERE id = ?", (job["id"],))
    return True


if __name__ == "__main__":
    migrate()
    while True:
        if not index_next():
            time.sleep(0.1)
