"""Updates, reads and checks out the mirrors of all upstreams.

Objects from upstream first come into a temporary repository, where they are checked. Only then does the mirror get
them.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from attrs import frozen

from desired.model import Recipe
from desired.releases import Release, Signature, Unobservable
from reconciler.core.ref_names import ref_fault
from reconciler.errors import CanonError, InfrastructureError
from reconciler.host.git.asked import ASKED, AskedRef, find_commit
from reconciler.host.git.checkout import compare_files, refuse_unsafe, tracked_files, write_files
from reconciler.host.git.mirror_repository import MirrorRepository, lock_path, locked
from reconciler.host.git.quarantine import Limits, Quarantine, quarantine, remove_lock_file, remove_quarantines
from reconciler.host.git.refs import RefPlan, Refs, plan_refs
from reconciler.host.git.repository import Repository
from reconciler.host.git.tag_signatures import check_tags
from reconciler.host.output import MIB
from reconciler.host.text import one_line
from reconciler.ports.repositories import Alterations, MirrorRefs, MirrorUpdate
from state.folder.folder import StateFolder
from state.records import Answer


@frozen
class GitMirrors:
    """The mirrors of one state folder: implements the port Mirrors.

    * `environment`: the environment of all child processes.
    * `protocols`: the protocols by which git may connect, such as "https".
    * `holding`: the descriptor of the pass lock, which git inherits; None for no lock.
    * `most`: the size limit in bytes of one fetch, and of one checkout.
    * `fetch_seconds`: how long one git call to upstream may take.
    * `keys`: the folder with the keys of the fleet.
    """

    state: StateFolder
    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    holding: int | None = None
    most: int = 2048 * MIB
    fetch_seconds: float = 900.0
    keys: Path = Path("/nonexistent")

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        if not self._path(name).exists():
            return None
        try:
            refs = MirrorRepository(self._repository(name, None), self.most).read_refs()
        except (CanonError, OSError, ValueError) as problem:
            return Unobservable(f"the mirror cannot be read: {one_line(str(problem).encode())}")
        if refs.head is None or refs == Refs():
            return None
        return MirrorRefs(refs.head, {tag: ref.peeled for tag, ref in refs.tags.items()})

    def update(
        self, recipe: Recipe, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()
    ) -> MirrorUpdate:
        """Update the mirror, so that it has the main branch in `answer` and the release tags `tags`.

        Only what the mirror lacks is fetched. The tags in `anew` are fetched even if the mirror has them. `answer` is
        what upstream answered. `tags` maps names of tags to commits. The caller must hold the pass lock: two updates at
        once would undo each other. Fetched objects are checked in a temporary repository before the mirror gets them.
        The mirror is read again at the end. Return tags without a commit, where a damaged mirror was moved, and remarks
        for the report. Raise InfrastructureError if the update fails.
        """
        self.state.mirrors.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._writing(recipe.name) as mirror:
            moved_to = mirror.prepare()
            held = mirror.repository.refs()
        plan = plan_refs(held, answer, tags, anew)
        with self._quarantine(recipe.name, "incoming") as incoming:
            arrived, invalid_tags = _fetched(incoming, recipe, answer, plan)
            with self._writing(recipe.name) as mirror:
                if arrived != Refs():
                    incoming.hand_over("refs/*:refs/incoming/*", mirror.repository)
                mirror.update_refs(held, plan, arrived)
                _read_back(mirror, plan, invalid_tags)
            return MirrorUpdate(invalid_tags, moved_to, incoming.remarks)

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        return check_tags(self._repository(name, None), self.keys, releases) if self._path(name).exists() else {}

    def checkout(self, name: str, commit: str, into: Path) -> None:
        repository = self._repository(name, None)
        _require_complete(repository, commit)
        refuse_unsafe(tracked_files(repository, commit), self.most)
        into.mkdir(parents=True)
        write_files(repository, commit, into)

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        return compare_files(tracked_files(self._repository(name, None), commit), folder)

    def resolve(self, name: str, ref: str) -> str | None:
        if not self._path(name).exists():
            return None
        return find_commit(self._repository(name, None), ref)

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Fetch what `ref` names at upstream into the mirror. Return its commit.

        Return None if `ref` is not valid, if upstream has no such ref, or if there is no mirror. No pass lock is
        needed, since no branch and no tag of the mirror changes. Raise BusyError if another process calls this for the
        same recipe, InfrastructureError if git fails.
        """
        if ref_fault(ref) is not None or not self._path(recipe.name).exists():
            return None
        with self._quarantine(recipe.name, "asked") as requested:
            commit = AskedRef(recipe.upstream, ref).fetch(requested)
            if commit is not None:
                with self._writing(recipe.name) as mirror:
                    requested.hand_over(f"+{ASKED}:{ASKED}", mirror.repository)
            return commit

    def recover(self) -> None:
        remove_quarantines(self.state.mirrors)

    def drop(self, name: str) -> None:
        if not self.state.mirrors.exists():
            return
        path, gone = self._path(name), self._path(name).with_name(f".{name}.git.dropped")
        with self._writing(name) as mirror:
            for left in (gone, mirror.damaged):
                shutil.rmtree(left, ignore_errors=True)
            if path.exists():
                path.rename(gone)
                shutil.rmtree(gone)
            remove_quarantines(self.state.mirrors, name)
            for lock in self.state.mirrors.glob(f".{name}.git.*.lock"):
                remove_lock_file(lock)
            lock_path(path).unlink()

    def _path(self, name: str) -> Path:
        return self.state.mirror(name)

    def _repository(self, name: str, holding: int | None) -> Repository:
        return Repository(self._path(name), self.environment, holding)

    def _quarantine(self, name: str, purpose: str) -> AbstractContextManager[Quarantine]:
        limits = Limits(self.protocols, self.fetch_seconds, self.most)
        return quarantine(self._repository(name, self.holding), purpose, limits)

    @contextmanager
    def _writing(self, name: str) -> Iterator[MirrorRepository]:
        """Wait for the exclusive lock of a recipe's mirror, and hold it during the `with` block. Yield the mirror."""
        with locked(self._path(name)) as lock:
            holding = lock if self.holding is None else self.holding
            yield MirrorRepository(self._repository(name, holding), self.most)


def _fetched(incoming: Quarantine, recipe: Recipe, answer: Answer, plan: RefPlan) -> tuple[Refs, frozenset[str]]:
    """Fetch the refs that `plan` lists from upstream into `incoming`. Return these refs, and the names of invalid tags.

    Tags that name no commit are invalid, and are not among the refs. Raise InfrastructureError if upstream has changed
    since it gave `answer`.
    """
    if not plan.refspecs:
        return Refs(), frozenset()
    arrived = incoming.fetch(recipe.upstream, plan.refspecs)
    _refuse_changed(recipe, answer, plan, arrived)
    return incoming.drop_invalid_tags(arrived)


def _require_complete(repository: Repository, commit: str) -> None:
    """Raise InfrastructureError if the mirror lacks `commit`, or an object that belongs to it."""
    if not repository.has_objects("--no-walk", commit):
        message = f"the mirror {repository.path} lacks objects of {commit[:7]}"
        raise InfrastructureError(
            message,
            "move that folder away and keep it, for it may hold what upstream dropped; the next pass fetches it again",
        )


def _refuse_changed(recipe: Recipe, answer: Answer, plan: RefPlan, arrived: Refs) -> None:
    """Raise InfrastructureError if the fetched refs `arrived` are not those that upstream had listed in `answer`.

    `plan` says which of these refs had to be fetched.
    """
    heads = {answer.branch: answer.head} if plan.fetch_head else {}
    tags = {name: ref.peeled for name, ref in arrived.tags.items()}
    if tags != plan.fetched or {name: ref.peeled for name, ref in arrived.heads.items()} != heads:
        message = f"upstream of {recipe.name} changed while it was fetched"
        raise InfrastructureError(message, "the next pass asks upstream again")


def _read_back(mirror: MirrorRepository, plan: RefPlan, invalid_tags: frozenset[str]) -> None:
    """Raise InfrastructureError if the mirror does not have the main branch and the tags that `plan` says.

    `invalid_tags` are tags of the plan that were left out, because they name no commit.
    """
    refs = mirror.repository.refs()
    wanted = {**plan.stays, **{name: commit for name, commit in plan.fetched.items() if name not in invalid_tags}}
    if refs.head != plan.head or {name: ref.peeled for name, ref in refs.tags.items()} != wanted:
        raise InfrastructureError(f"the mirror {mirror.path.name} does not hold what was written to it")
