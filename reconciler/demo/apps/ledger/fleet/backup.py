"""Saves the book as CSV."""

import csv
import os
from pathlib import Path

from calling import get

with Path(os.environ["BACKUP_DIR"], "ledger.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerows((entry["day"], entry["text"], entry["cents"]) for entry in get("/entries"))
