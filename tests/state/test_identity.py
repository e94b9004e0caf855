import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from state.folder.folder import StateFolder
from state.folder.identity import make_identity, read_identity
from state.state_errors import FolderError, ForeignFolderError


def test_a_folder_without_one_has_none_and_looking_makes_none(tmp_path: Path) -> None:
    assert read_identity(tmp_path / "id") is None
    assert list(tmp_path.iterdir()) == []


def test_an_id_is_made_once_and_is_another_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, other = make_identity(tmp_path / "id"), make_identity(tmp_path / "other" / "id")
    assert made == make_identity(tmp_path / "id") == read_identity(tmp_path / "id")
    assert made != other
    assert stat.S_IMODE((tmp_path / "id").stat().st_mode) == 0o600


def test_processes_that_make_the_identity_at_once_get_the_same_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: make_identity(tmp_path / "id"), range(64)))
    assert made == {read_identity(tmp_path / "id")}
    assert [path.name for path in tmp_path.iterdir()] == ["id"]


def test_the_id_moves_with_its_folder_and_a_copy_has_none(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    made = make_identity(tmp_path / "here" / "id")
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    (tmp_path / "here").rename(tmp_path / "there")
    assert read_identity(tmp_path / "there" / "id") == made
    assert read_identity(tmp_path / "copy" / "id") is None
    assert make_identity(tmp_path / "copy" / "id") != made


@pytest.mark.parametrize("content", ["", "id", "0" * 32, "0" * 32 + " x\n", "\0" * 300])
def test_an_incomplete_id_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "id").write_text(content)
    assert read_identity(tmp_path / "id") is None
    assert make_identity(tmp_path / "id") == read_identity(tmp_path / "id")


def test_only_what_was_written_as_one_makes_a_folder_look_like_ours(tmp_path: Path) -> None:
    make_identity(tmp_path / "id")
    StateFolder(tmp_path).require_state_folder()
    (tmp_path / "id").write_text("my passport\n")
    with pytest.raises(ForeignFolderError, match="it holds id;"):
        StateFolder(tmp_path).require_state_folder()


def test_an_id_that_cannot_be_read_is_reported_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "id").symlink_to("/nowhere")
    with pytest.raises(FolderError, match=f"cannot read {tmp_path}/id: "):
        read_identity(tmp_path / "id")
