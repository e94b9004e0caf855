"""A real systemd, a real timer: what promotes, and what a hand run may not."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from tests.systemd_boot import Machine, booted, control_group, obstacle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.systemd,
    pytest.mark.xdist_group("systemd"),
    pytest.mark.skipif(bool(obstacle()), reason=obstacle() or "none"),
]

ROOT = Path(__file__).parent.parent
RECONCILE = "/opt/canon/bin/reconcile"
UNIT = "reconcile.service"
PASS_PATIENCE = 120.0

SERVER = """
import http.server, os, pathlib

NOTES = pathlib.Path(os.environ["DATA_DIR"], "notes")

class Notes(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(NOTES.read_bytes() if NOTES.exists() else b"")

    def do_POST(self):
        NOTES.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"")

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Notes).serve_forever()
"""
RECIPE = """
[recipe]
upstream = "file:///srv/notes"
[data]
mark = ["python3", "mark.py"]
check = ["python3", "check.py"]
"""
MARK = 'import os, urllib.request\nurllib.request.urlopen(os.environ["URL"], data=b"remember me").close()\n'
CHECK = 'import os, urllib.request\nassert urllib.request.urlopen(os.environ["URL"]).read() == b"remember me"\n'


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted machine with Canon installed as the README says, a fleet, and the timer not yet enabled."""
    build = tmp_path_factory.mktemp("build")
    with booted([ROOT, Path(sys.prefix), build]) as machine:
        _install(machine, build)
        _declare(machine)
        yield machine


def _install(machine: Machine, build: Path) -> None:
    hatch = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(build)]
    subprocess.run(hatch, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = build.glob("*.whl")
    machine.run(str(Path(sys.base_prefix) / "bin/python3"), "-m", "venv", "--without-pip", "/opt/canon")
    pip = [sys.executable, "-m", "pip", "--python=/opt/canon/bin/python", "install", "--no-index", "--no-deps"]
    machine.run(*pip, "--quiet", str(wheel))
    packages = machine.run("/opt/canon/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    # What Canon needs comes from the environment of the tests, since this machine has no network.
    for name in sorted(_needed("canon-reconcile") - {"canon-reconcile"}):
        for top in _tops(name):
            machine.run("cp", "-r", str(top), packages.strip())
    units = "/opt/canon/lib/systemd/system"
    machine.run("systemctl", "link", f"{units}/reconcile.service", f"{units}/reconcile.timer")


def _needed(name: str) -> set[str]:
    """The distribution and all that it needs here, by name."""
    asked = [Requirement(text) for text in distribution(name).requires or []]
    names = [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {name}.union(*map(_needed, names))


def _tops(name: str) -> set[Path]:
    """What a distribution put directly into site-packages."""
    found = distribution(name)
    parts = {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}
    return {Path(str(found.locate_file(part))) for part in parts}


def _declare(machine: Machine) -> None:
    fleet = f'format = 1\n[fleet]\nname = "timer"\nprotocols = ["file"]\nunit = "{UNIT}"\n'
    machine.write("/etc/reconcile/fleet.toml", fleet)
    for name, text in {"recipe.toml": RECIPE, "mark.py": MARK, "check.py": CHECK}.items():
        machine.write(f"/etc/reconcile/recipes/notes/{name}", text)
    machine.write("/srv/notes/server.py", SERVER)
    machine.write("/srv/notes/Procfile", "web: python3 server.py\n")
    machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/notes")
    _publish(machine, "1.0.0+v1")


def _publish(machine: Machine, tag: str) -> None:
    git = ["git", "-C", "/srv/notes", "-c", "user.name=Tests", "-c", "user.email=tests@example.org"]
    machine.run(*git, "add", "--all")
    machine.run(*git, "commit", "--quiet", "--allow-empty", "--message", tag)
    machine.run(*git, "tag", tag)


def _until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PASS_PATIENCE
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
    for process in psutil.process_iter():
        with suppress(OSError):
            if Path(f"/proc/{process.pid}/ns/pid").readlink() == namespace:
                found.add(process.pid)
    return found
