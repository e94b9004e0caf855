"""What `reconcile doctor` concludes from the facts of a host."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core import host_checks, unit_checks
from reconciler.core.host_checks import MIB, CheckResult, HostCheck, TimerFacts
from state.notifications import DroppedMessage

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAMES = st.sampled_from(["LANG", "DOCKER_HOST", "ABRA_DIR", "TOKEN"])
VARIABLES = st.dictionaries(NAMES, st.sampled_from(["secret-1", "secret-2"]))
FOLDERS = st.lists(st.sampled_from(["/bin", "/usr/bin", "/opt/tools"]), min_size=1, unique=True)


@given(st.lists(st.sampled_from(CheckResult)))
def test_only_a_failed_check_makes_the_exit_code_1(results: list[CheckResult]) -> None:
    checks = [HostCheck("any", result, "found") for result in results]
    assert host_checks.doctor_exit_code(checks) == (1 if CheckResult.FAILED in results else 0)


@given(VARIABLES, VARIABLES, FOLDERS, FOLDERS)
def test_each_variable_and_folder_that_differs_is_named_and_no_value_is(
    here: dict[str, str], unit: dict[str, str], ours: list[str], theirs: list[str]
) -> None:
    differences = host_checks.environment_differences(
        {**here, "PATH": ":".join(ours)}, {**unit, "PATH": ":".join(theirs)}
    )
    text = "; ".join(differences)
    differing = {name for name in {*here, *unit} if here.get(name) != unit.get(name)}
    assert {line.split()[0] for line in differences} - {"PATH"} == differing
    assert {folder for folder in {*ours, *theirs} if f" {folder}" in text} == {*ours} ^ {*theirs}
    assert ("PATH" in text) == (ours != theirs)
    assert "secret" not in text


def test_a_variable_that_only_this_shell_has_fails_and_one_that_only_the_unit_has_warns() -> None:
    poorer = host_checks.environment_differences({"PATH": "/bin", "ABRA_DIR": "x"}, {"PATH": "/bin"})
    richer = host_checks.environment_differences({"PATH": "/bin"}, {"PATH": "/bin", "ABRA_DIR": "x"})
    assert host_checks.check_environment("a.service", poorer, []).result is CheckResult.FAILED
    assert host_checks.check_environment("a.service", richer, []).result is CheckResult.WARNING
    assert host_checks.check_environment("a.service", [], []).result is CheckResult.OK


@given(st.integers(0, 2**40), st.integers(0, 2**36))
def test_a_disk_with_less_room_than_three_times_the_largest_canonical_or_1_gib_fails(free: int, largest: int) -> None:
    result = host_checks.check_disk(free, 0, largest).result
    assert (result is CheckResult.FAILED) == (free < 1024 * MIB or free < 3 * largest)


def test_a_disk_with_hardly_too_little_room_says_how_much_is_too_little() -> None:
    check = host_checks.check_disk(3 * 1024 * MIB - 1000, 0, 1024 * MIB)
    assert check.found == "3.0 GiB free, a pass may need 3.0 GiB: 1000 B too little"


def test_a_disk_that_can_hold_few_more_files_fails() -> None:
    assert host_checks.check_disk(2**40, 9_999, 0).result is CheckResult.FAILED
    assert host_checks.check_disk(2**40, 10_000, 0).result is CheckResult.OK


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        (TimerFacts(""), CheckResult.FAILED),
        (TimerFacts("a.timer", enabled=False, active=True), CheckResult.FAILED),
        (TimerFacts("a.timer", enabled=True, active=False), CheckResult.FAILED),
        (TimerFacts("a.timer", enabled=True, active=True), CheckResult.OK),
        (TimerFacts("a.timer", enabled=True, active=True, last=NOW - timedelta(days=15)), CheckResult.OK),
        (TimerFacts("a.timer", enabled=True, active=True, last=NOW + timedelta(seconds=1)), CheckResult.FAILED),
        (
            TimerFacts("a.timer", enabled=True, active=True, last=NOW - timedelta(days=15, seconds=1)),
            CheckResult.FAILED,
        ),
    ],
)
def test_a_timer_fails_that_is_missing_or_off_or_started_the_unit_over_15_days_ago_or_in_the_future(
    facts: TimerFacts, result: CheckResult
) -> None:
    assert host_checks.check_timer("a.service", facts, NOW).result is result


@pytest.mark.parametrize(
    ("load_state", "words"), [("", "does not run"), ("not-found", "knows no"), ("masked", "masked")]
)
def test_a_unit_that_is_not_loaded_fails_only_where_the_fleet_needs_it(load_state: str, words: str) -> None:
    needed, other = (unit_checks.check_unit("a.service", load_state, "", is_declared=each) for each in (True, False))
    assert (needed.result, other.result) == (CheckResult.FAILED, CheckResult.WARNING)
    assert words in needed.found
    assert needed.hint


@pytest.mark.parametrize("ended", ["", "success", "exit-code", "timeout"])
def test_a_unit_passes_whose_last_run_did_not_fail(ended: str) -> None:
    found = unit_checks.check_unit("a.service", "loaded", ended, is_declared=True)
    assert (found.result is CheckResult.OK) == (ended in {"", "success"})


def test_no_upstream_at_all_is_not_a_check_that_passed() -> None:
    assert host_checks.check_upstreams({}, 0).result is CheckResult.NOT_CHECKED
    assert host_checks.check_upstreams({}, 2).result is CheckResult.OK


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.just("gone"), min_size=1))
def test_three_upstreams_that_do_not_answer_are_named_and_the_others_counted(gone: dict[str, str]) -> None:
    found = host_checks.check_upstreams(gone, 8).found
    assert [name for name in sorted(gone) if f"{name}: gone" in found] == sorted(gone)[:3]
    assert (f"; {len(gone) - 3} more" in found) == (len(gone) > 3)
    assert found.startswith(f"{8 - len(gone)} of 8 answer")


def test_a_certificate_that_ends_within_two_weeks_warns() -> None:
    ends = NOW + timedelta(days=14)
    assert host_checks.check_certificate("https://a", ends, NOW).result is CheckResult.OK
    assert host_checks.check_certificate("https://a", ends - timedelta(hours=1), NOW).result is CheckResult.WARNING


def test_each_program_that_is_missing_fails_by_its_name() -> None:
    missing = host_checks.check_tools(["git", "docker"], 3)
    assert (missing.result, missing.found) == (CheckResult.FAILED, "not in PATH: git, docker")
    assert host_checks.check_tools([], 3).result is CheckResult.OK


def test_a_program_that_the_unit_does_not_find_fails_whatever_else_differs() -> None:
    found = host_checks.check_environment("a.service", ["LANG is set only in the unit"], ["docker"])
    assert found.result is CheckResult.FAILED
    assert found.found == "a.service does not find docker; LANG is set only in the unit"


def test_a_credential_without_its_file_fails_because_systemd_would_not_start_the_unit() -> None:
    missing = unit_checks.check_credentials("a.service", ["token: /etc/canon/token"], ["key: /root/key"], 2)
    assert (missing.result, missing.found) == (CheckResult.FAILED, "missing: token: /etc/canon/token")
    assert unit_checks.check_credentials("a.service", [], [], 2).result is CheckResult.OK


def test_a_target_of_messages_that_fails_fails_and_messages_that_wait_warn() -> None:
    failed = host_checks.check_notify({"mail": "smtp:25 answers"}, {"webhook": "http://a: gone"}, 1)
    assert (failed.result, failed.found) == (CheckResult.FAILED, "mail: smtp:25 answers; webhook: http://a: gone")
    waiting = host_checks.check_notify({"mail": "smtp:25 answers"}, {}, 2)
    assert (waiting.result, waiting.found) == (CheckResult.WARNING, "mail: smtp:25 answers; messages that wait: 2")
    assert host_checks.check_notify({"mail": "smtp:25 answers"}, {}, 0).result is CheckResult.OK
    lost = [DroppedMessage("a", "mail", datetime(2026, 11, day, tzinfo=UTC), f"subject {day}", "why") for day in (8, 9)]
    after = host_checks.check_notify({"mail": "smtp:25 answers"}, {}, 0, lost)
    said = "mail: smtp:25 answers; last dropped by mail on 2026-11-09: subject 9"
    assert (after.result, after.found) == (CheckResult.OK, said)
    assert host_checks.check_notify({}, {}, 0).result is CheckResult.NOT_CHECKED


def test_a_credential_that_this_user_cannot_look_at_is_neither_missing_nor_there() -> None:
    unread = unit_checks.check_credentials("a.service", [], ["key: /root/key"], 1)
    assert (unread.result, unread.found) == (CheckResult.NOT_CHECKED, "could not be looked at: key: /root/key")
