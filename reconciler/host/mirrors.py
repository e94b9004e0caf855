"""Our own copies of upstream: fetched into quarantine, checked, and only then taken over."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from desired.model import Recipe, Unobservable
from reconciler.errors import CanonError, InfrastructureError
from reconciler.host.checkout import compare_files, refuse_unsafe, tracked_files, write_files
from reconciler.host.refs import Goal, Refs, make_goal
from reconciler.host.repository import Repository
from reconciler.host.served import Served, types_of
from reconciler.host.sinks import MIB
from reconciler.host.text import one_line, ref_bytes
from reconciler.ports import Alterations, MirrorRefs
from state.model import Answer

_FETCH_SECONDS = 900.0
_MOST = 2048 * MIB
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
# What cannot be part of a ref's name has another meaning for git.
_REF = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\{}-][^\x00-\x20\x7f~^:?*\[\\{}]*")


@frozen
class GitMirrors:
    """`folder` holds one NAME.git for each recipe; `environment` is what all children get.

    `holding` is the pass lock's descriptor, None where only looking is meant; `most` bounds in bytes what one
    update may bring and one checkout may write.
    """

    folder: Path
    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    holding: int | None = None
    most: int = _MOST
    fetch_seconds: float = _FETCH_SECONDS

    def look(self, name: str) -> MirrorRefs | Unobservable | None:
        if not self._path(name).exists():
            return None
        try:
            refs = self._served(name, None).glance()
        except (CanonError, OSError, ValueError) as problem:
            return Unobservable(f"the mirror cannot be read: {one_line(str(problem).encode())}")
        if refs.head is None:
            return None
        return MirrorRefs(refs.head, {tag: ref.peeled for tag, ref in refs.tags.items()})

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> frozenset[str]:
        served = self._served(recipe.name, self.holding)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        served.make_ready()
        held = served.repository.refs()
        goal = make_goal(held, answer, tags)
        arrived, useless = self._bring(recipe, answer, goal) if goal.refspecs else (Refs(), frozenset())
        served.take_over(held, goal, arrived)
        _read_back(served, goal, useless)
        return useless

    def _bring(self, recipe: Recipe, answer: Answer, goal: Goal) -> tuple[Refs, frozenset[str]]:
        """Bring what is missing to `refs/incoming/` of the served copy; also the tags which peel to no commit."""
        with self._quarantine(recipe.name) as quarantine:
            arrived, useless = _without_useless(quarantine, self._fetch(quarantine, recipe, answer, goal))
            self._push(quarantine, self._path(recipe.name), arrived)
        return arrived, useless

    def checkout(self, name: str, commit: str, into: Path) -> None:
        repository = self._served(name, None).repository
        refuse_unsafe(tracked_files(repository, commit), self.most)
        into.mkdir(parents=True)
        write_files(repository, commit, into)

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        return compare_files(tracked_files(self._served(name, None).repository, commit), folder)

    def resolve(self, name: str, ref: str) -> str | None:
        if not self._path(name).exists() or not _REF.fullmatch(ref):
            return None
        candidates = [f"refs/tags/{ref}", f"refs/heads/{ref}"] + ([ref] if _COMMIT.fullmatch(ref) else [])
        repository = self._served(name, None).repository
        for candidate in candidates:
            told = repository.ask("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
            if told.ok:
                return told.out.decode("ascii").strip()
        return None

    def drop(self, name: str) -> None:
        path, gone = self._path(name), self._path(name).with_name(f".{name}.dropped")
        shutil.rmtree(gone, ignore_errors=True)
        if path.exists():
            path.rename(gone)
            shutil.rmtree(gone)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.git"

    def _served(self, name: str, holding: int | None) -> Served:
        return Served(Repository(self._path(name), self.environment, holding), self.most)

    @contextmanager
    def _quarantine(self, name: str) -> Iterator[Repository]:
        """A repository of its own for one update. It borrows the objects that we hold, so that only news is fetched."""
        path = self.folder / f".{name}.incoming"
        shutil.rmtree(path, ignore_errors=True)
        quarantine = Repository(path, self.environment, self.holding)
        try:
            quarantine.do("init", "--quiet", "--bare", "--template=", str(path))
            objects = self._path(name).absolute() / "objects"
            (path / "objects" / "info" / "alternates").write_text(f"{objects}\n", "utf-8")
            yield quarantine
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def _fetch(self, quarantine: Repository, recipe: Recipe, answer: Answer, goal: Goal) -> Refs:
        """Fetch what is missing. Raises InfrastructureError where upstream now says something else than it answered."""
        quarantine.reach(
            *("fetch", "--quiet", "--atomic", "--no-tags", "--no-write-fetch-head", "--stdin", "--", recipe.upstream),
            protocols=self.protocols,
            given=b"".join(ref_bytes(refspec) + b"\n" for refspec in goal.refspecs),
            seconds=self.fetch_seconds,
            file_bytes=self.most,
        )
        arrived = quarantine.refs()
        heads = {answer.branch: answer.head} if goal.fetch_head else {}
        came = {name: ref.peeled for name, ref in arrived.tags.items()}
        if came != goal.fetched or {name: ref.peeled for name, ref in arrived.heads.items()} != heads:
            message = f"upstream of {recipe.name} changed while it was fetched"
            raise InfrastructureError(message, "the next pass looks again")
        return arrived

    def _push(self, quarantine: Repository, served: Path, arrived: Refs) -> None:
        """Hand the objects over to the served copy, which checks them again before it keeps any."""
        if arrived == Refs():
            return
        quarantine.reach(
            *("push", "--quiet", "--atomic", "--no-verify", "--", str(served.absolute()), "refs/*:refs/incoming/*"),
            protocols=("file",),
            given=b"",
            seconds=self.fetch_seconds,
            file_bytes=self.most,
        )


def _without_useless(quarantine: Repository, arrived: Refs) -> tuple[Refs, frozenset[str]]:
    """The refs without those tags that peel to no commit, which leave the quarantine too; and their names."""
    types = types_of(quarantine, {name: ref.peeled for name, ref in arrived.tags.items()})
    useless = frozenset(name for name, kind in types.items() if kind != "commit")
    for name in useless:
        quarantine.do("update-ref", "-d", f"refs/tags/{name}")
    return Refs(arrived.heads, {name: ref for name, ref in arrived.tags.items() if name not in useless}), useless


def _read_back(served: Served, goal: Goal, useless: frozenset[str]) -> None:
    """Raises InfrastructureError where the served copy does not hold what it should."""
    refs = served.repository.refs()
    wanted = {**goal.stays, **{name: commit for name, commit in goal.fetched.items() if name not in useless}}
    if refs.head != goal.head or {name: ref.peeled for name, ref in refs.tags.items()} != wanted:
        raise InfrastructureError(f"the mirror {served.path.name} does not hold what was written to it")
