"""What a pass does is seen from outside while it runs, and not a moment after it was killed."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from tests.child_processes import next_line
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, paused
from tests.expected_documents import answer_errors
from tests.folders import entries_below
from tests.reconcile_command import BIN

PATIENCE = 120.0
SGR = re.compile(r"\x1b\[[0-9;]*m")
HOME = "\x1b[H"


@define
class WatchingTerminal:
    """A terminal on which a command runs. `written` is all that the command wrote, without colours."""

    descriptor: int
    command: "subprocess.Popen[bytes]"
    written: str = field(default="")

    def read_until(self, is_there: Callable[[str], bool]) -> None:
        """Read until `is_there` is true of the screen's latest picture."""
        over = time.monotonic() + PATIENCE
        while not is_there(self.written.rpartition(HOME)[2]):
            assert time.monotonic() < over, self.written[-3000:]
            if select.select([self.descriptor], [], [], 1)[0]:
                self.written += SGR.sub("", self._read())

    def read_to_end(self) -> int:
        """Read what is left, and return the exit code."""
        while text := self._read():
            self.written += SGR.sub("", text)
        return self.command.wait(PATIENCE)

    def _read(self) -> str:
        try:
            return os.read(self.descriptor, 65536).decode()
        except OSError:  # the other end is closed
            return ""


@contextmanager
def on_a_terminal(jot: OneRecipeFleet, *words: str) -> Iterator[WatchingTerminal]:
    """Run a command on a terminal of its own, which sends it Ctrl-C. At the end it is killed."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = subprocess.Popen(
        ["setsid", "--ctty", BIN / "reconcile", *words],
        env={**jot.environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield WatchingTerminal(ours, command)
    finally:
        command.kill()
        command.wait()
        os.close(ours)


def running_of(jot: OneRecipeFleet) -> Any:  # noqa: ANN401  parsed JSON
    """Return what `reconcile status -o json` says of the pass that runs."""
    return jot.json("status").document["running"]


def test_a_pass_is_seen_while_it_runs_and_no_longer_when_it_has_ended(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "custom", "--events", "-q") as running:
        before = entries_below(settled.state)
        seen = running_of(settled)
        assert [(each["recipe"], each["version"], each["doing"]) for each in seen["now"]] == [
            ("jot", SECOND, f"{SECOND}: custom")
        ]
        assert seen["now"][0]["last_seconds"] > 0
        assert (seen["left"], seen["done"]) == ([], [])
        assert f"jot {SECOND} custom" in settled.run("status").out
        with on_a_terminal(settled, "status", "--watch") as terminal:
            terminal.read_until(lambda screen: f"jot  {SECOND}  custom" in screen and FIRST in screen)
            assert entries_below(settled.state) == before
            (settled.folder / "go").touch()
            out, err = running.communicate(timeout=PATIENCE)
            terminal.read_until(lambda screen: "no pass runs" in screen and SECOND in screen)
            os.write(terminal.descriptor, b"\x03")
            assert terminal.read_to_end() == 130
        assert terminal.written.endswith("\x1b[?1049l")
        assert "Traceback" not in terminal.written
    assert (running.returncode, err) == (0, "")
    assert running_of(settled) is None
    assert not (settled.state / "running.json").exists()
    require_lines(out)


def require_lines(out: str) -> None:
    """Check the lines that a pass printed that promoted jot's second release."""
    assert answer_errors(["--events"], out) == []
    lines = [json.loads(line) for line in out.splitlines()]
    words = [line["event"] for line in lines]
    assert (words[0], words[-3:]) == ("began", ["done", "result", "ended"])
    assert [line["over_budget"] for line in lines if line["event"] == "planned"] == [[]]
    (planned,) = [line["steps"] for line in lines if line["event"] == "planned"]
    assert [(step["recipe"], step["action"], step["version"]) for step in planned] == [("jot", "promote", SECOND)]
    steps = [line["doing"] for line in lines if line["event"] == "step"]
    assert [step for step in steps if step.endswith(("install", "custom", "promoting"))] == [
        f"{SECOND}: install",
        f"{SECOND}: custom",
        f"{SECOND}: promoting",
    ]
    assert lines[-2]["result"] == "promoted"
    assert lines[-1]["report"]["recipes"][0]["have"]["version"] == SECOND
    assert lines[-1]["exit_code"] == lines[-1]["report"]["exit_code"] == 0


def test_a_killed_pass_is_not_shown_as_running(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "custom") as running:
        watching = settled.start("status", "--watch")
        try:
            assert f"jot {SECOND} custom" in " ".join(next_line(watching) for _ in range(3))
            require_unseen(settled, watching, running.pid)
            running.kill()
            running.wait()
            assert next_line(watching).endswith("is over: it recorded no end")
            assert f"died (jot {SECOND} custom)" in next_line(watching)
            assert (settled.state / "running.json").exists()
            assert running_of(settled) is None
            assert "a pass runs" not in settled.run("status").out
        finally:
            watching.send_signal(signal.SIGINT)
            assert watching.communicate(timeout=PATIENCE)[1] == ""
    assert watching.returncode == 130


def require_unseen(jot: OneRecipeFleet, watching: "subprocess.Popen[str]", pid: int) -> None:
    """Check that the pass `pid` is not called over while its file is missing, as it is if it cannot be written."""
    file = jot.state / "running.json"
    file.rename(jot.folder / "aside")
    assert f"is no longer seen; perhaps it cannot write what it does; the pass lock is held by pid {pid} " in next_line(
        watching
    )
    said = jot.json("status").document
    assert (said["running"], said["unseen_pass"]) == (None, None)
    assert said["lock_holder"].startswith(f"pid {pid} ")
    assert f"no pass is seen to run; the pass lock is held by pid {pid} " in jot.run("status").out
    (jot.folder / "aside").rename(file)
    assert " runs since " in next_line(watching)


def test_lines_of_a_pass_that_cannot_run_end_with_its_errors(promoted: OneRecipeFleet) -> None:
    for words, code in ((("--events", "-r", "jott"), 64), (("--events", "--dry-run"), 64)):
        said = promoted.run(*words)
        (line,) = said.out.splitlines()
        assert (said.code, json.loads(line)["event"], json.loads(line)["exit_code"]) == (code, "failed", code)
    said = promoted.run("--events", "-o", "wide")
    assert (said.code, said.err.splitlines()[0]) == (64, "reconcile: --events prints JSON, and -o wide asks for text")
    assert promoted.run("status", "--watch", "-o", "json").code == 64
