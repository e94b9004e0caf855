"""Which place a network is at, by a table that holds on every machine."""

import csv
from pathlib import Path

with Path(__file__).with_name("places.csv").open(newline="", encoding="utf-8") as file:
    PLACES = dict(csv.reader(file))


def place_of(network: str) -> str:
    """Return the place of a network; "elsewhere" if it is not in the table."""
    return PLACES.get(network, "elsewhere")
