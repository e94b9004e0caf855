"""Generates trees of files with hostile names, writes them to disk, and describes what is on disk."""

import hashlib
import os
import stat
from pathlib import Path

from attrs import frozen
from hypothesis import strategies as st

from state.records import FileSeal
from state.snapshots.snapshots import SealedSnapshots

HOSTILE = (b"-rf", b"\xff\xfe", b"a\nb", b" ", b"...", b"\x9b", "\u202e".encode(), b"*", b"x" * 255, b"'\"", b"\\")
NAMES = st.sampled_from(HOSTILE) | st.binary(min_size=1, max_size=6).filter(
    lambda name: name not in {b".", b".."} and not set(name) & set(b"/\0")
)
# Whoever is not root cannot read what forbids it.
_READABLE = 0 if os.geteuid() == 0 else 0o400
_ENTERABLE = 0 if os.geteuid() == 0 else 0o500
MOMENTS = st.integers(-(10**18), 4 * 10**18)


@frozen
class File:
    content: bytes
    mode: int
    mtime_ns: int


@frozen
class Folder:
    children: dict[bytes, "Node"]
    mode: int
    mtime_ns: int


@frozen
class Symlink:
    target: bytes
    mtime_ns: int


@frozen
class Hardlink:
    """Another name of the file that was written `back` files before. Nothing if there is none."""

    back: int


@frozen
class Fifo:
    mode: int


Node = File | Folder | Symlink | Hardlink | Fifo

_FILES = st.builds(
    File,
    st.binary(max_size=40) | st.integers(500, 530).map(lambda size: b"z" * size),
    st.integers(0, 0o7777).map(lambda mode: mode | _READABLE),
    MOMENTS,
)
_TARGETS = st.sampled_from([b"..", b"/etc/passwd", b"nowhere", b"a/", b"\xff", b"t" * 300])
_LEAVES = (
    _FILES
    | st.builds(Symlink, _TARGETS, MOMENTS)
    | st.builds(Hardlink, st.integers(1, 3))
    | st.builds(Fifo, st.just(0o600))
)
_MODES = st.integers(0, 0o7777).map(lambda mode: mode | _ENTERABLE)
NODES: st.SearchStrategy[Node] = st.recursive(
    _LEAVES,
    lambda inner: st.builds(Folder, st.dictionaries(NAMES, inner, max_size=4), _MODES, MOMENTS),
    max_leaves=12,
)
TREES = st.dictionaries(NAMES, NODES, max_size=5)


def write_tree(children: dict[bytes, Node], folder: bytes, planted: list[bytes] | None = None) -> None:
    """Write the tree into the existing folder."""
    files = [] if planted is None else planted
    for name, node in children.items():
        path = os.path.join(folder, name)
        match node:
            case File():
                with open(path, "wb") as file:
                    file.write(node.content)
                os.chmod(path, node.mode)
                os.utime(path, ns=(node.mtime_ns, node.mtime_ns))
                files.append(path)
            case Folder():
                os.mkdir(path)
                write_tree(node.children, path, files)
                os.chmod(path, node.mode)
                os.utime(path, ns=(node.mtime_ns, node.mtime_ns))
            case Symlink():
                os.symlink(node.target, path)
                os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)
            case Hardlink(back) if back <= len(files):
                os.link(files[-back], path)
            case Fifo():
                os.mkfifo(path, node.mode)
            case _:
                pass


def describe_tree(
    folder: Path | bytes, *, changes: bool = True, special: bool = True
) -> dict[bytes, tuple[object, ...]]:
    """Describe the folder (as b"") and all below it: type, mode, times, content or target, and hard links.

    Without `changes`, inode and ctime are left out, since a copy cannot have them. Without `special`, sockets, fifos
    and the folder itself are left out.
    """
    root = os.fsencode(folder)
    shared: dict[int, bytes] = {}
    found = {b"": _describe_entry(root, b"", shared, changes=changes)} if special else {}
    for above, folders, files in os.walk(root):
        for name in sorted(folders + files):
            path = os.path.join(above, name)
            mode = os.lstat(path).st_mode
            if special or stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
                found[os.path.relpath(path, root)] = _describe_entry(
                    path, os.path.relpath(path, root), shared, changes=changes
                )
        folders.sort()
    return found


def _describe_entry(path: bytes, name: bytes, shared: dict[int, bytes], *, changes: bool) -> tuple[object, ...]:
    look = os.lstat(path)
    if stat.S_ISLNK(look.st_mode):
        content: object = os.readlink(path)
    elif stat.S_ISREG(look.st_mode):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        shared.setdefault(look.st_ino, name)
    else:
        content = None
    changed = (look.st_ino, look.st_ctime_ns) if changes else ()
    return (look.st_mode, look.st_uid, look.st_gid, look.st_mtime_ns, content, shared.get(look.st_ino), *changed)


SNAPSHOTS = SealedSnapshots()
ABOUT = {"apps": {"notes": {"version": "1.0.0"}}, "odd": "\udcff"}


def file_seal(path: Path) -> FileSeal:
    look = path.stat()
    return FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)
