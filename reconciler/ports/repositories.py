"""Where releases come from: upstream repositories, and the mirrors of them on this host."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Recipe, Release, Signature, Unobservable
from state.records import Answer


@frozen
class TagQuery:
    """A request for the tags of a recipe's upstream.

    `known` is the digest of the last complete answer, None if there was none.
    """

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """The reply of an upstream whose answer still has the digest `TagQuery.known`."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """The refs of a mirror: the commit of upstream's main branch, and the release tags with their commits."""

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What happened when a mirror was updated.

    `without_commit` are tags that name no commit, and are not mirrored. `broken_copy` is the folder to which the
    earlier mirror was moved because it was damaged; None if it was intact. `remarks` are about the fetched objects.
    """

    without_commit: frozenset[str] = frozenset()
    broken_copy: Path | None = None
    remarks: tuple[str, ...] = ()


@frozen
class Alterations:
    """How a checkout differs from its commit: `changed` are tracked files that changed or are gone, `added` new files.

    `unfetched` describes what a checkout of a mirror never has: submodules, and the files behind Git LFS pointers.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfetched: tuple[str, ...] = ()


@frozen
class PushResult:
    """What came of a push to the forge: `pushed` are the refs that it lacked and now has.

    `problems` are sentences about refs that differ between the forge and our mirror; empty if none differs.
    """

    pushed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class TeamForge(Protocol):
    """The team's forge, which gets a copy of each mirror."""

    def push(self, names: Sequence[str]) -> Mapping[str, PushResult]:
        """Push main branch and release tags of the mirrors of these recipes, and return the results by recipe.

        Change and delete no ref that the forge has, except that the main branch moves forward. Raise nothing for a
        forge that is down or refuses.
        """


class Upstream(Protocol):
    """Asks upstreams for their tags."""

    def ask(self, queries: Sequence[TagQuery]) -> Mapping[str, Reply]:
        """Ask many upstreams at a time, and return their replies by recipe.

        The reply for an upstream that cannot be read is Unobservable; nothing is raised.
        """


class Mirrors(Protocol):
    """The copies of upstream repositories on this host."""

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        """Return the refs of the mirror; Unobservable if it cannot be read, None if there is no mirror."""

    def update(
        self, recipe: Recipe, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()
    ) -> MirrorUpdate:
        """Fetch what the mirror lacks, and give it the main branch in `answer` and the release tags `tags`.

        The tags in `anew` are fetched even if the mirror has them on their commits: they may have been signed since.
        Read the mirror back afterwards. If this fails, raise InfrastructureError, and leave the mirror as it was.
        """

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        """Return by tag the signatures of these releases, checked with the keys of the fleet.

        A tag that the mirror lacks on this commit is left out, and so are those after the second good signature.
        Raise InfrastructureError if they cannot be checked.
        """

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` into the new folder `into`, without a `.git`."""

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """Return how `folder` differs now from what `checkout` wrote."""

    def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit of a tag, branch or abbreviated commit in the mirror, None if there is none."""

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Fetch a branch or tag of upstream without changing the refs of the mirror.

        Return its commit, None if upstream has no such ref. Raise InfrastructureError if git fails.
        """

    def recover(self) -> None:
        """Remove what killed runs left beside the mirrors. Files of a run that is still alive stay."""

    def drop(self, name: str) -> None:
        """Delete the mirror of the recipe `name`, if there is one."""
