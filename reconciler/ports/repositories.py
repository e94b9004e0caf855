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

    `known` is the digest of the last complete answer, `Answer.digest`; None if there was none.
    """

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """The reply for an upstream that still gives the answer with the digest `TagQuery.known`."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """What a mirror has: `head` is the commit of upstream's main branch, `tags` maps each release tag to its commit."""

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What happened when a mirror was updated.

    `without_commit` are tags that name no commit, and are not mirrored. `broken_copy` is the folder to which the
    earlier mirror was moved because it was damaged; None if it was intact. `remarks` are for the report: what git says
    about the fetched objects.
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
    """What came of a push of one mirror to the forge.

    `pushed` are the branches and tags that the forge lacked and now has, by their full names, such as
    "refs/tags/1.0.0". `problems` are sentences, such as why the push failed, or which tag differs between the forge and
    our mirror; empty if the forge now has all that our mirror has.
    """

    pushed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class TeamForge(Protocol):
    """The team's forge, which gets a copy of each mirror."""

    def push(self, names: Sequence[str]) -> Mapping[str, PushResult]:
        """Push main branch and release tags of the mirrors of the recipes `names`, and return the results by recipe.

        Change and delete no branch or tag that the forge has, except that the main branch moves forward. If the forge
        is down or refuses a push, raise nothing: the result has the problem.
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
        """Return the main branch and the tags of the mirror of the recipe `name`.

        Return Unobservable if the mirror cannot be read, None if there is no mirror or if it has no main branch.
        """

    def update(
        self, recipe: Recipe, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()
    ) -> MirrorUpdate:
        """Fetch what the mirror lacks, and give it the main branch in `answer` and the release tags `tags`.

        `tags` maps names to commits. The tags in `anew` are fetched even if the mirror has them on their commits: they
        may have been signed since. Read the mirror back afterwards. Raise InfrastructureError if anything fails; after
        a failed fetch, the mirror has the branch and tags that it had before.
        """

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        """Return the signatures of the tags of these releases, by tag, checked with the keys of the fleet.

        A signature that is not good is returned with its fault. Leave out a release whose tag the mirror does not have
        on the release's commit. Raise InfrastructureError if signatures cannot be checked.
        """

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` into the new folder `into`, without a `.git`.

        Raise RecipeError if a file must not be written to this host, InfrastructureError if the mirror does not have
        all files.
        """

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """Return how `folder` differs now from what `checkout` wrote there for `commit`. `name` is the recipe."""

    def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit that `ref` names in the mirror: a tag, else a branch, else an abbreviated commit.

        Return None if there is none of them, or no mirror.
        """

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Fetch the tag `ref` of upstream, or else its branch `ref`. Change no branch and no tag of the mirror.

        Return its commit; None if upstream has no such tag or branch, or if there is no mirror. Raise
        InfrastructureError if git fails.
        """

    def recover(self) -> None:
        """Delete the temporary repositories that killed runs left beside the mirrors.

        Keep those of a run that is still alive.
        """

    def drop(self, name: str) -> None:
        """Delete the mirror of the recipe `name`, if there is one."""
