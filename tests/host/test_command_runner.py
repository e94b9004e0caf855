import base64
import os
import re
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from desired.model import Argv
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.ports.commands import CommandResult, RecipeCommand

PATH = "/usr/local/bin:/usr/bin:/bin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    folder = tmp_path / "slot"
    (folder / "notes" / "secrets").mkdir(parents=True)
    return folder


def run(
    slot: Path, *argv: str, environment: Mapping[str, str] = ENVIRONMENT, deadline: float = 7200.0
) -> CommandResult:
    own = {"HOME": str(slot), "TMPDIR": str(slot), "RECIPE": "notes"}
    command = RecipeCommand(
        Argv(argv), slot, own, timedelta(seconds=deadline), slot.parent / "log", str(slot), timedelta(seconds=1)
    )
    return HostCommands(environment, slot).run(command)


def test_a_command_gets_the_allow_list_its_own_variables_and_the_marks(
    slot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "sings")
    ran = run(slot, "env")
    assert ran.ok
    variables = dict(line.split("=", 1) for line in ran.tail.splitlines())
    assert variables.pop("CANON_RUN")
    own = {"HOME": str(slot), "TMPDIR": str(slot), "RECIPE": "notes", "CANON_SLOT": str(slot)}
    assert variables == {**ENVIRONMENT, **own}


def test_all_output_of_a_command_is_in_its_log_and_the_end_in_its_result(slot: Path) -> None:
    assert run(slot, "sh", "-c", "echo one; echo two >&2; exit 7") == CommandResult(7, "one\ntwo\n")
    assert (slot.parent / "log").read_text() == "one\ntwo\n"


def test_the_result_says_that_a_command_timed_out_or_is_missing(slot: Path) -> None:
    late = run(slot, "sleep", "7200", deadline=0.3)
    assert (late.code, late.timed_out, late.missing) == (None, True, False)
    missing = run(slot, "no-such-program")
    assert (missing.code, missing.timed_out, missing.missing) == (None, False, True)


def test_processes_that_a_command_leaves_running_are_stopped_and_named(slot: Path) -> None:
    ran = run(slot, "sh", "-c", "setsid sleep 7200 & exit 0")
    assert ran.ok
    assert len(ran.ended) == 1


def test_processes_that_had_to_be_killed_are_named_apart_from_those_that_ended_on_sigterm(slot: Path) -> None:
    stubborn, willing = (
        run(slot, "sh", "-c", "trap '' TERM; sleep 7200 & exit 0"),
        run(slot, "sh", "-c", "sleep 7200 &"),
    )
    assert [name.split()[0] for name in stubborn.killed] == ["sleep"]
    assert (stubborn.ended, willing.killed, len(willing.ended)) == (stubborn.killed, (), 1)


def test_no_secret_of_the_slot_reaches_the_log_or_the_answer(slot: Path) -> None:
    canaries = [f"canary-{number}-{os.urandom(8).hex()}" for number in range(20)]
    for number, canary in enumerate(canaries):
        (slot / "notes" / "secrets" / str(number)).write_text(canary)
    script = """
import base64, json, sys, urllib.parse
for word in sys.argv[1:]:
    sys.stdout.write(word + word + "\\n" + urllib.parse.quote(word) + " " + json.dumps({"x": word}) + "\\n")
    sys.stdout.flush()
    sys.stderr.write(word[:9]); sys.stderr.flush(); sys.stderr.write(word[9:] + "\\n")
    print(base64.b64encode(word.encode()).decode())
raise SystemExit(" ".join(sys.argv))
"""
    ran = run(slot, sys.executable, "-c", script, *canaries)
    assert ran.code == 1
    output = ran.tail + (slot.parent / "log").read_text()
    assert "[redacted]" in output
    for canary in canaries:
        assert canary not in output
        assert base64.b64encode(canary.encode()).decode() not in output


def test_a_value_that_was_passed_on_is_taken_for_a_secret(slot: Path) -> None:
    passed = {**ENVIRONMENT, "HTTPS_PROXY": "http://ada:opensesame@proxy:3128", "DEBUG": "1"}
    ran = run(slot, "sh", "-c", 'echo "$HTTPS_PROXY" "$DEBUG"', environment=passed)
    assert ran.tail == "[redacted] 1\n"


def test_control_characters_are_escaped_in_the_log(slot: Path) -> None:
    run(slot, "printf", r"\033[2J\rPASS\n")
    assert (slot.parent / "log").read_text() == "\\x1b[2J\\rPASS\n"


def test_missing_tools_are_those_that_children_would_not_find(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("#!/bin/sh\n")
    (tmp_path / "ours").chmod(0o755)
    (tmp_path / "plain").write_text("")
    commands = HostCommands({**ENVIRONMENT, "PATH": f"{PATH}:{tmp_path}"}, tmp_path)
    assert commands.missing(["sh", "ours", "plain", "no-such-tool"]) == ("plain", "no-such-tool")
    assert shutil.which("sh")


def test_pressure_is_one_line_with_load_memory_and_disk(tmp_path: Path) -> None:
    line = HostCommands(ENVIRONMENT, tmp_path / "not" / "yet").pressure()
    amount = r"[\d.]+ [KMGT]iB"
    pattern = rf"load [\d.]+ on \d+ cores, memory {amount} available, disk {amount} free(, \w+ stalled [\d.]+ %)*"
    assert re.fullmatch(pattern, line)


def test_the_clock_is_in_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
