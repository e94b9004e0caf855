"""`reconcile doctor` on a real systemd: faults of a host, each planted, named, and repaired again.

A swarm that was left is in `tests/swarm/test_left_swarm.py`, with a real engine.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.installed_canon import RECONCILE, ROOT, install_canon
from tests.systemd_boot import BootedMachine, booted

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd")]

RESULTS = ("ok", "warning", "failed", "not-checked")
UNIT_DROP_IN = "/etc/systemd/system/reconcile.service.d"
TIMER_DROP_IN = "/etc/systemd/system/reconcile.timer.d"
STAMP = "/var/lib/systemd/timers/stamp-reconcile.timer"
RECIPE = '[recipe]\nupstream = "file:///srv/notes"\n'
SWARM_RECIPE = '[recipe]\nupstream = "file:///srv/notes"\ndriver = "swarm"\n'
# Stands in for a client that is no longer to be had here; it prints what `docker info` of such a client prints.
OLD_DOCKER = '#!/bin/sh\\necho \\"20.10.24\\" \\"abc\\"\\n'
# No test may set this machine's clock. A record of the future is what a clock that went back leaves behind.
FROM_THE_FUTURE = """
from datetime import UTC, datetime
from pathlib import Path
from attrs import evolve
from state.registry.registry import SqliteRegistry
from tests.state.promotions import promote, release
promote(
    SqliteRegistry(Path("/var/lib/reconcile/canon.db")),
    evolve(release(2), promoted_at=datetime(2999, 1, 1, tzinfo=UTC)),
)
"""
LATE = "[Timer]\\nOnCalendar=\\nOnCalendar=2099-01-01\\n"
NEWER = 'import sqlite3; sqlite3.connect("/var/lib/reconcile/canon.db").execute("PRAGMA user_version = 99")'
FORGE = "http://127.0.0.1:8000"
# A server that git only reads from: pushes fail there, and change no verdict.
START_FORGE = (
    "systemd-run --quiet --unit=forge --working-directory=/srv/forge python3 -m http.server --bind 127.0.0.1 8000;"
    f"for _ in $(seq 600); do git ls-remote --quiet {FORGE}/notes.git && break; sleep 0.1; done"
)
FLEET = f"""\
format = 1
[fleet]
name = "host"
protocols = ["file", "http"]
[mirror]
push = "{FORGE}/{{recipe}}.git"
"""
SHELL_PATH = "/opt/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@frozen
class HostFault:
    """A fault: the commands that plant and repair it, the check that fails, and words of what it finds."""

    plant: str
    repair: str
    check: str
    words: tuple[str, ...]


FAULTS = {
    "docker too old": HostFault(
        f"printf '{SWARM_RECIPE}' >/etc/reconcile/recipes/notes/recipe.toml;"
        f"printf '{OLD_DOCKER}' >/usr/local/bin/docker; chmod +x /usr/local/bin/docker",
        f"printf '{RECIPE}' >/etc/reconcile/recipes/notes/recipe.toml; rm /usr/local/bin/docker",
        "swarm",
        ("20.10.24", "docker stack config"),
    ),
    "clock off": HostFault(
        f"cp /var/lib/reconcile/canon.db /run; cd {ROOT}; {sys.executable} -c '{FROM_THE_FUTURE}'",
        "cp /run/canon.db /var/lib/reconcile/canon.db",
        "clock",
        ("the latest promotion is of 2999-01-01", "timedatectl set-ntp true"),
    ),
    "disk full": HostFault(
        "mkdir -p /var/lib/reconcile; mount -t tmpfs -o size=8m small /var/lib/reconcile",
        "umount /var/lib/reconcile",
        "disk",
        ("8.0 MiB free", "1.0 GiB"),
    ),
    "the unit's PATH is poorer": HostFault(
        f"printf '{RECIPE}requires = [\"render\"]\\n' >/etc/reconcile/recipes/notes/recipe.toml",
        f"printf '{RECIPE}' >/etc/reconcile/recipes/notes/recipe.toml",
        "environment",
        ("reconcile.service does not find render", "PATH of the unit lacks /opt/tools"),
    ),
    "upstream down": HostFault(
        "mv /srv/notes /srv/gone", "mv /srv/gone /srv/notes", "upstreams", ("0 of 1 answer", "notes")
    ),
    "forge down": HostFault("systemctl stop forge", START_FORGE, "forge", ("the forge cannot be read", "127.0.0.1")),
    "stale timer": HostFault(
        f"mkdir -p {TIMER_DROP_IN}; printf '{LATE}' >{TIMER_DROP_IN}/late.conf;"
        f"systemctl stop reconcile.timer; touch --date='20 days ago' {STAMP};"
        "systemctl daemon-reload; systemctl start reconcile.timer",
        f"systemctl stop reconcile.timer; rm {TIMER_DROP_IN}/late.conf {STAMP};"
        "systemctl daemon-reload; systemctl start reconcile.timer",
        "timer",
        ("reconcile.timer started reconcile.service on", "15 days ago"),
    ),
    "timer disabled": HostFault(
        "systemctl disable --quiet reconcile.timer",
        "systemctl enable --quiet reconcile.timer",
        "timer",
        ("not enabled",),
    ),
    "state of a newer version": HostFault(
        f"cp /var/lib/reconcile/canon.db /run; python3 -c '{NEWER}'",
        "cp /run/canon.db /var/lib/reconcile/canon.db",
        "state",
        ("format 99", "use a newer Canon"),
    ),
    "missing credential": HostFault(
        f"mkdir -p {UNIT_DROP_IN}; printf '[Service]\\nLoadCredential=token:/etc/token\\n' >{UNIT_DROP_IN}/token.conf;"
        "systemctl daemon-reload",
        f"rm {UNIT_DROP_IN}/token.conf; systemctl daemon-reload",
        "credentials",
        ("token: /etc/token",),
    ),
    "wrong owner": HostFault(
        "chown nobody /var/lib/reconcile",
        "chown root /var/lib/reconcile",
        "state",
        ("belongs to nobody", "this is root"),
    ),
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedMachine]:
    """Yield a booted machine with Canon, a fleet of one recipe, and an enabled timer, on which a pass has run."""
    build = tmp_path_factory.mktemp("build")
    with booted([ROOT, Path(sys.prefix), build]) as machine:
        install_canon(machine, build)
        machine.write("/etc/reconcile/fleet.toml", FLEET)
        machine.write("/etc/reconcile/recipes/notes/recipe.toml", RECIPE + '[ready]\nstable = "1s"\n')
        machine.write("/srv/notes/Procfile", "web: exec python3 -m http.server --bind 127.0.0.1 $PORT\n")
        machine.write("/opt/tools/render", "#!/bin/sh\n")
        machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/notes")
        machine.release("/srv/notes", "1.0.0+v1")
        machine.run("git", "clone", "--quiet", "--bare", "/srv/notes", "/srv/forge/notes.git")
        machine.run("git", "-C", "/srv/forge/notes.git", "update-server-info")
        machine.run("sh", "-c", START_FORGE)
        machine.run("chmod", "+x", "/opt/tools/render")
        machine.run("systemctl", "enable", "--quiet", "--now", "reconcile.timer")
        machine.run("systemctl", "start", "reconcile.service")
        yield machine


def _doctor(machine: BootedMachine, code: int) -> dict[str, Any]:
    """Run the command in a shell whose PATH has one folder more than the unit's. Return its checks by name."""
    printed = machine.run("env", f"PATH={SHELL_PATH}", RECONCILE, "doctor", "--output=json", code=code)
    return {check["name"]: check for check in json.loads(printed)["checks"]}


def test_a_sound_host_passes_and_the_difference_of_path_is_named(machine: BootedMachine) -> None:
    checks = _doctor(machine, 0)
    by_result = {result: {name for name in checks if checks[name]["result"] == result} for result in RESULTS}
    assert by_result["failed"] == set()
    assert by_result["not-checked"] == {"swarm", "proxy", "keys", "notify"}
    assert by_result["ok"] >= {
        "fleet",
        "git",
        "tools",
        "state",
        "disk",
        "upstreams",
        "unit",
        "timer",
        "credentials",
        "forge",
    }
    assert checks["environment"]["found"] == "PATH of the unit lacks /opt/tools"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_by_its_check_and_gone_when_it_is_repaired(machine: BootedMachine, fault: str) -> None:
    planted = FAULTS[fault]
    machine.run("sh", "-c", planted.plant)
    try:
        checks = _doctor(machine, 1)
    finally:
        machine.run("sh", "-c", planted.repair)
    found = checks[planted.check]
    assert found["result"] == "failed"
    assert [words for words in planted.words if words not in f"{found['found']}; {found['hint']}"] == []
    assert found["hint"]
    assert _doctor(machine, 0)[planted.check]["result"] in {"ok", "not-checked", "warning"}


def test_the_command_changes_nothing_in_the_state_folder(machine: BootedMachine) -> None:
    listing = ("sh", "-c", "cd /var/lib/reconcile && find . -printf '%p %s %T@ %C@ %i\\n' | sort")
    before = machine.run(*listing)
    _doctor(machine, 0)
    assert machine.run(*listing) == before
    assert "canon.db" in before
