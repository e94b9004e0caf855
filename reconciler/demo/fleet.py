"""Makes the upstreams and the fleet of the demo, publishes releases, and damages a snapshot."""

import os
from collections.abc import Iterable
from pathlib import Path

from desired.model import Argv
from reconciler.demo.history import Commit, Publication, Tree, fast_import_stream
from reconciler.demo.upstreams import HISTORIES, PUBLICATIONS
from reconciler.errors import InfrastructureError, NeedsPersonError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.git.git_command import git_argv, git_environment
from reconciler.host.run import capture

APPS = Path(__file__).parent / "apps"
KIT = APPS / "kit"
GIT_SECONDS = 60.0

FLEET = """\
# Thirteen small recipes; their upstreams are in the folder beside this one.
format = 1

[fleet]
name = "demo"
protocols = ["file"]

# These small apps fail at once if they fail. Without this line, each new release is watched for 30 s.
[defaults.ready]
stable = "2s"
"""

README = """\
This folder was made by `reconcile demo`. Nothing outside of it was changed. You can delete it at any time.

  upstreams/   the recipes' repositories, as their maintainers publish them
  fleet/       your declarations: fleet.toml, and for each recipe a folder with its tests
  state/       the records and snapshots; made by the first pass
  canon.html   a page of all this; made at the end of the story

Here, in this folder:

  export RECONCILE_FLEET="$PWD/fleet" RECONCILE_STATE="$PWD/state"
  reconcile --dry-run     what a pass would do, and why
  reconcile               do it
  reconcile status        the canonicals, and the data that proves them
"""


def make_demo(folder: Path) -> None:
    """Make the demo's upstreams and fleet in `folder`. Raise NeedsPersonError unless the folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NeedsPersonError(f"{folder} is there already and not an empty folder", "name a new folder")
    upstreams = folder.absolute() / "upstreams"
    upstreams.mkdir(parents=True)
    for name, history in HISTORIES.items():
        repository = upstreams / f"{name}.git"
        _git(git_argv("init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(repository)), upstreams)
        _import(repository, fast_import_stream("main", "", trees_of(name, history.commits)))
        _declare(name, folder / "fleet" / "recipes" / name, upstreams)
    (folder / "fleet" / "fleet.toml").write_text(FLEET, encoding="utf-8")
    (folder / "README").write_text(README, encoding="utf-8")


def publish(folder: Path, publication: Publication) -> None:
    """Add the commits and tags of `publication` to its upstream. `folder` is the folder of the demo.

    The caller publishes the publications of one upstream in the order of PUBLICATIONS: each continues the one before.
    """
    name = publication.recipe
    before = [*HISTORIES[name].commits]
    for earlier in PUBLICATIONS[: PUBLICATIONS.index(publication)]:
        before += earlier.commits if earlier.recipe == name else ()
    trees = trees_of(name, [*before, *publication.commits])[len(before) :]
    made = fast_import_stream(publication.branch, "refs/heads/main^0", trees, publication.moves)
    _import(folder.absolute() / "upstreams" / f"{name}.git", made)


def damage(folder: Path, name: str) -> Path:
    """Change 16 bytes in the newest snapshot of the recipe `name`, as a broken disk would. Return the changed file."""
    generations = (folder / "state" / "canonicals" / name).iterdir()
    newest = max(generations, key=lambda generation: int(generation.name))
    file = newest / "snapshot.tar.zst"
    content = bytearray(file.read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 16)
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    file.write_bytes(content)
    return file


def trees_of(name: str, commits: Iterable[Commit]) -> list[tuple[Commit, Tree]]:
    """Return pairs: each of `commits`, and all files of the recipe's repository at that commit, by path.

    `name` is the name of the recipe. `commits` are all commits of its repository, from the first one on.
    """
    files: dict[str, bytes] = {kit: (KIT / "repository" / kit).read_bytes() for kit in HISTORIES[name].kit}
    trees: list[tuple[Commit, Tree]] = []
    for commit in commits:
        files = files | _files(APPS / name / "upstream" / commit.lays)
        trees.append((commit, files))
    return trees


def _files(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below `folder` by their relative paths. Compiled Python is left out."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _declare(name: str, folder: Path, upstreams: Path) -> None:
    """Write the declaration of the recipe `name`, and its tests if it has some, into the new folder `folder`.

    `upstreams` is the folder with the repositories of all upstreams.
    """
    files = _files(APPS / name / "fleet")
    if len(files) > 1:
        files |= _files(KIT / "tests")
    files["recipe.toml"] = files["recipe.toml"].replace(b"@UPSTREAMS@", upstreams.as_uri().encode())
    folder.mkdir(parents=True)
    for path, content in files.items():
        (folder / path).write_bytes(content)


def _import(repository: Path, stdin: bytes) -> None:
    """Add commits to a repository. `stdin` is the input for `git fast-import`, which has the commits.

    Raise InfrastructureError if git is missing or fails.
    """
    _git(git_argv("fast-import", "--quiet", "--done", repository=repository), repository, stdin)


def _git(argv: Argv, cwd: Path, stdin: bytes = b"") -> None:
    """Run the git command `argv` in the folder `cwd`, with `stdin` as its input.

    Raise InfrastructureError if git is missing or fails.
    """
    env = git_environment({"PATH": os.environ.get("PATH", os.defpath)})
    result = capture(CommandSpec(argv, env, cwd, GIT_SECONDS, stdin))
    if result.result.missing:
        raise InfrastructureError("git: not found in PATH", "install git and try again")
    if not result.ok:
        lines = result.err.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise InfrastructureError(f"git failed in {cwd}: {lines[-1]}")
