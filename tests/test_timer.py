"""A real systemd, a real timer: what promotes, and what a hand run may not."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.installed_canon import RECONCILE, ROOT, install_canon
from tests.systemd_boot import PATIENCE, BootedMachine, booted, control_group

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd")]

UNIT = "reconcile.service"
TIMER_DROP_IN = "/etc/systemd/system/reconcile.timer.d"
SERVICE_DROP_IN = "/etc/systemd/system/reconcile.service.d"
NEEDS_PERSON = 4

SERVER = """
import http.server, os, pathlib

NOTES = pathlib.Path(os.environ["DATA_DIR"], "notes")

class NotesHandler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(NOTES.read_bytes() if NOTES.exists() else b"")

    def do_POST(self):
        NOTES.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"")

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), NotesHandler).serve_forever()
"""
RECIPE = """
[recipe]
upstream = "file:///srv/notes"
[data]
mark = ["python3", "mark.py"]
check = ["python3", "check.py"]
"""
MARK = 'import os, urllib.request\nurllib.request.urlopen(os.environ["URL"], data=b"remember me").close()\n'
SLEEPING_MARK = "import time\ntime.sleep(86399)\n"
CHECK = 'import os, urllib.request\nassert urllib.request.urlopen(os.environ["URL"]).read() == b"remember me"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[BootedMachine]:
    """A booted machine with Canon installed as the README says, a fleet, and the timer not yet enabled."""
    with booted([ROOT, Path(sys.prefix), tmp_path]) as machine:
        install_canon(machine, tmp_path)
        _declare(machine)
        yield machine


def _declare(machine: BootedMachine) -> None:
    fleet = f'format = 1\n[fleet]\nname = "timer"\nprotocols = ["file"]\nunit = "{UNIT}"\n'
    machine.write("/etc/reconcile/fleet.toml", fleet)
    for name, text in {"recipe.toml": RECIPE, "mark.py": MARK, "check.py": CHECK}.items():
        machine.write(f"/etc/reconcile/recipes/notes/{name}", text)
    machine.write("/srv/notes/server.py", SERVER)
    machine.write("/srv/notes/Procfile", "web: python3 server.py\n")
    machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/notes")
    machine.release("/srv/notes", "1.0.0+v1")


def test_a_timer_that_elapses_promotes(machine: BootedMachine) -> None:
    machine.write(
        f"{TIMER_DROP_IN}/soon.conf", "[Timer]\nOnCalendar=\nOnActiveSec=1s\nAccuracySec=10ms\nRandomizedDelaySec=0\n"
    )
    _enable_timer(machine)
    _wait_for_a_pass(machine)
    (notes,) = _status(machine)
    assert notes["have"]["version"] == "1.0.0+v1"
    assert notes["have"]["commit"] == machine.run("git", "-C", "/srv/notes", "rev-parse", "1.0.0+v1^{commit}").strip()
    evidence = notes["have"]["evidence"]
    assert (evidence["trigger"], evidence["unit"], evidence["user"]) == ("timer", UNIT, "root")
    assert evidence["place"].startswith("sha256:")
    assert machine.property(UNIT, "Result") == "success"


def test_a_week_that_the_host_slept_through_is_caught_up(machine: BootedMachine) -> None:
    machine.write(f"{TIMER_DROP_IN}/at-once.conf", "[Timer]\nRandomizedDelaySec=0\n")
    machine.run("mkdir", "-p", "/var/lib/systemd/timers")
    machine.run("touch", "--date=8 days ago", "/var/lib/systemd/timers/stamp-reconcile.timer")
    _enable_timer(machine)
    _wait_for_a_pass(machine)
    (notes,) = _status(machine)
    assert notes["have"]["evidence"]["trigger"] == "timer"


def test_a_trial_by_hand_ends_green_and_says_where_to_promote(machine: BootedMachine) -> None:
    by_hand = machine.run(RECONCILE, code=NEEDS_PERSON)
    assert "green-not-promoted" in by_hand
    assert f"run: systemctl start {UNIT}" in by_hand
    (notes,) = _status(machine)
    assert notes["have"] is None


def test_starting_the_unit_promotes_what_a_hand_run_could_not(machine: BootedMachine) -> None:
    hand = json.loads(machine.run(RECONCILE, "--output=json", code=NEEDS_PERSON))
    assert [row["result"] for row in hand["recipes"]] == ["green-not-promoted"]
    assert hand["pass"]["trigger"] == "shell"
    machine.run("systemctl", "start", UNIT)
    (notes,) = _status(machine)
    evidence = notes["have"]["evidence"]
    assert (evidence["trigger"], evidence["unit"]) == ("systemctl", UNIT)
    assert evidence["place"] != hand["pass"]["place"]


def test_a_stopped_unit_takes_down_its_slot_and_is_not_failed(machine: BootedMachine) -> None:
    machine.write("/etc/reconcile/recipes/notes/mark.py", SLEEPING_MARK)
    # systemd forgets the number of a unit that is not failed; what runs after it is told.
    machine.write(
        f"{SERVICE_DROP_IN}/witness.conf", "[Service]\nExecStopPost=+/bin/sh -c 'echo $EXIT_STATUS >/run/left-with'\n"
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "--no-block", UNIT)
    _until(lambda: "mark.py" in _running(machine), "the trial reached its mark")
    machine.run("systemctl", "stop", UNIT)
    assert machine.run("cat", "/run/left-with").strip() == str(128 + signal.SIGTERM)
    assert machine.property(UNIT, "ActiveState") == "inactive"
    assert not {"mark.py", "server.py"} & _running(machine)
    assert machine.run("ls", "/var/lib/reconcile/work") == ""
    machine.write("/etc/reconcile/recipes/notes/mark.py", MARK)
    machine.run("systemctl", "start", UNIT)
    (notes,) = _status(machine)
    assert notes["have"]["version"] == "1.0.0+v1"


def test_the_unit_ends_what_a_killed_hand_run_left_running(machine: BootedMachine) -> None:
    machine.write("/etc/reconcile/recipes/notes/mark.py", SLEEPING_MARK)
    machine.run("sh", "-c", f"setsid {RECONCILE} >/run/hand.log 2>&1 & echo $! >/run/hand.pid")
    _until(lambda: "mark.py" in _running(machine), "the trial reached its mark")
    machine.run("sh", "-c", "kill -KILL $(cat /run/hand.pid)")
    assert "server.py" in _running(machine)
    machine.write("/etc/reconcile/recipes/notes/mark.py", MARK)
    machine.run("systemctl", "start", UNIT)
    assert not {"mark.py", "server.py"} & _running(machine)
    (notes,) = _status(machine)
    assert notes["have"]["evidence"]["unit"] == UNIT


def _running(machine: BootedMachine) -> set[str]:
    """Every argument of every process of the machine."""
    # A process may end between being listed and being read, which cat calls an error.
    return set(machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'", code=None).splitlines())


def _enable_timer(machine: BootedMachine) -> None:
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--quiet", "--now", "reconcile.timer")


def _wait_for_a_pass(machine: BootedMachine) -> None:
    _until(lambda: machine.property(UNIT, "InvocationID") != "", "the timer elapsed")
    _until(lambda: machine.property(UNIT, "ActiveState") in {"inactive", "failed"}, "the pass ended")


def _status(machine: BootedMachine) -> list[Any]:
    rows = json.loads(machine.run(RECONCILE, "status", "--output=json"))["recipes"]
    assert isinstance(rows, list)
    return rows


def _until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.2)


def test_a_halted_machine_leaves_nothing_behind() -> None:
    with booted() as machine:
        machine.write("/etc/systemd/system/stays.service", "[Service]\nExecStart=/bin/sleep 86399\n")
        machine.run("systemctl", "start", "stays.service")
        within = _processes_in(Path(f"/proc/{machine.pid}/ns/pid").readlink())
        groups = {control_group(pid) for pid in within}
        assert len(groups) > len({"init.scope", "stays.service"})
    assert [pid for pid in within if Path(f"/proc/{pid}").exists()] == []
    assert [group for group in groups if group.exists()] == []
    assert machine.pid in within


def _processes_in(namespace: Path) -> set[int]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "ns/pid").readlink() == namespace:
                found.add(int(process.name))
    return found
