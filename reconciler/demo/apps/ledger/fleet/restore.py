"""Enters a saved book into an empty one."""

import csv
import os
from pathlib import Path

from calling import post

with Path(os.environ["BACKUP_DIR"], "ledger.csv").open(newline="", encoding="utf-8") as file:
    for day, text, cents in csv.reader(file):
        post("/entries", day=day, text=text, cents=cents)
