"""Files that are replaced in one step: what is left when that fails, and what the error names."""

from pathlib import Path

import pytest

from state.folder.durable import replace_file


def test_a_file_in_a_missing_folder_is_named_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "page.html"
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(file, b"new")
    assert caught.value.filename == str(file)


@pytest.mark.parametrize("name", ["page.html", "page.html.new"], ids=["the file", "its temporary file"])
def test_a_folder_in_the_way_is_named_and_stays_and_nothing_is_left_beside_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        replace_file(tmp_path / "page.html", b"new")
    assert caught.value.filename == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_temporary_file_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "page.html.new").write_bytes(b"half")
    replace_file(tmp_path / "page.html", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"page.html": b"new"}
