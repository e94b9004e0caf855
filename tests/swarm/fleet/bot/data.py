"""`ready` asks whether the bot is at work, `mark` leaves it a word, `check` reads that."""

import os
import subprocess
import sys

WORD = "Grüße an Ada"
INSIDE = {
    "ready": ["test", "-e", "/data/alive"],
    "mark": ["sh", "-c", 'printf %s "$1" >/data/word', "sh", WORD],
    "check": ["cat", "/data/word"],
}

done = subprocess.run([os.environ["APP_RUN"], *INSIDE[sys.argv[1]]], capture_output=True, encoding="utf-8", check=False)
if done.returncode:
    sys.exit(f"{sys.argv[1]}: {done.stderr}")
if sys.argv[1] == "check" and done.stdout != WORD:
    sys.exit(f"the bot keeps {done.stdout!r}")
