"""Sends queued letters through the relay; what it does not take is tried again."""

import os
import smtplib
import time

from store import migrate, rows, transaction


def send(letter: dict[str, object]) -> None:
    """Send one letter through the relay, and record that it was sent."""
    with smtplib.SMTP(os.environ["RELAY"], timeout=30) as relay:
        relay.sendmail(os.environ["FROM"], [str(letter["recipient"])], str(letter["text"]).encode())
    with transaction() as database:
        database.execute("UPDATE letter SET sent = 1 WHERE id = ?", (letter["id"],))


if __name__ == "__main__":
    migrate()
    while True:
        try:
            for waiting in rows("SELECT id, recipient, text FROM letter WHERE sent = 0 ORDER BY id"):
                send(waiting)
        except OSError as refusal:
            print(f"the relay does not answer: {refusal}", flush=True)
        time.sleep(5)
