"""The protocols of what reads upstream repositories, keeps our mirrors of them, and pushes those to a forge."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import frozen

from desired.model import Recipe
from desired.releases import Release, Signature, Unobservable
from state.records import Answer


@frozen
class TagQuery:
    """A question to a recipe's upstream for its tags.

    `known` is the digest of the last complete answer (`Answer.digest`); None if there was none.
    """

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """The reply of an upstream whose answer has not changed: its digest is still `TagQuery.known`."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """What a mirror has.

    * `head`: the commit of upstream's main branch.
    * `tags`: maps each release tag to its commit.
    """

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What happened when a mirror was updated.

    * `without_commit`: the names of tags that point to no commit. They are not mirrored.
    * `broken_copy`: the folder to which the earlier mirror was moved because it was damaged; None if it was intact.
    * `remarks`: what git says about the fetched objects, for the report.
    """

    without_commit: frozenset[str] = frozenset()
    broken_copy: Path | None = None
    remarks: tuple[str, ...] = ()


@frozen
class Alterations:
    """How a checkout differs from its commit.

    * `changed`: the paths of tracked files that changed or are gone, relative to the checkout.
    * `added`: the paths of files that are not in the commit.
    * `unfetched`: texts that name what a checkout of a mirror never has: submodules, and the files behind Git LFS
      pointers.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfetched: tuple[str, ...] = ()


@frozen
class PushResult:
    """What came of a push of one mirror to the forge.

    * `pushed`: branches and tags that the forge lacked and now has, by full names such as "refs/tags/1.0.0".
    * `problems`: sentences, such as why the push failed; () if the forge now has all that our mirror has.
    """

    pushed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@frozen
class DuePush:
    """What a push of one mirror to the forge would do.

    * `refs`: branches and tags that it would push, by full names such as "refs/tags/1.0.0".
    * `unknown`: why that is not known; "" if it is.
    """

    refs: tuple[str, ...] = ()
    unknown: str = ""


class TeamForge(Protocol):
    """The forge of the team, which gets a copy of each mirror."""

    def due(self, names: Sequence[str]) -> Mapping[str, DuePush]:
        """Ask the forge what `push` would push of the mirrors of the recipes `names`. Return the answers by recipe.

        Nothing is changed here or there. If the forge is down, no error is raised: the answers say that nothing is
        known.
        """

    def push(self, names: Sequence[str]) -> Mapping[str, PushResult]:
        """Push the main branch and the release tags of the mirrors of the recipes `names`. Return results by recipe.

        What the forge already has is not changed or deleted, except that the main branch there moves forward. If the
        forge is down or refuses a push, no error is raised: the recipe's result names the problem.
        """


class Upstream(Protocol):
    """Asks upstreams for their tags."""

    def ask(self, queries: Sequence[TagQuery]) -> Mapping[str, Reply]:
        """Ask many upstreams at the same time. Return their replies by recipe.

        The reply of an upstream that cannot be read is Unobservable; nothing is raised.
        """


class Mirrors(Protocol):
    """Keeps our mirrors of upstream repositories on this host."""

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        """Return the main branch and the release tags of the mirror of the recipe `name`.

        Return Unobservable if the mirror cannot be read. Return None if there is no mirror, or if the mirror has no
        main branch.
        """

    def update(
        self, recipe: Recipe, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()
    ) -> MirrorUpdate:
        """Fetch what the recipe's mirror lacks: the main branch in `answer`, and the release tags `tags`.

        Return what happened. `tags` maps each tag to its commit. The tags in `anew` are fetched even if the mirror has
        them, because they may have been signed since. Afterwards the mirror is read again and checked. Raise
        InfrastructureError if anything fails. After a failed fetch, the mirror has the same branch and tags as before.
        """

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        """Check the signatures of the tags of `releases` with the keys of the fleet. Return the results by tag.

        The result for a bad signature says what is wrong with it. A release is left out if the mirror lacks its tag, or
        has the tag on another commit. `name` is the recipe. Raise InfrastructureError if signatures cannot be checked.
        """

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` of the recipe `name` into the new folder `into`, without a `.git`.

        Raise RecipeError if a file must not be written to this host, InfrastructureError if the mirror lacks a file.
        """

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """Return how the checkout in `folder` now differs from its commit, `commit` of the recipe `name`."""

    def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit that `ref` names in the mirror of the recipe `name`.

        `ref` is read as a tag, else as a branch, else as an abbreviated commit id. A whole commit id always means that
        commit. Return None if the mirror has nothing by that name, or if there is no mirror.
        """

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Fetch the tag `ref` from upstream or, if there is no such tag, the branch `ref`. Return the commit of `ref`.

        `ref` may also be a whole commit id, or the full name of a ref, such as "refs/pull/7/head". The objects are
        fetched into the mirror, but the mirror's branches and tags stay as they are. Return None if upstream has no
        such ref or commit, or if there is no mirror. Raise BusyError if another process calls this for the
        same recipe, InfrastructureError if git fails.
        """

    def recover(self) -> None:
        """Delete the temporary repositories that killed processes have left beside the mirrors.

        The repositories of a process that is still alive are kept.
        """

    def drop(self, name: str) -> None:
        """Delete the mirror of the recipe `name`, if there is one."""
