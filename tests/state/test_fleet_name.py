import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.folder.fleet_name import read_fleet_name, record_fleet_name, require_fleet
from state.folder.folder import StateFolder
from state.state_errors import FolderError, ForeignFolderError, OtherFleetError
from tests.folders import scratch_folder

NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1).map(lambda text: f"a {text}")


def claim(path: Path, name: str) -> None:
    record_fleet_name(path, name, Path("/etc/reconcile"))


def test_a_folder_without_a_name_belongs_to_no_fleet_and_looking_records_none(tmp_path: Path) -> None:
    require_fleet(tmp_path / "fleet", "ci", tmp_path)
    assert read_fleet_name(tmp_path / "fleet") is None
    assert list(tmp_path.iterdir()) == []


@given(NAMES, NAMES)
def test_only_the_fleet_that_was_recorded_first_is_accepted(name: str, other: str) -> None:
    with scratch_folder() as folder:
        claim(folder / "fleet", name)
        claim(folder / "fleet", name)
        assert read_fleet_name(folder / "fleet") == name
        if other != name:
            with pytest.raises(OtherFleetError):
                claim(folder / "fleet", other)
        assert read_fleet_name(folder / "fleet") == name
        assert [path.name for path in folder.iterdir()] == ["fleet"]


def test_of_several_fleets_that_begin_at_once_one_gets_the_folder(tmp_path: Path) -> None:
    def claims(name: str) -> str:
        try:
            claim(tmp_path / "fleet", name)
        except OtherFleetError:
            return ""
        return name

    with ThreadPoolExecutor(16) as pool:
        won = {*pool.map(claims, [f"fleet-{number}" for number in range(32)])} - {""}
    assert won == {read_fleet_name(tmp_path / "fleet")}
    assert stat.S_IMODE((tmp_path / "fleet").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_a_file_without_a_name_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "fleet").write_text(content)
    assert read_fleet_name(tmp_path / "fleet") is None
    claim(tmp_path / "fleet", "ci")
    assert read_fleet_name(tmp_path / "fleet") == "ci"


def test_a_person_may_write_the_name_with_or_without_the_comment(tmp_path: Path) -> None:
    path = tmp_path / "fleet"
    claim(path, "ci")
    path.write_text(path.read_text().replace("ci\n", "lab\n"))
    assert read_fleet_name(path) == "lab"
    path.write_text("new name")
    assert read_fleet_name(path) == "new name"


@pytest.mark.parametrize("content", [b"ci\nlab\n", b"\xff\xfe"])
def test_a_file_with_something_else_is_no_fleet_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fleet").write_bytes(content)
    with pytest.raises(OtherFleetError):
        claim(tmp_path / "fleet", "ci")
    assert (tmp_path / "fleet").read_bytes() == content


def test_only_what_was_written_as_one_makes_a_folder_look_like_ours(tmp_path: Path) -> None:
    claim(tmp_path / "fleet", "ci")
    (tmp_path / "fleet.new").touch()
    StateFolder(tmp_path).require_state_folder()
    (tmp_path / "fleet").write_text("trucks\n")
    with pytest.raises(ForeignFolderError, match="it holds fleet;"):
        StateFolder(tmp_path).require_state_folder()


def test_a_name_that_cannot_be_read_is_reported_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "fleet").symlink_to("/nowhere")
    with pytest.raises(FolderError, match=f"cannot read {tmp_path}/fleet: "):
        read_fleet_name(tmp_path / "fleet")
