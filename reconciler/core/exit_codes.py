"""The exit codes of a report. A module of their own, since `status` compares codes and needs no report."""

from typing import Final

IN_SYNC: Final = 0
COULD_NOT: Final = 1
WANTED: Final = 2
DAMAGED: Final = 3
NEEDS_PERSON: Final = 4
HOLLOW: Final = 5

GRAVEST_FIRST: Final = (HOLLOW, COULD_NOT, NEEDS_PERSON, DAMAGED, WANTED, IN_SYNC)
