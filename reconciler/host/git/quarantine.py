"""Where what comes from upstream is kept apart, until it is known to be what upstream had said."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.git.refs import Refs
from reconciler.host.git.repository import Repository
from reconciler.host.text import ref_bytes

_AT_ONCE = 500
_KINDS = {"commit", "tree", "blob", "tag"}


@frozen
class Limits:
    """What one fetch may speak, take in seconds, and bring in bytes."""

    protocols: tuple[str, ...]
    seconds: float
    most: int


@frozen
class Quarantine:
    """A fresh repository beside the `served` one, whose objects it borrows so that only news is fetched."""

    repository: Repository
    served: Path
    limits: Limits

    def published(self, upstream: str, ref: str) -> str | None:
        """The full name of upstream's tag or branch `ref`, in this order; None if there is neither."""
        names = (f"refs/tags/{ref}", f"refs/heads/{ref}")
        printed = self._reach(self.limits.protocols, "ls-remote", "--", upstream, *names)
        found = {line.partition(b"\t")[2] for line in printed.splitlines()}
        return next((name for name in names if ref_bytes(name) in found), None)

    def fetch(self, upstream: str, refspecs: Sequence[str]) -> Refs:
        """Fetch by full names; what arrived.

        Some at a time, for git compares every refspec with every ref of upstream.
        """
        options = ("--quiet", "--atomic", "--no-tags", "--no-write-fetch-head", "--stdin")
        for start in range(0, len(refspecs), _AT_ONCE):
            given = b"".join(ref_bytes(refspec) + b"\n" for refspec in refspecs[start : start + _AT_ONCE])
            self._reach(self.limits.protocols, "fetch", *options, "--", upstream, given=given)
        return self.repository.refs()

    def hand_over(self, refspec: str) -> None:
        """Push to the served copy, which checks every object again before it keeps any."""
        options = ("--quiet", "--atomic", "--no-verify")
        self._reach(("file",), "push", *options, "--", str(self.served.absolute()), refspec)

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
        given = "".join(f"{oid}\n" for oid in objects.values()).encode()
        printed = self.repository.do("cat-file", "--batch-check=%(objecttype)", given=given)
        return dict(zip(objects, printed.decode("ascii").splitlines(), strict=True))

    def _reach(self, protocols: tuple[str, ...], *arguments: str, given: bytes = b"") -> bytes:
        return self.repository.reach(
            *arguments, protocols=protocols, given=given, seconds=self.limits.seconds, file_bytes=self.limits.most
        )


@contextmanager
def quarantine(served: Repository, purpose: str, limits: Limits) -> Iterator[Quarantine]:
    """A quarantine for one update, removed at its end; one that a killed run left is removed before.

    Raises InfrastructureError while somebody else fetches for the same purpose.
    """
    path = served.path.with_name(f".{served.path.name}.{purpose}")
    with _alone(path.with_name(f"{path.name}.lock")):
        shutil.rmtree(path, ignore_errors=True)
        repository = Repository(path, served.environment, served.holding, flushed="none")
        try:
            repository.do("init", "--quiet", "--bare", "--template=", str(path))
            borrowed = served.path.absolute() / "objects"
            (path / "objects" / "info" / "alternates").write_text(f"{borrowed}\n", "utf-8")
            yield Quarantine(repository, served.path, limits)
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InfrastructureError(f"somebody else fetches into {path.name.removesuffix('.lock')}") from None
    finally:
        os.close(descriptor)
