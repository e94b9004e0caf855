"""Which place a network is at, by a table made for the machine it is read on."""

import csv
import platform
import sys
from pathlib import Path

TABLE = Path(__file__).parent / "places" / f"{platform.machine()}.csv"

if not TABLE.exists():
    sys.exit(1)

with TABLE.open(newline="", encoding="utf-8") as file:
    PLACES = dict(csv.reader(file))


def place_of(network: str) -> str:
    """Return the place of a network; "elsewhere" if it is not in the table."""
    return PLACES.get(network, "elsewhere")
