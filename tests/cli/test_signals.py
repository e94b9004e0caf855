"""Signals: what ran is torn down and recorded, the canonical is untouched, and the next pass goes on."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from reconciler.cli.composition import interruptible
from reconciler.errors import InterruptedPassError
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, check_format, paused
from tests.faulty_git_server import faulty_git_server, hangs
from tests.ledger_lines import ledger_lines
from tests.procfile_apps import wait_for
from tests.reconcile_command import ReconcileResult, read_document


def interrupted(jot: OneRecipeFleet, tier: str, number: int, *words: str) -> ReconcileResult:
    """A command that gets a signal within this tier; it has ended by itself, and nothing of it is left."""
    with paused(jot, tier, *words) as command:
        command.send_signal(number)
        out, err = command.communicate(timeout=120)
        jot.assert_nothing_is_left()
    return ReconcileResult(command.returncode, out, err)


@pytest.mark.parametrize(
    ("tier", "number"),
    [("install", signal.SIGINT), ("upgrade", signal.SIGTERM), ("custom", signal.SIGINT), ("raised", signal.SIGTERM)],
    ids=["install", "upgrade", "custom", "promoting"],
)
def test_an_interrupted_pass_tries_nothing_more_and_the_next_one_goes_on(
    settled: OneRecipeFleet, tier: str, number: int
) -> None:
    settled.release(SECOND)
    before = settled.promoted_state().without_tags()
    said = interrupted(settled, tier, number)
    assert said.code == 128 + number
    row, closing = said.out.splitlines()[1], said.out.splitlines()[-1]
    assert row.startswith(f"jot     {SECOND}  {FIRST}  new-release  intact")
    assert row.endswith("not-tried  next pass tries it")
    assert f"jot: interrupted by signal {int(number)}" in said.out
    assert closing.startswith("1 enrolled, 1 decided: 0 in sync, 1 to promote, ")
    assert settled.promoted_state().without_tags() == before
    ended = ledger_lines(settled.registry)[-1].entry.body
    assert (ended["signal"], ended["exit_code"]) == (number, said.code)
    assert settled.registry.read().intents == ()
    assert settled.row_of("--dry-run")["held_back"] is None

    (settled.folder / "go").touch()
    done = settled.json()
    assert (done.code, done.row("jot")["result"], done.document["notes"]) == (0, "promoted", [])
    assert done.row("jot")["have"]["lineage"] == [FIRST, SECOND]


def test_a_signal_at_any_moment_leaves_nothing_behind(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    moments = random.Random(3)  # noqa: S311  no secret
    for number in (signal.SIGINT, signal.SIGTERM) * 3:
        command = settled.start()
        try:
            assert command.stderr is not None
            assert any("trying" in line for line in command.stderr)
            time.sleep(moments.uniform(0, 3))
            command.send_signal(number)
            command.communicate(timeout=120)
        finally:
            command.kill()
        settled.assert_nothing_is_left()
        if command.returncode == 0:
            break
        assert command.returncode == 128 + number
    assert settled.run().code == 0
    assert settled.lines() == [FIRST, "marked", SECOND]


def test_an_interrupted_pass_tells_json_too(jot: OneRecipeFleet) -> None:
    said = interrupted(jot, "install", signal.SIGTERM, "-o", "json", "-q")
    assert said.code == 143
    check_format(said)
    assert said.row("jot")["result"] == "not-tried"
    assert said.row("jot")["reason"].startswith("interrupted by signal 15")
    assert said.err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_trial_is_torn_down(settled: OneRecipeFleet, number: int) -> None:
    before = settled.promoted_state()
    said = interrupted(settled, "custom", number, "trial", "jot")
    assert (said.code, said.out) == (128 + number, "")
    assert said.err.splitlines()[-1] == f"reconcile: interrupted by signal {int(number)}"
    assert settled.promoted_state() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_raised_copy_that_is_interrupted_ends_well(settled: OneRecipeFleet, number: int) -> None:
    before = settled.promoted_state()
    copy = settled.start("raise", "jot", "-o", "json")
    try:
        told = read_document(copy)
        copy.send_signal(number)
        rest, err = copy.communicate(timeout=120)
    finally:
        copy.kill()
    said = ReconcileResult(copy.returncode, told + rest, err)
    check_format(said, "raise")
    assert (said.code, said.err) == (0, "")
    assert said.document.keys() == {"format", "name", "version", "commit", "url", "address"}
    settled.assert_nothing_is_left()
    assert settled.promoted_state() == before


def test_a_raised_copy_that_is_interrupted_before_it_is_ready_ends_well(settled: OneRecipeFleet) -> None:
    copy = settled.start("raise", "jot")
    wait_for(settled.running)
    copy.terminate()
    out, err = copy.communicate(timeout=120)
    assert (copy.returncode, err) == (0, "")
    assert out == "" or out.startswith("jot ")
    settled.assert_nothing_is_left()


@pytest.mark.parametrize("words", [(), ("--dry-run",)], ids=["pass", "dry run"])
def test_a_signal_while_upstream_is_asked_ends_it_at_once(
    jot: OneRecipeFleet, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with faulty_git_server(hangs) as server:
        jot.declare(upstream=server.url)
        command = jot.start(*words)
        wait_for(lambda: server.requests)
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=120)
    assert (command.returncode, out) == (130, "")
    assert err.splitlines() == ["reconcile: interrupted by signal 2"]
    assert (tmp_path / "state").exists() is (words == ())


class _Dying:
    """Sends a signal to its own process while it is being collected, where Python drops every exception."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)
        for _ in range(1000):
            pass


def collect_for_long(number: int) -> None:
    for _ in range(100):
        _Dying(number)
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_arrives_within_a_finaliser_is_not_lost(number: int) -> None:
    with pytest.raises(InterruptedPassError) as stopped, interruptible():
        collect_for_long(number)
    assert stopped.value.signal_number == number
