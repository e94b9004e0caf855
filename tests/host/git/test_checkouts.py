import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.ports.repositories import Alterations
from tests.host.git.mirrored_upstream import MirroredUpstream

# ---- checkouts ----


def test_a_checkout_holds_just_the_committed_bytes(world: MirroredUpstream, tmp_path: Path) -> None:
    files = {
        "a": b"one\ntwo\n",
        "sub/run.sh": b"#!/bin/sh\r\n",
        ".gitattributes": b"* text eol=crlf\n*.id ident\n*.lfs filter=lfs\n",
        "x.id": b"$Id$\n",
        "x.lfs": b"pointer\n",
        "link": b"/etc/passwd",
        "ünicode": b"",
    }
    commit = world.upstream.commit(files, modes={"sub/run.sh": "100755", "link": "120000"})
    world.follow()
    out = tmp_path / "slot" / "checkout"
    world.mirrors.checkout("notes", commit, out)
    written = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if not path.is_dir()}
    assert written == files
    assert not (out / "link").is_symlink()
    assert [path.name for path in out.rglob("*") if path.is_file() and path.stat().st_mode & 0o100] == ["run.sh"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["checkout"]
    assert world.mirrors.alterations("notes", commit, out) == Alterations()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"1" * 64)


def test_submodules_and_lfs_pointers_are_reported_and_are_no_alteration(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    files = {"a": b"1", "big.bin": POINTER, "text": POINTER * 9, "short": POINTER[:40], ".gitmodules": b""}
    lines = [f"100644 blob {world.upstream.blob(content)}\t{name}\n" for name, content in files.items()]
    lines += [f"160000 commit {'5' * 40}\tmodule{number}\n" for number in range(7)]
    tree = world.upstream.git("mktree", "--missing", stdin="".join(lines).encode())
    world.upstream.rewind(commit := world.upstream.commit_tree(tree))
    world.follow()
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    seen = world.mirrors.alterations("notes", commit, tmp_path / "out")
    assert (seen.changed, seen.added) == ((), ())
    assert seen.unfetched == (
        "submodules are not fetched: module0, module1, module2, module3, module4 and 2 more",
        "Git LFS is not fetched, these files are pointers: big.bin",
    )
    (tmp_path / "out" / "big.bin").write_bytes(b"the content")
    assert world.mirrors.alterations("notes", commit, tmp_path / "out").changed == ("big.bin",)


def test_a_checkout_goes_into_a_new_folder_only(world: MirroredUpstream, tmp_path: Path) -> None:
    commit = world.upstream.commit()
    world.follow()
    with pytest.raises(FileExistsError):
        world.mirrors.checkout("notes", commit, tmp_path)


def test_a_checkout_larger_than_allowed_is_refused_before_a_byte_is_written(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    commit = world.upstream.commit({"zeros": bytes(5_000_000)})
    world.follow()
    small = evolve(world.mirrors, most=1_000_000)
    with pytest.raises(RecipeError, match="5000000"):
        small.checkout("notes", commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkout_of_an_unknown_commit_is_an_infrastructure_error(world: MirroredUpstream, tmp_path: Path) -> None:
    world.upstream.commit()
    world.follow()
    with pytest.raises(InfrastructureError):
        world.mirrors.checkout("notes", "5" * 40, tmp_path / "out")


def same_look(path: Path, content: bytes) -> None:
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_link(path: Path, target: str) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(target)


def replaced_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def bytecode(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").touch()


ALTERATIONS: dict[str, tuple[Callable[[Path], object], Alterations]] = {
    "content": (lambda out: (out / "a").write_bytes(b"2"), Alterations(changed=("a",))),
    "content, size and date kept": (lambda out: same_look(out / "a", b"9"), Alterations(changed=("a",))),
    "deleted": (lambda out: (out / "a").unlink(), Alterations(changed=("a",))),
    "made executable": (lambda out: (out / "a").chmod(0o755), Alterations(changed=("a",))),
    "replaced by a link": (lambda out: replaced_by_link(out / "a", "d/b"), Alterations(changed=("a",))),
    "replaced by a pipe": (lambda out: replaced_by_pipe(out / "a"), Alterations(changed=("a",))),
    "a folder replaced by a link to its like": (
        lambda out: replaced_by_link(out / "d", "../moved"),
        Alterations(changed=("d/b",), added=("d",)),
    ),
    "added": (lambda out: (out / "d" / "new\x1b").write_bytes(b""), Alterations(added=("d/new\\x1b",))),
    "added bytecode": (bytecode, Alterations(added=("__pycache__/x.pyc",))),
    "added link": (lambda out: (out / "l").symlink_to("/etc"), Alterations(added=("l",))),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_every_alteration_is_seen(world: MirroredUpstream, tmp_path: Path, what: str) -> None:
    commit = world.upstream.commit({"a": b"1", "d/b": b"1"})
    world.follow()
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    alter, seen = ALTERATIONS[what]
    alter(tmp_path / "out")
    assert world.mirrors.alterations("notes", commit, tmp_path / "out") == seen
