"""Records what an older Canon leaves on a host: `python -m tests.state.record_state COMMIT FORMAT`, as root.

Boots a systemd, in which the Canon of COMMIT promotes three releases of one recipe, each by a start of the unit. Writes
the state folder, the upstream and the fleet to `recordings/format-FORMAT.tar.gz`; FORMAT is that of the registry.
"""

import gzip
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.installed_canon import RECONCILE, ROOT, install_canon
from tests.systemd_boot import BootedMachine, booted
from tests.tiny_fleet import APP, CHECK, FLEET, MARK, PROCFILE, RECIPE

RECORDINGS = Path(__file__).with_name("recordings")
# Left by commit 6fdfb641b357 on 2026-11-29: registry of format 1, and snapshots of format 1 (`snapshot.tar`).
FORMAT_1 = RECORDINGS / "format-1.tar.gz"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
UNIT = "reconcile.service"
PACKING = "--sort=name --numeric-owner var/lib/reconcile srv/notes etc/reconcile"


def main() -> None:
    commit, number = sys.argv[1:]
    with TemporaryDirectory() as folder:
        source, build = Path(folder, "source"), Path(folder, "build")
        build.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
        subprocess.run(["git", "-C", str(source), "checkout", "--quiet", commit], check=True)
        with booted([ROOT, Path(sys.prefix), Path(folder)]) as machine:
            install_canon(machine, build, source)
            _promote(machine)
            packed = b64decode(machine.run("sh", "-c", f"tar -C / --create {PACKING} | base64"))
    (RECORDINGS / f"format-{number}.tar.gz").write_bytes(gzip.compress(packed, mtime=0))


def _promote(machine: BootedMachine) -> None:
    """Declare a fleet of one recipe, and promote all its releases."""
    declared = {"recipe.toml": RECIPE.format(upstream="file:///srv/notes"), "mark.py": MARK, "check.py": CHECK}
    machine.write("/etc/reconcile/fleet.toml", f'{FLEET}unit = "{UNIT}"\n[defaults.canonical]\ngenerations = 3\n')
    for name, text in declared.items():
        machine.write(f"/etc/reconcile/recipes/notes/{name}", text)
    machine.run("git", "init", "--quiet", "--template=", "--initial-branch=main", "/srv/notes")
    for version in VERSIONS:
        for name, text in {"Procfile": PROCFILE.decode(), "app.py": APP.decode(), "VERSION": version}.items():
            machine.write(f"/srv/notes/{name}", text)
        machine.release("/srv/notes", version)
        machine.run("systemctl", "start", UNIT)
    assert "1.0.0 → 1.1.0 → 1.2.0" in machine.run(RECONCILE, "status")


if __name__ == "__main__":
    main()
