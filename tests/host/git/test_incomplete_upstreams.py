from pathlib import Path

import pytest

from desired.releases import Unobservable
from tests.host.git.faulty_upstream import FaultyUpstream, copied, copy_without, fault
from tests.repositories import git


@pytest.fixture
def world(tmp_path: Path) -> FaultyUpstream:
    return FaultyUpstream(tmp_path)


def test_a_shallow_upstream_is_called_one(world: FaultyUpstream) -> None:
    world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.1.0")
    assert fault(world, copied(world, "--depth", "1")).startswith("upstream of notes is a shallow copy: ")


def test_an_upstream_that_is_a_partial_copy_is_called_one(world: FaultyUpstream) -> None:
    world.upstream.git("config", "uploadpack.allowFilter", "true")
    path = copied(world, "--filter=blob:none")
    assert fault(world, path).startswith("upstream of notes is a partial copy: ")


@pytest.mark.parametrize("name", ["main:a", "main^{tree}", "main~1", "main"])
def test_an_upstream_that_lacks_an_object_is_reported_with_that_object(world: FaultyUpstream, name: str) -> None:
    world.upstream.commit({"a": b"2"})
    path, oid = copy_without(world, name)
    assert fault(world, path).startswith(f"upstream of notes lacks object {oid}: ")


def test_an_upstream_whose_borrowed_objects_are_gone_lacks_them(world: FaultyUpstream) -> None:
    path = world.folder / "upstreams" / "borrowing.git"
    git(world.folder, "clone", "-q", "--bare", "--shared", str(world.upstream.path), str(path))
    (path / "objects" / "info" / "alternates").write_text("/nowhere/objects\n")
    assert fault(world, path).startswith(f"upstream of notes lacks object {world.first}: ")


def test_an_upstream_with_sha256_objects_is_refused_by_that_reason(world: FaultyUpstream) -> None:
    path = world.folder / "upstreams" / "other.git"
    git(world.folder, "init", "-q", "--bare", "--object-format=sha256", "--initial-branch=main", str(path))
    tree = git(path, "hash-object", "-t", "tree", "-w", "--stdin").decode().strip()
    commit = git(path, "commit-tree", tree, "-m", "One").decode().strip()
    git(path, "update-ref", "refs/heads/main", commit)
    assert world.ask(path) == Unobservable("upstream names its objects by SHA-256, which mirrors here cannot hold")
