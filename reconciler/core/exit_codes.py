"""The exit codes of a report.

They have a module of their own, because `status` compares them, and starts faster without the report's module.
"""

from typing import Final

IN_SYNC: Final = 0
COULD_NOT: Final = 1
WANTED: Final = 2
DAMAGED: Final = 3
NEEDS_PERSON: Final = 4
HOLLOW: Final = 5

GRAVEST_FIRST: Final = (HOLLOW, COULD_NOT, NEEDS_PERSON, DAMAGED, WANTED, IN_SYNC)
