"""A real systemd and its journal: fields of a pass, and the units that OnFailure= and OnSuccess= start."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.show.documents.journal_entries import MESSAGE_IDS
from tests.child_processes import wait_until
from tests.installed_canon import ROOT, install_canon
from tests.systemd_boot import BootedMachine, booted
from tests.tiny_fleet import APP, CHECK, MARK, PROCFILE, RECIPE

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd")]

UNIT = "reconcile.service"
EXAMPLES = ROOT / "docs" / "systemd"
# It answers to `mail -s SUBJECT root` as a mail program does, and keeps what it gets.
MAIL = '#!/bin/sh\n{ echo "$2"; cat; } >>/run/mails\n'
FLEET = 'format = 1\n[fleet]\nname = "journal"\nprotocols = ["file"]\n[defaults.ready]\nstable = "1s"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[BootedMachine]:
    """A booted machine with Canon, a fleet of one recipe with one release, and the example units."""
    with booted([ROOT, Path(sys.prefix), tmp_path]) as machine:
        install_canon(machine, tmp_path)
        machine.write("/etc/reconcile/fleet.toml", FLEET)
        recipe = {"recipe.toml": RECIPE.format(upstream="file:///srv/notes"), "mark.py": MARK, "check.py": CHECK}
        for name, text in recipe.items():
            machine.write(f"/etc/reconcile/recipes/notes/{name}", text)
        machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/notes")
        publish(machine, "1.0.0", APP.decode())
        for path in EXAMPLES.rglob("*.*"):
            if path.is_file():
                machine.write(f"/etc/systemd/system/{path.relative_to(EXAMPLES)}", path.read_text())
        machine.write("/usr/local/bin/mail", MAIL)
        machine.run("chmod", "755", "/usr/local/bin/mail")
        machine.run("systemctl", "daemon-reload")
        yield machine


def publish(machine: BootedMachine, version: str, app: str) -> None:
    for name, text in {"Procfile": PROCFILE.decode(), "app.py": app, "VERSION": version}.items():
        machine.write(f"/srv/notes/{name}", text)
    machine.release("/srv/notes", version)


def entries(machine: BootedMachine, *matches: str) -> list[Mapping[str, Any]]:
    machine.run("journalctl", "--sync")
    lines = machine.run("journalctl", "--no-pager", "--output=json", *matches, code=None).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def mails_after(machine: BootedMachine, unit: str) -> str:
    """Wait until the unit that a pass started has ended, and return all mails so far."""
    wait_until(lambda: f"Finished {unit}" in machine.journal(unit))
    return machine.run("cat", "/run/mails")


def test_the_journal_has_fields_for_each_result_and_the_example_units_mail_it(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", UNIT)
    (promoted,) = entries(machine, f"MESSAGE_ID={MESSAGE_IDS['promoted']}")
    assert (promoted["RECIPE"], promoted["VERSION"], promoted["RESULT"]) == ("notes", "1.0.0", "promoted")
    assert (promoted["_SYSTEMD_UNIT"], promoted["SYSLOG_IDENTIFIER"]) == (UNIT, "reconcile")
    mails = mails_after(machine, "reconcile-succeeded.service")
    assert mails.startswith(f"{UNIT}: promoted\nnotes 1.0.0: promoted: ")

    publish(machine, "1.1.0", "raise SystemExit(3)\n")
    machine.run("systemctl", "start", UNIT, code=1)
    (red,) = entries(machine, f"--unit={UNIT}", "RESULT=red")
    assert (red["RECIPE"], red["VERSION"], red["MESSAGE_ID"]) == ("notes", "1.1.0", MESSAGE_IDS["red"])
    (drift,) = entries(machine, "RESULT=drift", "DRIFT=new-release")
    assert drift["RECIPE"] == "notes"
    failed = mails_after(machine, "reconcile-failed.service").removeprefix(mails)
    assert failed.startswith(f"{UNIT}: exit-code 4\n")
    assert "notes: red, the release failed its trial" in failed
