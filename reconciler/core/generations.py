"""Decides which generations of a recipe are deleted."""

from collections.abc import Callable, Sequence
from itertools import islice

from state.records import Canonical


def generations_to_delete(
    stored: Sequence[Canonical], keep: int, is_intact: Callable[[Canonical], bool]
) -> tuple[Canonical, ...]:
    """Return the generations that are older than the newest `keep` intact ones; () if fewer than `keep` are intact.

    * `stored`: the stored generations of one recipe, the newest first. The result has the same order.
    * `is_intact`: returns whether the snapshot of a generation is intact. It is called only as often as needed.
    """
    if len(stored) <= keep:
        return ()
    kept = [each.generation for each in islice(filter(is_intact, stored), keep)]
    return tuple(each for each in stored if len(kept) == keep and each.generation < min(kept))


def deletion_text(deleted: Sequence[Canonical], keep: int, *, is_done: bool) -> str:
    """Return a sentence that names generations of one recipe that were or would be deleted, the newest first.

    * `deleted`: the generations, at least one.
    * `keep`: how many intact generations the recipe keeps.
    * `is_done`: whether they were deleted already.
    """
    names = ", ".join(f"{each.generation} ({each.version})" for each in deleted)
    several = len(deleted) > 1
    verb = ("were" if several else "was") if is_done else "would be"
    noun = "generations" if several else "generation"
    return f"{deleted[0].recipe}: {noun} {names} {verb} deleted: [canonical] generations = {keep}"
