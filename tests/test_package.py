"""The Debian package in a fresh Debian 12 and 13 with a booted systemd: installed, upgraded, removed, purged."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.child_processes import wait_until
from tests.installed_canon import ROOT
from tests.state.record_state import FORMAT_1
from tests.systemd_boot import BootedMachine, booted
from tests.tiny_fleet import APP, CHECK, FLEET, MARK, PROCFILE, RECIPE

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd", "mmdebstrap")]

UNIT, TIMER = "reconcile.service", "reconcile.timer"
RELEASES = {"bookworm": "12", "trixie": "13"}
# The second package is the first with a higher version, so that it is built in a second.
BUILD = """
make deb OUT="$HOME/out"
for next in 2 3; do
  rm -rf "$HOME/next"
  dpkg-deb --raw-extract "$HOME"/out/*-1~deb*.deb "$HOME/next"
  sed -i "s/^\\(Version: .*\\)-1~/\\1-$next~/" "$HOME/next/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone --build "$HOME/next" "$HOME/out" >/dev/null
done
"""
SOON = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nAccuracySec=10ms\nRandomizedDelaySec=0\n"
STATE, HOME = "/var/lib/reconcile", "/var/lib/reconcile-home"
# Whatever a pass proves with: snapshots, and the records apart from what a look adds to the ledger.
HELD = ("sh", "-c", f"cd {STATE} && find canonicals mirrors id -type f -exec sha256sum {{}} + | sort")


@frozen
class PackageMachine:
    """A booted Debian `release` without what built the package, and the packages of three versions, oldest first."""

    machine: BootedMachine
    release: str
    packages: tuple[Path, ...]

    def install(self, package: Path, code: int = 0) -> str:
        """Install a package as apt does, from a file. Return what was printed."""
        install = f"apt-get install --yes --quiet -o Dpkg::Use-Pty=0 {package} 2>&1"
        return self.machine.run("env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", install, code=code)

    def status(self) -> Mapping[str, Any]:
        """Return what `reconcile status` prints of the one recipe."""
        row: Mapping[str, Any] = json.loads(self.machine.run("reconcile", "status", "--output=json"))["recipes"][0]
        return row

    def publish(self, version: str) -> None:
        """Publish a release of the recipe."""
        for name, text in {"Procfile": PROCFILE.decode(), "app.py": APP.decode(), "VERSION": version}.items():
            self.machine.write(f"/srv/notes/{name}", text)
        self.machine.release("/srv/notes", version)


@pytest.fixture(scope="module", params=RELEASES)
def debian(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageMachine]:
    """Yield a booted machine of each release of Debian, with a fleet of one recipe; the package is not installed."""
    release, out, root = request.param, tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("root")
    fresh = [ROOT / "tests" / "fresh-machine"]
    subprocess.run([*fresh, "run", f"{release}+package", out, BUILD], check=True)
    subprocess.run([*fresh, "unpack", f"{release}+package", root], check=True)
    root.chmod(0o755)
    with booted([out, FORMAT_1.parent], root) as machine:
        machine.run("apt-get", "--yes", "--quiet", "purge", "--auto-remove", "debhelper", "python3-venv", "make")
        recipe = {"recipe.toml": RECIPE.format(upstream="file:///srv/notes"), "mark.py": MARK, "check.py": CHECK}
        machine.write("/etc/reconcile/fleet.toml", f'{FLEET}unit = "{UNIT}"\n[defaults.canonical]\ngenerations = 3\n')
        for name, text in recipe.items():
            machine.write(f"/etc/reconcile/recipes/notes/{name}", text)
        machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/notes")
        yield PackageMachine(machine, release, tuple(sorted(out.glob("*.deb"))))


def test_a_package_leads_from_its_installation_over_the_timer_and_upgrades_to_a_purge(debian: PackageMachine) -> None:
    machine = debian.machine
    assert [re.findall(r"-(\d)~deb(\d+)_", one.name) for one in debian.packages] == [
        [(number, RELEASES[debian.release])] for number in "123"
    ]
    _installed(debian)
    _promoted_by_its_timer(debian)
    for version in ("1.1.0", "1.2.0"):
        debian.publish(version)
        machine.run("systemctl", "start", UNIT)
    assert [debian.status()["have"][key] for key in ("version", "generation")] == ["1.2.0", 3]
    _refused_during_a_pass(debian)
    _upgraded_without_a_loss(debian)
    _promoted_by_a_user_of_its_own(debian)
    _removed_and_purged(debian)
    _upgraded_over_a_state_of_an_older_format(debian)


def _installed(debian: PackageMachine) -> None:
    """Install the package: it runs with what it depends on alone, and has all its parts; its timer is not enabled."""
    machine = debian.machine
    said = debian.install(debian.packages[0])
    assert "systemctl enable --now reconcile.timer" in said
    assert re.fullmatch(r"reconcile, version \S+|reconcile \S+", machine.run("reconcile", "--version").strip())
    files = machine.run("dpkg", "--listfiles", "canon-reconcile").splitlines()
    assert {
        f"/usr/share/{path}"
        for path in (
            "bash-completion/completions/reconcile",
            "zsh/vendor-completions/_reconcile",
            "fish/vendor_completions.d/reconcile.fish",
            "doc/canon-reconcile/examples/systemd/own-user.conf",
            "man/man1/reconcile.1.gz",
            "man/man1/reconcile-doctor.1.gz",
        )
    } <= {*files}
    example = "/usr/share/doc/canon-reconcile/examples/fleet"
    declared = json.loads(machine.run("reconcile", "--fleet", example, "status", "--output=json"))["recipes"]
    assert len(declared) == len(list((ROOT / "desired" / "recipes").iterdir()))
    assert machine.run("systemctl", "is-enabled", TIMER, code=1).strip() == "disabled"
    assert machine.run("getent", "passwd", "reconcile").split(":")[5] == HOME
    assert machine.run("stat", "--format=%a %U", HOME).strip() == "700 reconcile"
    assert machine.run("stat", "--format=%a %U", "/etc/credstore").strip() == "700 root"
    readme = machine.run("zcat", "/usr/share/doc/canon-reconcile/README.md.gz")
    of_the_package = re.sub(r"\nOn other systems:\n\n```console\n.*?```\n", "", readme, flags=re.DOTALL)
    assert ("ExecStart=/usr/bin/reconcile --metrics" in readme, "/opt/canon/bin" in of_the_package) == (True, False)
    machine.run("systemd-analyze", "security", "--threshold=20", UNIT)
    assert machine.run("grep", "--recursive", "--files-with-matches", "/home/user/", "/usr/lib/canon", code=1) == ""


def _promoted_by_its_timer(debian: PackageMachine) -> None:
    """Let the timer elapse: it leads to a promoted canonical."""
    machine = debian.machine
    debian.publish("1.0.0")
    machine.write(f"/etc/systemd/system/{TIMER}.d/soon.conf", SOON)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--quiet", "--now", TIMER)
    wait_until(lambda: machine.property(UNIT, "InvocationID") != "")
    wait_until(lambda: machine.property(UNIT, "ActiveState") in {"inactive", "failed"})
    have = debian.status()["have"]
    assert (have["version"], have["evidence"]["trigger"], have["evidence"]["unit"]) == ("1.0.0", "timer", UNIT)
    machine.run("rm", f"/etc/systemd/system/{TIMER}.d/soon.conf")
    machine.run("systemctl", "daemon-reload")


def _refused_during_a_pass(debian: PackageMachine) -> None:
    """Try to upgrade while something holds the lock of a pass: the old version, its timer and its state stay."""
    machine = debian.machine
    holding = f"flock {STATE}/lock sh -c 'touch /run/held; exec sleep 86399'"
    machine.run("systemd-run", "--quiet", "--unit=held", "sh", "-c", holding)
    wait_until(lambda: machine.run("ls", "/run").split().count("held") == 1)
    said = debian.install(debian.packages[1], code=100)
    assert "the lock of a pass is held" in said
    machine.run("apt-get", "--yes", "remove", "canon-reconcile", code=100)
    assert machine.property(TIMER, "ActiveState") == "active"
    machine.run("systemctl", "stop", "held")
    assert "-1~deb" in machine.run("dpkg-query", "--show", "canon-reconcile")
    machine.run("reconcile", "--dry-run")


def _upgraded_without_a_loss(debian: PackageMachine) -> None:
    """Upgrade: three generations are as they were, and doctor and a pass without work are told."""
    machine = debian.machine
    held, status = machine.run(*HELD), debian.status()
    said = debian.install(debian.packages[1])
    assert machine.run(*HELD) == held
    assert held.count("snapshot.tar.zst") == 3
    assert debian.status() == status
    assert "upgraded from" in said
    assert "canonicals intact, the ledger is whole" in said
    assert "canon-reconcile: see above" not in said
    assert machine.run("systemctl", "is-enabled", TIMER).strip() == "enabled"
    assert machine.property(TIMER, "ActiveState") == "active"
    debian.publish("1.3.0")
    machine.run("systemctl", "mask", "--quiet", "--now", TIMER)
    said = debian.install(debian.packages[2])
    assert "see above what the next pass would do" in said
    assert debian.status()["have"]["version"] == "1.2.0"
    assert machine.run("systemctl", "is-enabled", TIMER, code=None).strip() == "masked"
    assert machine.property(TIMER, "ActiveState") != "active"
    machine.run("systemctl", "unmask", "--quiet", TIMER)
    machine.run("systemctl", "start", TIMER)


def _promoted_by_a_user_of_its_own(debian: PackageMachine) -> None:
    """Run the unit as the package's user, as the example says: the state folder goes over to it."""
    machine = debian.machine
    example = "/usr/share/doc/canon-reconcile/examples/systemd/own-user.conf"
    machine.run("mkdir", f"/etc/systemd/system/{UNIT}.d")
    machine.run("cp", example, f"/etc/systemd/system/{UNIT}.d/")
    machine.run("systemctl", "daemon-reload")
    machine.run("chown", "-R", "reconcile", "/srv/notes")
    machine.write(f"{HOME}/.ssh/known_hosts", "")
    machine.run("systemctl", "start", UNIT)
    shown = machine.run("runuser", "-u", "reconcile", "--", "reconcile", "status", "--output=json")
    have = json.loads(shown)["recipes"][0]["have"]
    assert (have["version"], have["evidence"]["user"]) == ("1.3.0", "reconcile")
    said = machine.run("sh", "-c", f"cd /root && dpkg --install {debian.packages[2]} 2>&1")
    assert "canonicals intact, the ledger is whole" in said
    assert "proved: a pass would do nothing" in said
    # Without a bus, as here, systemd answers only root.
    assert re.search(r"^unit +not-checked +systemd could not be asked: ", said, re.MULTILINE)
    assert re.findall(r"^(\w+) +failed ", said, re.MULTILINE) == []


def _removed_and_purged(debian: PackageMachine) -> None:
    """Remove, then purge: the state stays at first, then goes, and both say so. The fleet stays."""
    machine = debian.machine
    held = machine.run(*HELD)
    assert f"{STATE} stays" in machine.run("apt-get", "--yes", "remove", "canon-reconcile")
    assert machine.run(*HELD) == held
    assert machine.property(TIMER, "ActiveState") == "inactive"
    assert machine.run("find", "/run", "-name", "canon-reconcile*") == ""
    said = machine.run("apt-get", "--yes", "purge", "canon-reconcile")
    assert f"deleting {STATE}, with the canonicals of 1 recipe(s)" in said
    assert "/etc/reconcile is your fleet, and stays" in said
    assert machine.run("ls", "-d", STATE, "/usr/lib/canon", code=2) == ""
    assert f"{HOME} is the home of the user reconcile, and stays; it holds: .ssh" in said
    assert machine.run("ls", f"{HOME}/.ssh").strip() == "known_hosts"
    assert "fleet.toml" in machine.run("ls", "/etc/reconcile")
    left = machine.run("find", "/etc/systemd", "/var/lib/systemd", "-name", "*reconcile.timer", "-type", "l")
    assert left == ""


def _upgraded_over_a_state_of_an_older_format(debian: PackageMachine) -> None:
    """Upgrade where an older Canon left its state: nothing is lost, and neither `prove` nor a pass has work to do."""
    machine, snapshots = debian.machine, ("sh", "-c", f"cd {STATE}/canonicals && sha256sum */*/*")
    machine.run("rm", "-r", "/srv/notes", "/etc/reconcile", f"/etc/systemd/system/{UNIT}.d")
    debian.install(debian.packages[0])
    machine.run("tar", "--directory=/", "--extract", f"--file={FORMAT_1}")
    registry, sealed = machine.run("sha256sum", f"{STATE}/canon.db"), machine.run(*snapshots)
    status, events = debian.status(), machine.run("reconcile", "events").splitlines()
    said = debian.install(debian.packages[1])
    assert "proved: a pass would do nothing" in said
    machine.run("systemctl", "start", UNIT)
    assert (debian.status()["have"], machine.run(*snapshots)) == (status["have"], sealed)
    assert (status["have"]["generation"], sealed.count("snapshot.tar\n")) == (3, 3)
    assert machine.run("reconcile", "events").splitlines()[: len(events)] == events
    assert machine.run("sha256sum", f"{STATE}/canon.db.format-1").split()[0] == registry.split()[0]
    machine.run("reconcile", "audit")
