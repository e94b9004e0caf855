import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from state.deployment_record import read_deployment_record, write_deployment_record
from state.kept_deployment import DeploymentRecord
from state.records import Damaged
from state.state_errors import KeptError
from tests.state.record_strategies import UPKEEPS
from tests.values import NOW

ACCOUNT = DeploymentRecord(3, {"service app": {"image": "app:1"}}, NOW)


@given(UPKEEPS, UPKEEPS)
def test_the_account_written_last_comes_back_as_it_was(before: DeploymentRecord, account: DeploymentRecord) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "notes.json"
        for each in (before, account):
            write_deployment_record(path, each)
        assert read_deployment_record(path) == account
        assert list(path.parent.iterdir()) == [path]
        assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_deployment_record_there_is_none(tmp_path: Path) -> None:
    assert read_deployment_record(tmp_path / "notes.json") is None


def record_bytes(**more: object) -> bytes:
    """The account, with something changed in it."""
    plain = {"generation": 3, "parts": {}, "up_at": "2026-03-02T04:00:00.000000Z", "missing": ""}
    return json.dumps({**plain, **more}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff\x00",
        b"[" * 100_000,
        record_bytes()[:-1],
        record_bytes(generation="3"),
        record_bytes(generation=float("inf")),
        record_bytes(generation=True),
        record_bytes(parts=[]),
        record_bytes(parts={"service app": "app:1"}),
        record_bytes(parts={"service app": {"image": 1}}),
        record_bytes(up_at="2026-03-02T04:00:00"),
        record_bytes(up_at=1),
        record_bytes(missing=None),
        record_bytes(more=1),
    ],
    ids=lambda content: content[-60:].decode(errors="replace"),
)
def test_a_text_that_is_no_deployment_record_is_damage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.json"
    path.write_bytes(record_bytes())
    assert isinstance(read_deployment_record(path), DeploymentRecord)
    path.write_bytes(content)
    assert read_deployment_record(path) == Damaged(f"{path} is not what was written there")


def test_leftovers_of_an_interrupted_write_do_not_stop_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    write_deployment_record(path, ACCOUNT)
    path.with_name("notes.json.new").write_text("half")
    assert read_deployment_record(path) == ACCOUNT
    write_deployment_record(path, ACCOUNT)
    assert list(tmp_path.iterdir()) == [path]


def test_a_deployment_record_that_cannot_be_read_or_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.mkdir()
    with pytest.raises(KeptError, match=r"notes\.json"):
        read_deployment_record(path)
    with pytest.raises(KeptError, match=r"notes\.json"):
        write_deployment_record(path, ACCOUNT)
