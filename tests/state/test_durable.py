"""Files that are replaced in one step: what is left when that fails, and what the error names."""

from pathlib import Path

import pytest

from state.folder.durable import replace_file


def test_a_file_in_a_missing_folder_is_named_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "page.html"
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(file, b"new")
    assert caught.value.filename == str(file)


def test_a_folder_at_the_path_stays_is_named_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        replace_file(tmp_path / "page.html", b"new")
    assert caught.value.filename == str(tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_is_in_the_way_of_the_temporary_file_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "page.html.new").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        replace_file(tmp_path / "page.html", b"new")
    assert caught.value.filename == str(tmp_path / "page.html.new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html.new"]


def test_a_temporary_file_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "page.html.new").write_bytes(b"half")
    replace_file(tmp_path / "page.html", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"page.html": b"new"}
