import stat
from pathlib import Path

import pytest

from state.folder.folder import StateFolder, is_slot
from state.folder.lock import hold
from state.state_errors import FolderError
from tests.state.folder_contents import file


def test_a_folder_is_a_slot_if_it_has_our_lock_or_is_empty(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "canon")
    folders = {name: state.make_slot(name) for name in ("ours", "empty", "theirs", "their-lock", "full-disk")}
    with hold(state.slot_lock("ours"), "trial"):
        file(folders["ours"] / "anything")
    file(folders["theirs"] / "mine.txt")
    file(folders["their-lock"] / "lock")
    state.slot_lock("full-disk").touch()
    (state.work / "link").symlink_to(folders["ours"])
    file(state.work / "file")
    assert {path.name for path in state.work.iterdir() if is_slot(path)} == {"ours", "empty", "full-disk"}


def test_a_slot_is_made_private_and_one_that_is_there_is_taken(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "canon")
    assert state.make_slot("notes") == state.slot("notes")
    assert stat.S_IMODE(state.slot("notes").stat().st_mode) == 0o700
    (state.slot("notes") / "left").touch()
    state.make_slot("notes")
    assert (state.slot("notes") / "left").exists()


def test_a_slot_is_never_what_a_link_leads_to_nor_a_file(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "canon")
    state.create()
    (tmp_path / "precious").mkdir()
    state.slot("notes").symlink_to(tmp_path / "precious")
    state.slot("mail").touch()
    with pytest.raises(FolderError, match="is a symbolic link"):
        state.make_slot("notes")
    with pytest.raises(FolderError, match="is not a folder"):
        state.make_slot("mail")
