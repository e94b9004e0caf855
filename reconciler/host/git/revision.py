"""Finds the revision of Canon or of a fleet: the git commit if there is one, else a digest of the files."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from reconciler import __version__
from reconciler.host.git.git_command import git_argv, git_environment
from reconciler.host.run import CapturedOutput, CommandSpec, capture

_PROGRAM = Path(__file__).resolve().parents[3]
_PACKAGES = ("desired", "reconciler", "state")
_SECONDS = 30.0
_SHORT = 12
_NOT_CONTENT = frozenset({".git", "__pycache__"})
# Stands where a digest would be. A digest of the other files would look like that of a folder without the unread file.
_NOT_READ_WHOLE = "not-read-whole"


def canon_revision(environment: Mapping[str, str], root: Path = _PROGRAM) -> str:
    """Return the version and commit of Canon, such as `0.1.0+0123456789ab`. `root` is the folder with its packages.

    If a file of the packages differs from the commit, `-dirty` and a digest of all files are added. If `root` is no git
    repository, or git fails, the digest takes the place of the commit. `environment` is the environment of git.
    """
    commit = _commit(root, environment) if (root / ".git").exists() else None
    packages = [root / package for package in _PACKAGES]
    if commit and _is_clean(root, packages, environment):
        return f"{__version__}+{commit[:_SHORT]}"
    digest = folder_digest(packages)[:_SHORT]
    return f"{__version__}+{commit[:_SHORT]}-dirty.{digest}" if commit else f"{__version__}+sha256.{digest}"


def fleet_revision(folder: Path, environment: Mapping[str, str]) -> str:
    """Return the commit of the fleet folder. `environment` is the environment of git.

    If files of the folder differ from the commit, return "COMMIT-dirty.DIGEST", with the beginning of a digest of all
    files. If its fleet.toml is not in git, or git fails, return "sha256:DIGEST". If a file or a folder in it cannot be
    read, "not-read-whole" takes the place of the digest: "COMMIT-dirty.not-read-whole", or "not-read-whole" alone.
    """
    folder = folder.resolve()
    in_git = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    commit = _commit(folder, environment) if in_git and _is_tracked(folder, environment) else None
    if commit and _is_clean(folder, [folder], environment):
        return commit
    try:
        digest = folder_digest([folder])
    except OSError:
        return f"{commit}-dirty.{_NOT_READ_WHOLE}" if commit else _NOT_READ_WHOLE
    return f"{commit}-dirty.{digest[:_SHORT]}" if commit else f"sha256:{digest}"


def folder_digest(folders: Iterable[Path]) -> str:
    """Return one SHA-256 over all files below `folders`, as hexadecimal digits: paths, executable bits and contents.

    The target of a link counts as its content. What is below `.git` or `__pycache__` is left out. Raise OSError if a
    file or a folder cannot be read.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in _entries(folder, _raise):
            if facts := _facts(path):
                kind, content = facts
                _add(digest, kind, os.fsencode(path.relative_to(folder.parent)), content)
    return digest.hexdigest()


def unread_files(folder: Path) -> dict[Path, str]:
    """Return the files and folders below `folder` that cannot be read, each with the reason.

    Paths are relative to `folder`. What `folder_digest` leaves out is left out here too.
    """
    unread: dict[Path, str] = {}

    def note(failed: OSError) -> None:
        unread[Path(os.fsdecode(failed.filename)).relative_to(folder)] = failed.strerror or str(failed)

    for path in _entries(folder, note):
        try:
            _facts(path)
        except OSError as failed:
            unread[path.relative_to(folder)] = failed.strerror or str(failed)
    return unread


def _entries(folder: Path, on_error: Callable[[OSError], None]) -> list[Path]:
    """Return the paths of everything below `folder`, sorted, without what is below `.git` or `__pycache__`.

    `on_error` is called with the error of each folder that cannot be listed.
    """
    found: list[Path] = []
    for above, folders, files in os.walk(folder, onerror=on_error):
        folders[:] = [name for name in folders if name not in _NOT_CONTENT]
        found += [Path(above, name) for name in (*folders, *files) if name not in _NOT_CONTENT]
    return sorted(found)


def _raise(failed: OSError) -> None:
    raise failed


def _facts(path: Path) -> tuple[bytes, bytes] | None:
    """Return the kind of a file or link, such as b"file", and its content; None for a folder and for anything else.

    Raise OSError if it cannot be read.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return b"link", os.fsencode(path.readlink())
    if not stat.S_ISREG(mode):
        return None
    return (b"program" if mode & stat.S_IXUSR else b"file"), path.read_bytes()


def _add(digest: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        digest.update(b"%d:" % len(part) + part)


def _commit(folder: Path, environment: Mapping[str, str]) -> str | None:
    return _git(folder, environment, "rev-parse", "--verify", "--quiet", "HEAD") or None


def _is_tracked(folder: Path, environment: Mapping[str, str]) -> bool:
    return bool(_git(folder, environment, "ls-files", "--", "fleet.toml"))


def _is_clean(folder: Path, paths: Iterable[Path], environment: Mapping[str, str]) -> bool:
    """Return whether nothing below `paths` differs from the commit. Return False if a folder there cannot be listed."""
    status = ("status", "--porcelain", "--untracked-files=all", "--", *map(str, paths))
    output = _capture(folder, environment, *status)
    # Of a folder that it cannot list, git 2.39 says so on stderr, and takes it for clean.
    return output.ok and not output.out.strip() and (not output.err or _can_be_listed(paths))


def _can_be_listed(folders: Iterable[Path]) -> bool:
    try:
        for folder in folders:
            _entries(folder, _raise)
    except OSError:
        return False
    return True


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    """Run git in `folder`. Return its output without blanks at both ends.

    Return None if git fails, for example because another user owns the folder.
    """
    output = _capture(folder, environment, *arguments)
    return output.out.decode("utf-8", "backslashreplace").strip() if output.ok else None


def _capture(folder: Path, environment: Mapping[str, str], *arguments: str) -> CapturedOutput:
    return capture(CommandSpec(git_argv(*arguments), git_environment(environment), folder, _SECONDS))
