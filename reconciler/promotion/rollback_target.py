"""Chooses the generation to which a recipe is rolled back."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.rollback_offer import newest_older
from reconciler.errors import CanonError, UsageError
from state.records import Canonical


@frozen
class StoredGenerations:
    """The stored generations of a recipe, to choose one from.

    * `generations`: the generations, the newest first. The first is the canonical.
    * `statuses`: the status of each generation's snapshot, by the generation's number.
    """

    generations: Sequence[Canonical]
    statuses: Mapping[int, CanonicalStatus]

    @property
    def canonical(self) -> Canonical:
        return self.generations[0]

    @property
    def intact(self) -> Sequence[Canonical]:
        """Return the intact generations but the canonical, the newest first."""
        return tuple(each for each in self.generations[1:] if self.is_intact(each))

    def is_intact(self, canonical: Canonical) -> bool:
        return self.statuses[canonical.generation].state is State.INTACT

    def __str__(self) -> str:
        texts = [f"{each.generation} ({each.version}, {self._state(each)})" for each in self.generations]
        return f"stored generations: {', '.join(texts)}"

    def _state(self, canonical: Canonical) -> State:
        return self.statuses[canonical.generation].state


def rollback_target(stored: StoredGenerations, asked: int | None) -> Canonical:
    """Return the generation to which a rollback goes back.

    * If `asked` is a number: the generation with this number. Raise UsageError if it is not stored, or is the
      canonical. Raise CanonError if it is not intact.
    * If `asked` is None: the newest intact generation whose release is older than the canonical's. Raise CanonError if
      there is none.
    """
    return _older_generation(stored) if asked is None else _asked_generation(stored, asked)


def _older_generation(stored: StoredGenerations) -> Canonical:
    have = stored.canonical
    found = newest_older(have, stored.intact)
    if found is None:
        raise CanonError(f"{have.recipe} has no intact generation of a release before {have.version}", str(stored))
    return found


def _asked_generation(stored: StoredGenerations, asked: int) -> Canonical:
    name = stored.canonical.recipe
    found = next((each for each in stored.generations if each.generation == asked), None)
    if found is None:
        raise UsageError(f"{name} has no stored generation {asked}", str(stored))
    if found == stored.canonical:
        raise UsageError(f"generation {asked} is the canonical of {name} already", str(stored))
    if not stored.is_intact(found):
        status = stored.statuses[asked]
        raise CanonError(f"generation {asked} of {name} is {status.state}: {status.reason}", str(stored))
    return found
