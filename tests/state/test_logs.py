import os
from pathlib import Path

import pytest

from state.folder.logs import drop_logs, logged_trials, prune_logs
from state.state_errors import FolderError
from tests.folders import mounted_folder
from tests.state.folder_contents import T1, T2, T9, T10


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Trials whose names do not sort as they happened."""
    for second, name in enumerate([T9, T10, T2, T1]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "install.log").touch()
        os.utime(tmp_path / name, (second, second))
    return tmp_path


def test_trials_are_listed_as_they_happened(logs: Path) -> None:
    (logs / "file").touch()
    (logs / "my notes").mkdir()
    assert logged_trials(logs) == (T9, T10, T2, T1)


@pytest.mark.parametrize(
    ("keep", "spare", "gone"),
    [
        (9, (), ()),
        (4, (), ()),
        (2, (), (T9, T10)),
        (2, (T10,), (T9,)),
        (1, (T1, "nobody"), (T9, T10, T2)),
        (0, (), (T9, T10, T2, T1)),
    ],
)
def test_old_logs_go_by_count_and_spared_ones_stay(
    logs: Path, keep: int, spare: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    assert prune_logs(logs, keep, spare) == gone
    assert logged_trials(logs) == tuple(name for name in (T9, T10, T2, T1) if name not in gone)


@pytest.mark.needs("root")
def test_a_log_that_cannot_be_deleted_is_named_and_does_not_stop_the_deletion_of_later_ones(
    logs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    within = logs / T9 / "mounted"
    with mounted_folder(within, tmp_path_factory.mktemp("else")):
        os.utime(logs / T9, (0, 0))
        with pytest.raises(FolderError, match=str(within)):
            prune_logs(logs, 1)
        assert logged_trials(logs) == (T9, T1)


def test_reading_logs_that_do_not_exist_makes_no_folder(tmp_path: Path) -> None:
    assert logged_trials(tmp_path / "missing") == ()
    assert prune_logs(tmp_path / "missing", 1) == ()
    assert list(tmp_path.iterdir()) == []


def test_dropping_logs_leaves_what_is_somebodys(logs: Path) -> None:
    for path in (logs / "kept.log", logs / "bug.txt", logs / "mine.txt"):
        path.touch()
    (logs / "my notes").mkdir()
    (logs / "20261101T000000.000007Z").symlink_to(logs / "my notes")
    for _ in range(2):
        drop_logs(logs)
        assert sorted(path.name for path in logs.iterdir()) == ["20261101T000000.000007Z", "mine.txt", "my notes"]
    drop_logs(logs / "my notes")
    assert not (logs / "my notes").exists()
    drop_logs(logs / "missing")
