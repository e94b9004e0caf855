"""Co-op Cloud recipes as upstream repositories, and the fleet that declares them.

A folder `recipes/NAME/VERSION/` holds what that release changed; its tree is the one before, with these laid over it.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from desired.versions import parse_version
from tests.git_servers import Forge
from tests.repositories import UpstreamRepository

HERE = Path(__file__).parent
FORGE = "@FORGE@"


def names() -> tuple[str, ...]:
    return tuple(sorted(path.name for path in (HERE / "recipes").iterdir()))


def versions(name: str) -> tuple[str, ...]:
    """A recipe's releases, oldest first."""
    found = [version for path in (HERE / "recipes" / name).iterdir() if (version := parse_version(path.name))]
    return tuple(version.text for version in sorted(found, key=lambda version: version.key))


def tree(name: str, version: str) -> Mapping[str, Path]:
    """The files of a release, each with where it lies here."""
    files: dict[str, Path] = {}
    for one in versions(name):
        folder = HERE / "recipes" / name / one
        files |= {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if one == version:
            return files
    raise LookupError(f"{name} has no release {version}")


def release(repository: UpstreamRepository, name: str, version: str) -> str:
    """Commit a release upon the main branch and tag it as recipes are tagged: annotated. The commit's id."""
    files = tree(name, version)
    modes = {path: "100755" for path, file in files.items() if os.access(file, os.X_OK)}
    commit = repository.commit({path: file.read_bytes() for path, file in files.items()}, modes=modes)
    repository.tag(version, annotated=True)
    return commit


def lay_fleet(folder: Path, forge: Forge, recipes: Iterable[str]) -> Path:
    """The fleet's declarations of these recipes in the new folder `folder`, with their upstreams at `forge`."""
    (folder / "recipes").mkdir(parents=True)
    shutil.copyfile(HERE / "fleet" / "fleet.toml", folder / "fleet.toml")
    for name in recipes:
        declared = folder / "recipes" / name / "recipe.toml"
        shutil.copytree(HERE / "fleet" / name, declared.parent, ignore=shutil.ignore_patterns("__pycache__"))
        declared.write_text(declared.read_text(encoding="utf-8").replace(FORGE, forge.url), encoding="utf-8")
    return folder
