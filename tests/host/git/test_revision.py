import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.host.git.revision import canon_revision, fleet_revision, folder_digest
from tests.reconcile_command import TREE
from tests.repositories import git

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
HEX = "[0-9a-f]"


def written(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def committed(folder: Path) -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", ".")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Change")
    return git(folder, "rev-parse", "HEAD").decode().strip()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return written(tmp_path, desired__a_py="1", state__a_py="1", reconciler__a_py="1", README_md="1")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    return written(
        tmp_path / "fleet", fleet_toml="format = 1", recipes__notes__recipe_toml="", recipes__notes__check_py="1"
    )


# ---- the program ----


def test_a_clean_checkout_is_its_version_and_commit(program: Path) -> None:
    commit = committed(program)
    assert re.fullmatch(rf"\d[\w.]*\+{commit[:12]}", canon_revision(ENVIRONMENT, program))


def test_every_change_of_a_checkout_shows(program: Path) -> None:
    committed(program)
    seen = {canon_revision(ENVIRONMENT, program)}
    for content in ("2", "3"):
        (program / "reconciler" / "a.py").write_text(content)
        seen.add(canon_revision(ENVIRONMENT, program))
    (program / "state" / "new.py").write_text("")
    seen.add(canon_revision(ENVIRONMENT, program))
    assert len(seen) == 4
    assert len([revision for revision in seen if "-dirty." in revision]) == 3


def test_files_that_are_no_part_of_the_program_do_not_change_its_revision(program: Path) -> None:
    committed(program)
    before = canon_revision(ENVIRONMENT, program)
    (program / "README.md").write_text("2")
    (program / "tests").mkdir()
    assert canon_revision(ENVIRONMENT, program) == before


def test_an_installed_program_is_its_version_and_a_digest(program: Path) -> None:
    first = canon_revision(ENVIRONMENT, program)
    assert re.fullmatch(rf"\d[\w.]*\+sha256\.{HEX}{{12}}", first)
    (program / "reconciler" / "__pycache__").mkdir()
    (program / "reconciler" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert canon_revision(ENVIRONMENT, program) == first
    (program / "desired" / "a.py").write_text("2")
    assert canon_revision(ENVIRONMENT, program) != first


def test_a_program_installed_below_somebody_elses_checkout_does_not_bear_its_commit(tmp_path: Path) -> None:
    host = written(tmp_path / "host", a="1")
    committed(host)
    installed = written(host / "venv" / "lib", desired__a_py="1", state__a_py="1", reconciler__a_py="1")
    assert "sha256" in canon_revision(ENVIRONMENT, installed)


# ---- the fleet ----


def test_a_fleet_in_git_is_its_commit_until_something_differs(fleet: Path) -> None:
    commit = committed(fleet)
    assert fleet_revision(fleet, ENVIRONMENT) == commit
    (fleet / "recipes" / "notes" / "check.py").write_text("2")
    changed = fleet_revision(fleet, ENVIRONMENT)
    assert re.fullmatch(rf"{commit}-dirty\.{HEX}{{12}}", changed)
    (fleet / "recipes" / "notes" / "untracked").write_text("")
    assert fleet_revision(fleet, ENVIRONMENT) not in (commit, changed)


def test_a_fleet_below_the_top_of_a_repository_is_its_commit_whatever_lies_beside_it(fleet: Path) -> None:
    commit = committed(fleet.parent)
    (fleet.parent / "beside").write_text("")
    assert fleet_revision(fleet, ENVIRONMENT) == commit


def test_a_fleet_that_git_does_not_track_is_a_digest(fleet: Path) -> None:
    (fleet.parent / ".gitignore").write_text("fleet/\n")
    committed(fleet.parent)
    assert re.fullmatch(rf"sha256:{HEX}{{64}}", fleet_revision(fleet, ENVIRONMENT))


def test_a_fleet_without_git_is_a_digest_of_all_its_files(fleet: Path) -> None:
    assert fleet_revision(fleet, ENVIRONMENT) == f"sha256:{folder_digest([fleet])}"


@pytest.mark.needs("root")
def test_a_repository_of_another_user_is_not_asked(fleet: Path) -> None:
    committed(fleet)
    for path in (fleet, *fleet.rglob("*")):
        os.chown(path, 65534, 65534)
    assert fleet_revision(fleet, ENVIRONMENT).startswith("sha256:")


def test_asking_for_a_revision_changes_nothing(fleet: Path) -> None:
    committed(fleet)
    # Newer dates than those in git's index make it want to write them down.
    for path in fleet.rglob("*.toml"):
        os.utime(path)
    before = {path: path.lstat().st_mtime_ns for path in fleet.rglob("*")}
    fleet_revision(fleet, ENVIRONMENT)
    assert {path: path.lstat().st_mtime_ns for path in fleet.rglob("*")} == before


# ---- digests ----

CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda fleet: (fleet / "fleet.toml").write_text("format = 2"),
    "a new file": lambda fleet: (fleet / "new").write_text(""),
    "a file less": lambda fleet: (fleet / "fleet.toml").unlink(),
    "another name": lambda fleet: (fleet / "fleet.toml").rename(fleet / "fleet.tom"),
    "made executable": lambda fleet: (fleet / "fleet.toml").chmod(0o755),
    "a link": lambda fleet: (fleet / "link").symlink_to("fleet.toml"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_a_folder_changes_its_digest(fleet: Path, what: str) -> None:
    before = folder_digest([fleet])
    CHANGES[what](fleet)
    assert folder_digest([fleet]) != before


def test_a_digest_does_not_depend_on_place_date_or_order(fleet: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "fleet"
    shutil.copytree(fleet, copy)
    os.utime(copy / "fleet.toml", (1, 1))
    assert folder_digest([copy]) == folder_digest([fleet])
    (fleet / "one").write_text("ab")
    (fleet / "two").write_text("c")
    (copy / "two").write_text("c")
    (copy / "one").write_text("ab")
    assert folder_digest([copy]) == folder_digest([fleet])
    (copy / "one").write_text("a")
    (copy / "two").write_text("bc")
    assert folder_digest([copy]) != folder_digest([fleet])


def test_the_program_is_the_one_that_runs() -> None:
    assert canon_revision(ENVIRONMENT) == canon_revision(ENVIRONMENT, TREE)
