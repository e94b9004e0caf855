"""Finds the revision of Canon or of a fleet: the git commit if there is one, else a digest of the files."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler import __version__
from reconciler.host.git.git_command import git_argv, git_environment
from reconciler.host.run import CommandSpec, capture

_PROGRAM = Path(__file__).resolve().parents[3]
_PACKAGES = ("desired", "reconciler", "state")
_SECONDS = 30.0
_SHORT = 12


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
    files. If its fleet.toml is not in git, or git fails, return "sha256:DIGEST".
    """
    folder = folder.resolve()
    in_git = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    commit = _commit(folder, environment) if in_git and _is_tracked(folder, environment) else None
    if commit and _is_clean(folder, [folder], environment):
        return commit
    digest = folder_digest([folder])
    return f"{commit}-dirty.{digest[:_SHORT]}" if commit else f"sha256:{digest}"


def folder_digest(folders: Iterable[Path]) -> str:
    """Return one SHA-256 over all files below `folders`, as hexadecimal digits: paths, executable bits and contents.

    The target of a link counts as its content. What is below `.git` or `__pycache__` is left out.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder.parent)
            if not _is_content(relative):
                continue
            name = os.fsencode(relative)
            if path.is_symlink():
                _add(digest, b"link", name, os.fsencode(path.readlink()))
            elif path.is_file():
                _add(digest, b"program" if path.stat().st_mode & 0o100 else b"file", name, path.read_bytes())
    return digest.hexdigest()


def _is_content(path: Path) -> bool:
    return ".git" not in path.parts and "__pycache__" not in path.parts


def _add(digest: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        digest.update(b"%d:" % len(part) + part)


def _commit(folder: Path, environment: Mapping[str, str]) -> str | None:
    return _git(folder, environment, "rev-parse", "--verify", "--quiet", "HEAD") or None


def _is_tracked(folder: Path, environment: Mapping[str, str]) -> bool:
    return bool(_git(folder, environment, "ls-files", "--", "fleet.toml"))


def _is_clean(folder: Path, paths: Iterable[Path], environment: Mapping[str, str]) -> bool:
    return _git(folder, environment, "status", "--porcelain", "--untracked-files=all", "--", *map(str, paths)) == ""


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    """Run git in `folder`. Return its output without blanks at both ends.

    Return None if git fails, for example because another user owns the folder.
    """
    output = capture(CommandSpec(git_argv(*arguments), git_environment(environment), folder, _SECONDS))
    return output.out.decode("utf-8", "backslashreplace").strip() if output.ok else None
