"""An upstream with objects that git warns about or refuses."""

import shutil
from pathlib import Path

import pytest

from desired.model import Recipe
from desired.releases import Unobservable
from reconciler.errors import UpstreamError
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.upstream import GitUpstream
from reconciler.ports.repositories import MirrorUpdate, TagQuery
from state.folder.folder import StateFolder
from state.records import Answer
from tests.repositories import UpstreamRepository, git

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
GOOD = b"Ada <ada@example.org> 1700000000 +0000"


class FaultyUpstream:
    """One upstream with a release, and a mirror of it."""

    def __init__(self, folder: Path) -> None:
        self.upstream = UpstreamRepository.make(folder / "upstreams" / "notes.git")
        self.folder = folder
        self.mirrors = GitMirrors(StateFolder(folder / "state"), ENVIRONMENT, ("file",))
        self.bad = ""
        self.first = self.upstream.commit({"a": b"1"})
        self.upstream.tag("1.0.0")

    def ask(self, path: Path | None = None) -> Answer | Unobservable:
        recipe = Recipe("notes", f"file://{path or self.upstream.path}", Path("/nowhere"))
        reply = GitUpstream(ENVIRONMENT, ("file",)).ask([TagQuery(recipe, None)])["notes"]
        assert isinstance(reply, Answer | Unobservable)
        return reply

    def follow(self, path: Path | None = None) -> MirrorUpdate:
        answer = self.ask(path)
        assert isinstance(answer, Answer), answer
        recipe = Recipe("notes", f"file://{path or self.upstream.path}", Path("/nowhere"))
        return self.mirrors.update(recipe, answer, {tag: commit for tag, commit in answer.tags.items() if commit})

    def raw(self, kind: str, content: bytes) -> str:
        """An object just as it is given, whatever git thinks of it."""
        return self.upstream.git("hash-object", "-t", kind, "-w", "--stdin", "--literally", stdin=content)

    def signed(self, *authors: bytes, more: bytes = b"\nA change.\n") -> str:
        lines = [b"tree " + self.upstream.tree({"a": b"1"}).encode(), b"parent " + self.first.encode()]
        lines += [b"author " + author for author in authors]
        return self.raw("commit", b"\n".join([*lines, b"committer " + GOOD]) + b"\n" + more)

    def listed(self, *entries: tuple[bytes, str]) -> str:
        """A commit of a tree with these entries: mode and name, and what they name."""
        tree = self.raw("tree", b"".join(entry + b"\0" + bytes.fromhex(oid) for entry, oid in entries))
        self.bad = tree
        return self.upstream.commit_tree(tree, self.first)


# ---- upstreams that are not whole ----


def copied(world: FaultyUpstream, *options: str) -> Path:
    path = world.folder / "upstreams" / "copy.git"
    git(world.folder, "clone", "-q", "--bare", *options, f"file://{world.upstream.path}", str(path))
    return path


def copy_without(world: FaultyUpstream, name: str) -> tuple[Path, str]:
    """Make a copy that lacks the object `name`. Return its path and the id of the object."""
    path = copied(world)
    aside = world.folder / "packs"
    shutil.move(path / "objects" / "pack", aside)
    for pack in aside.glob("*.pack"):
        git(path, "unpack-objects", "-q", stdin=pack.read_bytes())
    oid = git(path, "rev-parse", name).decode().strip()
    (path / "objects" / oid[:2] / oid[2:]).unlink()
    return path, oid


def fault(world: FaultyUpstream, path: Path) -> str:
    with pytest.raises(UpstreamError) as told:
        world.follow(path)
    assert world.mirrors.refs("notes") is None
    return told.value.message
