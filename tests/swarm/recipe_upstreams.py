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
    """Map the paths of a release's files to the files in `recipes/`."""
    files: dict[str, Path] = {}
    for one in versions(name):
        folder = HERE / "recipes" / name / one
        files |= {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if one == version:
            return files
    raise LookupError(f"{name} has no release {version}")


def release(repository: UpstreamRepository, name: str, version: str) -> str:
    """Commit a release to the main branch with an annotated tag. Returns the commit."""
    files = tree(name, version)
    modes = {path: "100755" for path, file in files.items() if os.access(file, os.X_OK)}
    commit = repository.commit({path: file.read_bytes() for path, file in files.items()}, modes=modes)
    repository.tag(version, annotated=True)
    return commit


def lay_fleet(folder: Path, forge: Forge, recipes: Iterable[str]) -> Path:
    """Write the declarations of these recipes to the new folder `folder`, with their upstreams at `forge`."""
    (folder / "recipes").mkdir(parents=True)
    shutil.copyfile(HERE / "fleet" / "fleet.toml", folder / "fleet.toml")
    for name in recipes:
        declared = folder / "recipes" / name / "recipe.toml"
        shutil.copytree(HERE / "fleet" / name, declared.parent, ignore=shutil.ignore_patterns("__pycache__"))
        declared.write_text(declared.read_text(encoding="utf-8").replace(FORGE, forge.url), encoding="utf-8")
    return folder
