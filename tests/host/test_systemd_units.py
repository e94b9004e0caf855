"""Reading what systemd prints of units."""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NotCheckedError
from reconciler.host import systemd_units as systemd

NAMES = st.from_regex(r"[A-Z]{1,3}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=5)
VARIABLES = st.dictionaries(NAMES, VALUES)


@given(VARIABLES)
def test_variables_in_quotes_are_read_as_they_were_written(written: dict[str, str]) -> None:
    words = shlex.split(" ".join(shlex.quote(f"{name}={value}") for name, value in written.items()))
    assert systemd.variables(tuple(words)) == written


@given(VARIABLES, VARIABLES, VARIABLES, NAMES)
def test_files_win_over_the_units_own_variables_and_these_over_the_managers(
    manager: dict[str, str], own: dict[str, str], files: dict[str, str], unset: str
) -> None:
    merged = systemd.unit_environment(manager, own, files, (unset,))
    assert unset not in merged
    assert merged.keys() == {*manager, *own, *files} - {unset}
    for name, value in merged.items():
        assert value == files.get(name, own.get(name, manager.get(name)))


def test_a_variable_is_unset_by_its_value_only_if_it_has_that_value() -> None:
    assert systemd.unit_environment({"A": "1", "B": "2"}, {}, {}, ("A=1", "B=1")) == {"B": "2"}


def test_an_empty_credential_line_drops_those_before_it_and_the_last_of_a_name_wins() -> None:
    text = (
        "[Service]\nLoadCredential=old:/etc/old\nLoadCredential=\nLoadCredential = a:/etc/a\n"
        "LoadCredential=a:/etc/b\nLoadCredential=system\nLoadCredential=c:passed\n#LoadCredential=d:/etc/d\n"
    )
    assert systemd.credential_files(text) == {"a": Path("/etc/b")}


def test_a_time_is_read_in_utc_and_any_other_text_means_never() -> None:
    assert systemd.parse_time("Sun 2026-11-29 03:20:01 UTC") == datetime(2026, 11, 29, 3, 20, 1, tzinfo=UTC)
    assert systemd.parse_time("") is None
    assert systemd.parse_time("n/a") is None


def test_a_systemd_that_does_not_answer_is_not_taken_for_one_that_says_no(tmp_path: Path) -> None:
    stand_in = tmp_path / "systemctl"
    environment = {"PATH": str(tmp_path)}
    with pytest.raises(NotCheckedError, match="systemd could not be asked: systemctl is missing"):
        systemd.read_credential_files("a.service", environment)
    stand_in.write_text("#!/bin/sh\necho 'Failed to connect to bus: Permission denied' >&2\nexit 1\n")
    stand_in.chmod(0o755)
    questions: list[Callable[[], object]] = [
        lambda: systemd.read_credential_files("a.service", environment),
        lambda: systemd.read_timer({"TriggeredBy": "a.timer"}, environment),
        lambda: systemd.read_unit_environment({}, environment),
    ]
    for ask in questions:
        with pytest.raises(NotCheckedError, match="Failed to connect to bus: Permission denied"):
            ask()
    assert systemd.is_clock_synchronised(environment) is None


def test_an_environment_file_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    stand_in = tmp_path / "systemctl"
    stand_in.write_text("#!/bin/sh\necho A=1\n")
    stand_in.chmod(0o755)
    environment, service = {"PATH": str(tmp_path)}, {"EnvironmentFiles": f"{tmp_path / 'env'} (ignore_errors=yes)"}
    assert systemd.read_unit_environment(service, environment) == {"A": "1"}
    # Whoever is root can read every file, but nobody a folder.
    (tmp_path / "env").mkdir()
    with pytest.raises(NotCheckedError, match="env could not be read: Is a directory"):
        systemd.read_unit_environment(service, environment)
