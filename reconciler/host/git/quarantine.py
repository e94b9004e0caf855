"""A temporary repository that takes in objects from upstream, and checks them before the mirror gets them."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import evolve, field, frozen

from reconciler.errors import BusyError, InfrastructureError, UpstreamError
from reconciler.host.git.git_faults import (
    describe_warnings,
    harmless_settings,
    rejected_object,
    upstream_fault,
    warned_objects,
)
from reconciler.host.git.refs import Refs
from reconciler.host.git.repository import Repository
from reconciler.host.run import CapturedOutput
from reconciler.host.text import ref_bytes

_AT_ONCE = 500
# The purpose of a quarantine: an update of the mirror, or one ref that a user asked for.
_PURPOSES = ("incoming", "asked")
# How a server refuses a commit that was asked for by its id.
_NOT_GIVEN = re.compile(rb"(?:not our ref|unadvertised object) ([0-9a-f]{40})")
_KINDS = {"commit", "tree", "blob", "tag"}


class _HeldError(BusyError):
    """Another running process fetches into the same temporary repository."""


@frozen
class Limits:
    """The limits of one fetch.

    * `protocols`: the protocols by which git may connect, such as "https".
    * `seconds`: how long the fetch may take.
    * `most`: how many bytes git may write to one file, such as the pack file of the fetch.
    """

    protocols: tuple[str, ...]
    seconds: float
    most: int


@frozen
class Quarantine:
    """A temporary repository beside the mirror. Fetched objects stay in it until they are checked.

    git also reads the mirror's objects (as alternates), so that only objects that the mirror lacks are fetched.
    * `recipe`: the name of the recipe.
    * `flaws`: a pair for each object that git only warned about: the name of the failed check, and the object's id.
    """

    recipe: str
    repository: Repository
    limits: Limits
    flaws: set[tuple[str, str]] = field(factory=set)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return one sentence for the report on objects with harmless flaws; () if there are none."""
        return tuple(filter(None, [describe_warnings(self.flaws)]))

    def published(self, upstream: str, names: Sequence[str]) -> str | None:
        """Return the first of the refs `names` that the repository at the URL `upstream` has; None if it has none.

        `names` are full names of refs, such as "refs/tags/1.0.0". Raise UpstreamError for a fault in upstream's
        repository, InfrastructureError if git fails for another reason.
        """
        printed = self._ask_upstream("ls-remote", "--", upstream, *names)
        found = {line.partition(b"\t")[2] for line in printed.splitlines()}
        return next((name for name in names if ref_bytes(name) in found), None)

    def fetch(self, upstream: str, refspecs: Sequence[str]) -> Refs:
        """Fetch `refspecs` (FROM:TO with full ref names) from the URL `upstream`. Return all refs of this repository.

        The refspecs are fetched in batches, because git compares each with every ref of upstream. Raise UpstreamError
        for a fault in upstream's repository, InfrastructureError if git fails for another reason.
        """
        options = ("--quiet", "--atomic", "--no-tags", "--no-write-fetch-head", "--stdin")
        for start in range(0, len(refspecs), _AT_ONCE):
            stdin = b"".join(ref_bytes(refspec) + b"\n" for refspec in refspecs[start : start + _AT_ONCE])
            self._ask_upstream("fetch", *options, "--", upstream, stdin=stdin)
        return self.repository.refs()

    def fetch_commit(self, upstream: str, commit: str, ref: str) -> bool:
        """Fetch `commit` (a whole id) from the URL `upstream`, and name it `ref`. Return whether upstream gave it.

        Upstream does not give a commit that it lacks. Some upstreams give only commits that a ref names. Raise
        UpstreamError for a fault in upstream's repository, InfrastructureError if git fails for another reason.
        """
        options = ("--quiet", "--no-tags", "--no-write-fetch-head")
        output = self._run_remote(
            self.repository, self.limits.protocols, "fetch", *options, "--", upstream, f"{commit}:{ref}"
        )
        if not output.ok and commit.encode() in _NOT_GIVEN.findall(output.err):
            return False
        self._raise_for(upstream_fault(output.err, succeeded=output.ok))
        self.repository.printed("fetch", output)
        return True

    def hand_over(self, refspec: str, mirror: Repository) -> None:
        """Push the refs of `refspec` (FROM:TO, as for `git push`) from this repository to `mirror`.

        Before the mirror accepts any object, git checks all objects once more. Raise UpstreamError if git rejects an
        object, InfrastructureError if the push fails for another reason.
        """
        options = ("--quiet", "--atomic", "--no-verify")
        # A child of this call that outlives us still writes to the mirror, so it inherits the lock of the mirror.
        ours = evolve(self.repository, holding=mirror.holding)
        output = self._run_remote(ours, ("file",), "push", *options, "--", str(mirror.path.absolute()), refspec)
        self._raise_for(rejected_object(output.err) if not output.ok else None)
        self.repository.printed("push", output)

    def drop_invalid_tags(self, arrived: Refs) -> tuple[Refs, frozenset[str]]:
        """Delete from this repository those tags of `arrived` that name no commit, but a file for example.

        Return the remaining refs of `arrived`, and the names of the deleted tags. Raise InfrastructureError if the
        object of a tag is missing.
        """
        types = self._types({name: ref.peeled for name, ref in arrived.tags.items()})
        if lacking := {*types.values()} - _KINDS:
            raise InfrastructureError(f"git cat-file in {self.repository.path.name}: {min(lacking)}")
        invalid_tags = frozenset(name for name, kind in types.items() if kind != "commit")
        for name in invalid_tags:
            self.repository.run("update-ref", "-d", f"refs/tags/{name}")
        return Refs(
            arrived.heads, {name: ref for name, ref in arrived.tags.items() if name not in invalid_tags}
        ), invalid_tags

    def _types(self, objects: Mapping[str, str]) -> dict[str, str]:
        stdin = "".join(f"{oid}\n" for oid in objects.values()).encode()
        printed = self.repository.run("cat-file", "--batch-check=%(objecttype)", stdin=stdin)
        return dict(zip(objects, printed.decode("ascii").splitlines(), strict=True))

    def _ask_upstream(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a git command that connects to upstream. Return its standard output.

        Raise UpstreamError for a fault in upstream's repository, InfrastructureError if git fails for another reason.
        """
        output = self._run_remote(self.repository, self.limits.protocols, *arguments, stdin=stdin)
        self._raise_for(upstream_fault(output.err, succeeded=output.ok))
        return self.repository.printed(arguments[0], output)

    def _run_remote(
        self, repository: Repository, protocols: tuple[str, ...], *arguments: str, stdin: bytes = b""
    ) -> CapturedOutput:
        output = repository.run_remote(
            *arguments, protocols=protocols, stdin=stdin, seconds=self.limits.seconds, file_bytes=self.limits.most
        )
        self.flaws.update(warned_objects(output.err))
        return output

    def _raise_for(self, fault: str | None) -> None:
        if fault is not None:
            raise UpstreamError(f"upstream of {self.recipe} {fault}", "only upstream can fix that")


@contextmanager
def quarantine(mirror: Repository, purpose: str, limits: Limits) -> Iterator[Quarantine]:
    """Make a temporary repository beside `mirror`, yield it, and remove it at the end of the `with` block.

    `purpose` is part of the folder's name: "incoming" for an update of the mirror, "asked" for one ref that a user
    asked for. `limits` apply to each fetch into the repository. If a killed run has left such a folder, the folder is
    removed first. Raise InfrastructureError if another process fetches for the same purpose.
    """
    path = mirror.path.with_name(f".{mirror.path.name}.{purpose}")
    with _try_lock(path) as lock:
        shutil.rmtree(path, ignore_errors=True)
        holding = lock if mirror.holding is None else mirror.holding
        repository = Repository(path, mirror.environment, holding, flushed="none")
        try:
            repository.run("init", "--quiet", "--bare", "--template=", str(path))
            borrowed = mirror.path.absolute() / "objects"
            (path / "objects" / "info" / "alternates").write_text(f"{borrowed}\n", "utf-8")
            with (path / "config").open("a", encoding="utf-8") as settings:
                settings.write(harmless_settings("fetch"))
            yield Quarantine(mirror.path.name.removesuffix(".git"), repository, limits)
        finally:
            shutil.rmtree(path, ignore_errors=True)


def remove_quarantines(mirrors: Path, name: str = "*") -> None:
    """Remove the temporary repositories that killed runs have left in the folder `mirrors` for the recipe `name`.

    With "*", remove the temporary repositories of all recipes. A repository that a process still uses stays.
    """
    for purpose in _PURPOSES:
        for path in mirrors.glob(f".{name}.git.{purpose}"):
            with suppress(_HeldError), _try_lock(path):
                shutil.rmtree(path)


@contextmanager
def _try_lock(folder: Path) -> Iterator[int]:
    """Hold the lock of the temporary repository `folder` during the `with` block. Yield the descriptor of the lock.

    If another process holds the lock, do not wait, but raise _HeldError.
    """
    lock = folder.with_name(f"{folder.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        raise _HeldError(f"another process is fetching into {folder.name}", "wait until it has ended", lock) from None
    finally:
        # A child that another thread has just forked also has the descriptor, until it executes its program.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def remove_lock_file(lock: Path) -> None:
    """Remove the file `lock`, which Canon's processes lock with `flock`.

    If a process holds the lock now, or the file is missing or cannot be removed, do nothing.
    """
    with suppress(OSError):
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.unlink()
        finally:
            os.close(descriptor)
