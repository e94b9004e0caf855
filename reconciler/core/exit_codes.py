"""The exit codes of a report, and of a pass that a signal interrupted.

They have a module of their own, because `status` compares them, and starts faster without the report's module.
"""

from typing import Final

IN_SYNC: Final = 0
COULD_NOT: Final = 1
WANTED: Final = 2
DAMAGED: Final = 3
NEEDS_PERSON: Final = 4
HOLLOW: Final = 5
SIGNALLED: Final = 128
"""To this, the number of the signal is added that interrupted the command, as shells do."""

GRAVEST_FIRST: Final = (HOLLOW, COULD_NOT, NEEDS_PERSON, DAMAGED, WANTED, IN_SYNC)
