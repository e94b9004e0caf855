"""The path of a file that an option names: what is said of a folder that takes no file."""

from pathlib import Path

import pytest

from reconciler.cli.output_file import require_output_path
from reconciler.errors import UsageError
from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.folders import mounted_folder
from tests.host.stopped_apps import HELD_BY_MODES


def refused(file: Path) -> tuple[str, str]:
    """Return the message and the hint for a page at this path, which must be refused."""
    with pytest.raises(UsageError) as caught:
        require_output_path("--html", str(file), ".html", name_hint="")
    return caught.value.message, caught.value.hint


def test_only_a_missing_folder_is_to_be_made(tmp_path: Path) -> None:
    folder = tmp_path / "no such"
    assert refused(folder / "x.html") == (f"--html {folder}/x.html: its folder is missing", f"mkdir -p '{folder}'")
    (tmp_path / "file").touch()
    for below in (tmp_path / "file" / "x.html", tmp_path / "file" / "more" / "x.html"):
        message, hint = refused(below)
        assert message.startswith(f"--html {below}: ")
        assert message.lower().endswith("not a folder") or message.endswith("Not a directory")
        assert "mkdir" not in hint


@pytest.mark.needs("root", "mount")
def test_a_folder_on_a_read_only_file_system_is_called_that_and_not_missing(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with mounted_folder(tmp_path / "ro", tmp_path / "disk", read_only=True):
        message, hint = refused(tmp_path / "ro" / "x.html")
    assert message == f"--html {tmp_path}/ro/x.html: {tmp_path}/ro is on a file system that is mounted read-only"
    assert hint == f"mount it for writing; in a systemd unit: ReadWritePaths={tmp_path}/ro"


@pytest.mark.parametrize("words", [("report", "--html", "closed/x.html"), ("plan", "--out", "closed/x.plan")])
def test_a_folder_that_its_mode_closes_to_its_owner_is_to_be_opened(
    settled: OneRecipeFleet, words: tuple[str, ...]
) -> None:
    closed = settled.folder / "closed"
    closed.mkdir(mode=0o500)
    settled.prefix = HELD_BY_MODES
    said = settled.run(*words)
    error, hint = said.err.splitlines()
    assert (said.code, hint) == (64, f"  chmod u+wx {closed}")
    assert error.endswith(" (its mode is 0500)")


@pytest.mark.needs("root", "mount")
def test_doctor_says_of_a_read_only_state_folder_what_a_pass_says(settled: OneRecipeFleet) -> None:
    mine = settled.folder / "state"
    mine.rename(settled.folder / "disk")
    with mounted_folder(mine, settled.folder / "disk", read_only=True):
        checks = {check["name"]: check for check in settled.json("doctor").document["checks"]}
        passed = settled.run("-q")
    assert (passed.code, "Read-only file system" in passed.err, "writing" in passed.err) == (1, True, True)
    found = checks["state"]
    assert (found["result"], found["found"]) == ("failed", f"{mine} is on a file system that is mounted read-only")
    assert found["hint"] == "mount it for writing"
