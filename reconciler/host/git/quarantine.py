"""Where what comes from upstream is kept apart, until it is known to be what upstream had said."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import evolve, field, frozen

from reconciler.errors import InfrastructureError, UpstreamError
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
# What a quarantine is for: an update of the served copy, or one ref that a user asked for.
_PURPOSES = ("incoming", "asked")
_KINDS = {"commit", "tree", "blob", "tag"}


class _HeldError(InfrastructureError):
    """A run that lives has this quarantine."""


@frozen
class Limits:
    """What one fetch may speak, take in seconds, and bring in bytes."""

    protocols: tuple[str, ...]
    seconds: float
    most: int


@frozen
class Quarantine:
    """A fresh repository beside the served one, whose objects it borrows so that only news is fetched.

    `whose` is the recipe's name. `flaws` are kinds and objects of what git only warned of.
    """

    whose: str
    repository: Repository
    limits: Limits
    flaws: set[tuple[str, str]] = field(factory=set)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of what came in."""
        return tuple(filter(None, [describe_warnings(self.flaws)]))

    def published(self, upstream: str, ref: str) -> str | None:
        """The full name of upstream's tag or branch `ref`, in this order; None if there is neither."""
        names = (f"refs/tags/{ref}", f"refs/heads/{ref}")
        printed = self._ask_upstream("ls-remote", "--", upstream, *names)
        found = {line.partition(b"\t")[2] for line in printed.splitlines()}
        return next((name for name in names if ref_bytes(name) in found), None)

    def fetch(self, upstream: str, refspecs: Sequence[str]) -> Refs:
        """Fetch by full names; what arrived.

        Some at a time, for git compares every refspec with every ref of upstream.
        """
        options = ("--quiet", "--atomic", "--no-tags", "--no-write-fetch-head", "--stdin")
        for start in range(0, len(refspecs), _AT_ONCE):
            stdin = b"".join(ref_bytes(refspec) + b"\n" for refspec in refspecs[start : start + _AT_ONCE])
            self._ask_upstream("fetch", *options, "--", upstream, stdin=stdin)
        return self.repository.refs()

    def hand_over(self, refspec: str, served: Repository) -> None:
        """Push to the served copy, which checks every object again before it keeps any."""
        options = ("--quiet", "--atomic", "--no-verify")
        # What outlives us of this call writes to the served copy, and so holds its lock.
        ours = evolve(self.repository, holding=served.holding)
        output = self._reach(ours, ("file",), "push", *options, "--", str(served.path.absolute()), refspec)
        self._raise_for(rejected_object(output.err) if not output.ok else None)
        self.repository.printed("push", output)

    def without_useless(self, arrived: Refs) -> tuple[Refs, frozenset[str]]:
        """The refs without those tags that peel to no commit, which leave the quarantine too; and their names."""
        types = self._types({name: ref.peeled for name, ref in arrived.tags.items()})
        if lacking := {*types.values()} - _KINDS:
            raise InfrastructureError(f"git cat-file in {self.repository.path.name}: {min(lacking)}")
        useless = frozenset(name for name, kind in types.items() if kind != "commit")
        for name in useless:
            self.repository.do("update-ref", "-d", f"refs/tags/{name}")
        return Refs(arrived.heads, {name: ref for name, ref in arrived.tags.items() if name not in useless}), useless

    def _types(self, objects: Mapping[str, str]) -> dict[str, str]:
        stdin = "".join(f"{oid}\n" for oid in objects.values()).encode()
        printed = self.repository.do("cat-file", "--batch-check=%(objecttype)", stdin=stdin)
        return dict(zip(objects, printed.decode("ascii").splitlines(), strict=True))

    def _ask_upstream(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git prints. Raises UpstreamError where it finds fault with what upstream has."""
        output = self._reach(self.repository, self.limits.protocols, *arguments, stdin=stdin)
        self._raise_for(upstream_fault(output.err, ended_well=output.ok))
        return self.repository.printed(arguments[0], output)

    def _reach(
        self, repository: Repository, protocols: tuple[str, ...], *arguments: str, stdin: bytes = b""
    ) -> CapturedOutput:
        output = repository.reach(
            *arguments, protocols=protocols, stdin=stdin, seconds=self.limits.seconds, file_bytes=self.limits.most
        )
        self.flaws.update(warned_objects(output.err))
        return output

    def _raise_for(self, fault: str | None) -> None:
        if fault is not None:
            raise UpstreamError(f"upstream of {self.whose} {fault}", "only upstream can mend that")


@contextmanager
def quarantine(served: Repository, purpose: str, limits: Limits) -> Iterator[Quarantine]:
    """A quarantine for one update, removed at its end; one that a killed run left is removed before.

    Raises InfrastructureError while somebody else fetches for the same purpose.
    """
    path = served.path.with_name(f".{served.path.name}.{purpose}")
    with _alone(path.with_name(f"{path.name}.lock")) as lock:
        shutil.rmtree(path, ignore_errors=True)
        holding = lock if served.holding is None else served.holding
        repository = Repository(path, served.environment, holding, flushed="none")
        try:
            repository.do("init", "--quiet", "--bare", "--template=", str(path))
            borrowed = served.path.absolute() / "objects"
            (path / "objects" / "info" / "alternates").write_text(f"{borrowed}\n", "utf-8")
            with (path / "config").open("a", encoding="utf-8") as settings:
                settings.write(harmless_settings("fetch"))
            yield Quarantine(served.path.name.removesuffix(".git"), repository, limits)
        finally:
            shutil.rmtree(path, ignore_errors=True)


def remove_quarantines(mirrors: Path, name: str = "*") -> None:
    """Remove the quarantines of a recipe, by default of all, that killed runs left; not those of a run that lives."""
    for purpose in _PURPOSES:
        for path in mirrors.glob(f".{name}.git.{purpose}"):
            with suppress(_HeldError), _alone(path.with_name(f"{path.name}.lock")):
                shutil.rmtree(path)


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        raise _HeldError(f"somebody else fetches into {path.name.removesuffix('.lock')}") from None
    finally:
        # A child that another thread has forked holds the descriptor, too, until it begins its program.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def remove_lock_file(lock: Path) -> None:
    """Remove the file of a lock that nobody holds."""
    with suppress(OSError):
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.unlink()
        finally:
            os.close(descriptor)
