"""Adds queued visits to the totals."""

import time

from store import migrate, transaction

ADD = """
INSERT INTO total (page, place, visits) SELECT page, place, count(*) FROM visit WHERE true GROUP BY page, place
ON CONFLICT (page, place) DO UPDATE SET visits = visits + excluded.visits
"""

if __name__ == "__main__":
    migrate()
    while True:
        with transaction() as database:
            database.execute(ADD)
            database.execute("DELETE FROM visit")
        time.sleep(0.2)
