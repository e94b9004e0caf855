"""Unpacks a tar into a folder, and compares every entry with the manifest."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from state.folder.durable import PRIVATE_FILE, PRIVATE_FOLDER
from state.records import Seal
from state.snapshots.compression import CHUNK, decompressed, plain
from state.snapshots.manifest import SealedEntry
from state.snapshots.members import Content, Member, members
from state.snapshots.new_folder import new_folder
from state.snapshots.packing import raw
from state.snapshots.sealed import open_tar, read_manifest
from state.snapshots.sealed_files import MismatchError, changed_files
from state.snapshots.sparse import pieces, zeros
from state.state_errors import SnapshotError


def unpack_folder(folder: Path, seal: Seal, into: Path) -> Mapping[str, object]:
    """Check a snapshot by its seal, and unpack it into the new folder `into`. Return its manifest's `about`.

    Raise MismatchError if the snapshot is damaged, SnapshotError or OSError for other failures. After a failure, `into`
    does not exist.
    """
    changed_files(folder, seal)
    manifest = read_manifest(folder, seal.manifest)
    with open_tar(folder, manifest) as file, new_folder(into):
        tar = plain(file) if manifest.format == 1 else decompressed(file)
        extract(tar, manifest.entries, os.fsencode(into))
    return manifest.about


def extract(tar: Iterator[bytes], entries: Sequence[SealedEntry], into: bytes) -> None:
    """Unpack a tar into the empty folder `into`. `tar` yields the bytes of the tar in chunks.

    Raise MismatchError if anything differs from `entries`. Owners are set only if this process runs as root.
    """
    folders, files = {""}, set[str]()
    for member in members(tar, entries):
        entry = member.entry
        _refuse_outside(entry, folders, files)
        place = os.path.join(into, raw(entry.path))
        if member.content:
            _write(place, member, member.content)
        else:
            _place(place, entry, into)
        (folders if entry.type == "folder" else files).add(entry.path)
    # In reverse order, so that a folder gets its mode and time after its content.
    for entry in (entry for entry in reversed(entries) if entry.type in {"folder", "symlink"}):
        _set_attributes(os.path.join(into, raw(entry.path)), entry)
    for entry in entries:
        _compare(os.path.join(into, raw(entry.path)), entry)


def _refuse_outside(entry: SealedEntry, folders: set[str], files: set[str]) -> None:
    """Raise MismatchError for an entry whose path is outside of the folder or occurs twice, and for a bad link.

    `folders` and `files` are the paths that were unpacked before. The parent of the entry's path must be one of the
    `folders`: so it cannot be a symlink that leads outside. A hard link must lead to one of the `files`.
    """
    parent, _, name = entry.path.rpartition("/")
    if name in {"", ".", ".."} or "\0" in name or parent not in folders:
        raise MismatchError(f"{entry.path!r} does not lie in the tree")
    if "\0" in entry.target:
        raise MismatchError(f"{entry.path!r} has a target that no link can have")
    if entry.path in folders or entry.path in files:
        raise MismatchError(f"{entry.path!r} is there twice")
    if entry.type == "hardlink" and entry.target not in files:
        raise MismatchError(f"{entry.path!r} links to {entry.target!r}, which is no file before it")


def _place(place: bytes, entry: SealedEntry, into: bytes) -> None:
    """Make the folder, symlink or hard link of `entry` at the path `place`.

    `into` is the folder into which the tar is unpacked. A hard link leads to a file below `into`.
    """
    if entry.type == "folder":
        os.mkdir(place, PRIVATE_FOLDER)
    elif entry.type == "symlink":
        os.symlink(raw(entry.target), place)
    else:
        os.link(os.path.join(into, raw(entry.target)), place, follow_symlinks=False)


def _write(place: bytes, member: Member, content: Content) -> None:
    """Write the file of `member` to the path `place`, with its holes. Then set its owner, mode and time."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    entry, descriptor = member.entry, os.open(place, flags, PRIVATE_FILE)
    try:
        _fill(descriptor, member, content)
        _set_owner(entry, os.fstat(descriptor), partial(os.fchown, descriptor))
        os.fchmod(descriptor, entry.mode)
        os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
    finally:
        os.close(descriptor)


def _fill(descriptor: int, member: Member, content: Content) -> None:
    """Write the content of `member`'s file to the open file `descriptor`. Holes in the file stay holes.

    Raise MismatchError if the hash of the content is not the sealed one.
    """
    digest, size = hashlib.sha256(), member.entry.size
    for piece in pieces(member.extents, size):
        if piece.is_hole:
            for chunk in zeros(piece.length):
                digest.update(chunk)
            # Only in the content of a file with holes: that of another one counts from the start of the tar.
            content.seek(piece.offset + piece.length)
            continue
        left, at = piece.length, piece.offset
        while left and (data := content.read(min(CHUNK, left))):
            digest.update(data)
            _write_at(descriptor, data, at)
            at, left = at + len(data), left - len(data)
    if member.extents != ((0, size),):
        os.ftruncate(descriptor, size)
    if digest.hexdigest() != member.entry.sha256:
        raise MismatchError(f"the content of {member.entry.path!r} is not what was sealed")


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def _set_attributes(place: bytes, entry: SealedEntry) -> None:
    """Set the owner, mode and time that `entry` names for the path `place`.

    The owner comes first, because a new owner would clear set-id bits of the mode.
    """
    _set_owner(entry, os.lstat(place), partial(os.chown, place, follow_symlinks=False))
    if entry.type != "symlink":
        os.chmod(place, entry.mode)
    os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)


def _set_owner(entry: SealedEntry, info: os.stat_result, chown: Callable[[int, int], None]) -> None:
    """Set the owner and group of a file by `chown`, unless it already has them. `info` is the stat of the file.

    Do nothing if this process does not run as root. Raise SnapshotError if root is not allowed to change the owner, as
    in a systemd unit without CAP_CHOWN.
    """
    if os.geteuid() != 0 or (info.st_uid, info.st_gid) == (entry.uid, entry.gid):
        return
    try:
        chown(entry.uid, entry.gid)
    except PermissionError as error:
        message = f"{entry.path!r} belongs to user {entry.uid}, and root must not give files to others here"
        raise SnapshotError(message, "if this is a systemd unit, it needs CAP_CHOWN: see other-users.conf") from error


def _compare(place: bytes, entry: SealedEntry) -> None:
    """Raise MismatchError if the unpacked path `place` differs from `entry` in kind, time, mode, size or target."""
    info = os.lstat(place)
    is_right = {"folder": stat.S_ISDIR, "symlink": stat.S_ISLNK}.get(entry.type, stat.S_ISREG)
    right = is_right(info.st_mode) and info.st_mtime_ns == entry.mtime_ns
    if entry.type == "symlink":
        right = right and os.readlink(place) == raw(entry.target)
    else:
        right = right and stat.S_IMODE(info.st_mode) == entry.mode
    if entry.type == "file":
        right = right and info.st_size == entry.size
    if not right:
        raise MismatchError(f"{entry.path!r} did not come out as it was sealed")
