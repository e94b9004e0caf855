import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from state.folder.folder import StateFolder
from state.folder.lock import hold
from state.state_errors import FolderError, ForeignFolderError
from tests.folders import entries_below
from tests.state.folder_contents import T1, T2, T9, T10, file


def test_every_path_is_where_the_design_says(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    assert {
        "database": state.database,
        "lock": state.lock,
        "mirror": state.mirror("notes"),
        "generations": state.generations("notes"),
        "canonical": state.canonical("notes", 3),
        "slot": state.slot("notes"),
        "slot lock": state.slot_lock("notes"),
        "logs": state.trial_logs("notes"),
        "log": state.trial_log("notes", "t1"),
    } == {
        "database": tmp_path / "canon.db",
        "lock": tmp_path / "lock",
        "mirror": tmp_path / "mirrors/notes.git",
        "generations": tmp_path / "canonicals/notes",
        "canonical": tmp_path / "canonicals/notes/3",
        "slot": tmp_path / "work/notes",
        "slot lock": tmp_path / "work/notes/lock",
        "logs": tmp_path / "logs/notes",
        "log": tmp_path / "logs/notes/t1",
    }


def test_naming_paths_of_a_missing_folder_makes_nothing(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "missing")
    assert not state.database.exists()
    assert not state.slot_lock("notes").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "../x", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    state = StateFolder(tmp_path)
    for make in (
        state.mirror,
        state.slot,
        state.slot_lock,
        state.generations,
        state.trial_logs,
        lambda name: state.canonical(name, 1),
    ):
        if make != state.mirror or name not in {".", ".."}:
            with pytest.raises(FolderError, match="is not the name of an entry"):
                make(name)
    with pytest.raises(FolderError, match="is not the name of an entry"):
        state.trial_log("notes", name)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_state_folder_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        StateFolder(tmp_path / "var" / "canon").create()
    finally:
        os.umask(before)
    made = tmp_path / "var" / "canon"
    assert {entry.name for entry in made.iterdir()} == {"mirrors", "canonicals", "kept", "work", "logs"}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (made, *made.iterdir())} == {0o700}


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "canon")
    state.create()
    before = _without_times_of_reading(state.root)
    state.create()
    assert _without_times_of_reading(state.root) == before


def _without_times_of_reading(root: Path) -> list[tuple[str, int, int, int, int]]:
    """Return what is known of each entry. Listing a folder may set its time of reading, but nothing else."""
    entries = [(entry.name, entry.stat()) for entry in sorted(root.iterdir())]
    return [(name, info.st_ino, info.st_mode, info.st_mtime_ns, info.st_ctime_ns) for name, info in entries]


def test_a_state_folder_that_others_may_read_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "canon").mkdir()
    (tmp_path / "canon").chmod(0o755)
    StateFolder(tmp_path / "canon").create()
    assert stat.S_IMODE((tmp_path / "canon").stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o720, 0o702, 0o1777])
@pytest.mark.parametrize("part", [".", "mirrors", "canonicals", "work", "logs"])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, part: str, mode: int) -> None:
    state = StateFolder(tmp_path / "canon")
    state.create()
    (state.root / part).chmod(mode)
    with pytest.raises(FolderError, match="may be written by others") as caught:
        state.create()
    assert caught.value.hint == f"chmod go-w {state.root / part}"


@pytest.mark.parametrize("part", [".", "work"])
def test_a_symbolic_link_in_its_place_is_refused_and_not_followed(tmp_path: Path, part: str) -> None:
    state = StateFolder(tmp_path / "canon")
    (tmp_path / "elsewhere").mkdir(0o700)
    if part != ".":
        state.root.mkdir(0o700)
        state.database.touch()
    (state.root / part).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match="is a symbolic link") as caught:
        state.create()
    assert str(tmp_path / "elsewhere") in caught.value.hint
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "canon").touch()
    with pytest.raises(FolderError, match="is not a folder"):
        StateFolder(tmp_path / "canon").create()


@pytest.mark.needs("root")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "canon").mkdir(0o700)
    os.chown(tmp_path / "canon", 65534, 65534)
    with pytest.raises(FolderError, match=r"belongs to user 65534, and this is user 0"):
        StateFolder(tmp_path / "canon").create()
    assert list((tmp_path / "canon").iterdir()) == []


def _folder_of_somebody(path: Path) -> None:
    path.mkdir()
    file(path / "important")


def _link(path: Path) -> None:
    (path.parent.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent.parent / "elsewhere")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("notes.txt", file),
        ("work", _folder_of_somebody),
        ("canonicals", _folder_of_somebody),
        ("logs", file),
        ("kept", _link),
        ("lock", file),
        ("lock", Path.mkdir),
        ("canon.db", Path.mkdir),
        (".hidden", Path.mkdir),
        ("recipes", Path.mkdir),
    ],
)
def test_a_folder_that_holds_something_and_is_no_state_folder_is_refused_untouched(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    state = StateFolder(tmp_path / "srv")
    state.root.mkdir(0o700)
    (state.root / "lost+found").mkdir()
    make(state.root / name)
    before = entries_below(tmp_path)
    for act in (state.require_state_folder, state.create):
        with pytest.raises(ForeignFolderError, match=f"it holds {re.escape(name)}; nothing in it was changed"):
            act()
    assert entries_below(tmp_path) == before


def _died_before_it_wrote(state: StateFolder) -> None:
    state.work.mkdir(0o700)
    state.lock.touch()


def _registry_moved_away(state: StateFolder) -> None:
    with hold(state.lock, "reconcile"):
        _folder_of_somebody(state.logs)


def _registry_damaged(state: StateFolder) -> None:
    state.database.write_text("garbage")
    file(state.root / "notes.txt")


@pytest.mark.parametrize(
    "make",
    [
        lambda _: None,
        lambda state: (state.root / "lost+found").mkdir(),
        _died_before_it_wrote,
        _registry_moved_away,
        _registry_damaged,
    ],
)
def test_an_empty_folder_and_every_state_folder_is_taken(tmp_path: Path, make: Callable[[StateFolder], None]) -> None:
    state = StateFolder(tmp_path / "canon")
    state.root.mkdir(0o700)
    make(state)
    state.create()
    state.require_state_folder()
    assert state.canonicals.is_dir()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Trials whose names do not sort as they happened."""
    for second, name in enumerate([T9, T10, T2, T1]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "install.log").touch()
        os.utime(tmp_path / name, (second, second))
    return tmp_path
