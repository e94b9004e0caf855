"""Decides which generations of a recipe are deleted, and from which one its data goes on after damage."""

from collections.abc import Callable, Sequence
from itertools import islice

from desired.versions import version_key
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


def generations_to_go_on_from(damaged: Canonical, recorded: Sequence[Canonical]) -> tuple[Canonical, ...]:
    """Return the generations from whose data a recipe with a damaged canonical may go on, the best first.

    They are those before `damaged` in the history of its data: before a copy comes the generation of which it is a
    copy, and before any other the one with the next lower number. Generations that a person left by a rollback are in
    no history of what came after it. A generation of a newer release than that of `damaged` is left out as well.

    `recorded` are the recorded generations of the recipe, the newest first.
    """
    history = [damaged]
    for each in recorded:
        if each.generation <= _last_before(history[-1]):
            history.append(each)
    return tuple(each for each in history[1:] if version_key(each.version) <= version_key(damaged.version))


def _last_before(canonical: Canonical) -> int:
    """Return the highest number that the generation before `canonical` in the history of its data may have."""
    return canonical.generation - 1 if canonical.copy_of is None else canonical.copy_of
