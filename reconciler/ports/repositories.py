"""Where releases come from: upstream repositories, and the mirrors of them on this host."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Recipe, Unobservable
from state.records import Answer


@frozen
class Question:
    """Ask upstream of `recipe`; `known` is the digest of the last complete answer, if there was one."""

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """Upstream answered just as it did the last time."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """What our mirror holds: the commit of upstream's main branch and the release tags with their commits."""

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What bringing a mirror up came to.

    `useless` are tags which turned out to peel to no commit, and are not mirrored. `laid_aside` is where the copy lies
    that was found broken and was fetched anew; None where it was whole. `remarks` are on what came in.
    """

    useless: frozenset[str] = frozenset()
    laid_aside: Path | None = None
    remarks: tuple[str, ...] = ()


@frozen
class Alterations:
    """Tracked files that changed or vanished, and files that were added.

    `unfetched` says in words what a checkout never holds: submodules, and what pointers of Git LFS stand for.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfetched: tuple[str, ...] = ()


class Upstream(Protocol):
    """Asks published tags, many at a time. Never raises for one recipe's failure: that is its `Unobservable`."""

    def ask(self, questions: Sequence[Question]) -> Mapping[str, Reply]: ...


class Mirrors(Protocol):
    """Our own copies of upstream repositories."""

    def look(self, name: str) -> MirrorRefs | Unobservable | None:
        """None where there is no mirror."""
        ...

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> MirrorUpdate:
        """Bring main to `answer` and the release tags to `tags`, then read them back.

        Raises InfrastructureError, and then the served copy is as it was.
        """
        ...

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` into the new folder `into`, without a `.git`."""
        ...

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """How `folder` differs now from what `checkout` wrote."""
        ...

    def resolve(self, name: str, ref: str) -> str | None:
        """The commit that a tag, branch or (abbreviated) commit of the mirror names; None if none."""
        ...

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Bring a branch or tag of upstream in beside what is served; its commit, None if upstream has no such ref.

        Raises InfrastructureError.
        """
        ...

    def recover(self) -> None:
        """Remove what killed runs left beside the mirrors; what a run that lives works with stays."""
        ...

    def drop(self, name: str) -> None: ...
