"""Installs Canon in a booted machine, in an environment of its own."""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.systemd_boot import BootedMachine

ROOT = Path(__file__).parent.parent
RECONCILE = "/opt/canon/bin/reconcile"


def install_canon(machine: BootedMachine, build: Path, source: Path = ROOT) -> None:
    """Install Canon as README.md says, from the checkout `source`; `build` is an empty folder for its wheel."""
    hatch = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(build)]
    subprocess.run(hatch, cwd=source, check=True, capture_output=True)
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
    machine.run("cp", f"{units}/reconcile.service", f"{units}/reconcile.timer", "/etc/systemd/system/")
    # The unit sees no homes. The Python that runs the tests may be in one.
    drop_in = f"[Service]\nBindReadOnlyPaths={sys.base_prefix}\n"
    machine.write("/etc/systemd/system/reconcile.service.d/python.conf", drop_in)
    machine.run("systemctl", "daemon-reload")


def _needed(name: str) -> set[str]:
    """Return the names of a distribution and of all distributions that it needs here."""
    asked = [Requirement(text) for text in distribution(name).requires or []]
    names = [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {name}.union(*map(_needed, names))


def _tops(name: str) -> set[Path]:
    """Return the paths that a distribution put directly into site-packages."""
    found = distribution(name)
    parts = {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}
    return {Path(str(found.locate_file(part))) for part in parts}
