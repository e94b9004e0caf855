"""How long to wait between two looks at something that takes its time."""

import time
from collections.abc import Callable, Iterator

# A look that hung says nothing about the next one.
MOST = 10.0


def pauses(first: float, growth: float, longest: float, clock: Callable[[], float] = time.monotonic) -> Iterator[float]:
    """Seconds to wait before each next look: from `first` on `growth` times as long, up to `longest`.

    Each is at least twice as long as the last look took, up to MOST: on a busy host many who wait would otherwise keep
    it busy with looking. To be asked for right after each look.
    """
    grown, given_at = first, clock()
    yield (given := grown)
    while True:
        looked = clock() - given_at - given
        grown, given_at = min(growth * grown, longest), clock()
        yield (given := max(grown, min(2 * looked, MOST)))
