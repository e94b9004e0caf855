"""Where releases come from: upstream repositories, and the mirrors of them on this host."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Recipe, Unobservable
from state.records import Answer


@frozen
class TagQuery:
    """A request for the tags of a recipe's upstream. `known` is the digest of the last complete answer, if any."""

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """Upstream's answer is the same as the last time."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """The refs of a mirror: the commit of upstream's main branch, and the release tags with their commits."""

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What happened when a mirror was updated.

    `without_commit` are tags that point to no commit, and are not mirrored. `broken_copy` is where the earlier mirror
    was moved because it was damaged; None if it was intact. `remarks` are about what was fetched.
    """

    without_commit: frozenset[str] = frozenset()
    broken_copy: Path | None = None
    remarks: tuple[str, ...] = ()


@frozen
class Alterations:
    """How a checkout was changed: tracked files that were changed or deleted, and files that were added.

    `unfetched` describes what a checkout never has: submodules, and the files behind pointers of Git LFS.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfetched: tuple[str, ...] = ()


class Upstream(Protocol):
    """Asks upstreams for their tags, many at a time. Returns the reply of each by recipe.

    For an upstream that cannot be read, the reply is `Unobservable`; nothing is raised.
    """

    def ask(self, queries: Sequence[TagQuery]) -> Mapping[str, Reply]: ...


class Mirrors(Protocol):
    """The copies of upstream repositories on this host."""

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        """Return the refs of the mirror; Unobservable if it cannot be read, None if there is no mirror."""
        ...

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> MirrorUpdate:
        """Set the main branch as in `answer` and the release tags to `tags`; fetch what is missing, then read all back.

        Raises InfrastructureError, and then leaves the mirror as it was.
        """
        ...

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` into the new folder `into`, without a `.git`."""
        ...

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """Return how `folder` differs now from what `checkout` wrote."""
        ...

    def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit of a tag, branch or abbreviated commit in the mirror, None if there is none."""
        ...

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Fetch a branch or tag of upstream without changing the refs of the mirror.

        Returns its commit, None if upstream has no such ref. Raises InfrastructureError.
        """
        ...

    def recover(self) -> None:
        """Remove what killed runs left beside the mirrors. Files of a run that is still alive stay."""
        ...

    def drop(self, name: str) -> None: ...
