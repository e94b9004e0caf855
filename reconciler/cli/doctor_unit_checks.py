"""The checks of `reconcile doctor` that ask systemd about the unit in which passes run.

Each check raises NotCheckedError if systemd could not be asked: the result then counts as NOT_CHECKED.
"""

from datetime import UTC, datetime
from pathlib import Path

from reconciler.cli.doctor_inspection import Inspection
from reconciler.core import host_checks, unit_checks
from reconciler.core.host_checks import HostCheck
from reconciler.errors import NotCheckedError
from reconciler.host import systemd_units as systemd
from reconciler.host.command_runner import missing_programs
from reconciler.host.environment import child_environment

_NOT_THERE = (FileNotFoundError, NotADirectoryError)


def check_unit(seen: Inspection) -> HostCheck:
    """Return the check of the systemd unit in which passes run.

    * OK: systemd knows the unit, and the unit's last run did not fail.
    * WARNING: systemd does not know the unit, but the fleet does not declare the unit either.
    * FAILED: the unit's last run failed, or the fleet declares the unit and systemd does not know it.
    """
    service = _answered(seen)
    load_state, ended = service.get("LoadState", ""), service.get("Result", "")
    return unit_checks.check_unit(seen.unit, load_state, ended, is_declared=bool(seen.fleet.unit))


def check_timer(seen: Inspection) -> HostCheck:
    """Return the check of the timer that starts the systemd unit in which passes run.

    The check is OK if the timer is enabled and active, and has started the unit lately. Otherwise it is FAILED.
    """
    facts = systemd.read_timer(_loaded(seen), seen.environment)
    return host_checks.check_timer(seen.unit, facts, datetime.now(UTC))


def check_environment(seen: Inspection) -> HostCheck:
    """Return the check that compares two environments of child processes: in the systemd unit, and in this shell.

    * OK: the environments do not differ.
    * WARNING: they differ, but not in one of the ways that count as FAILED.
    * FAILED: the unit lacks a variable of this shell, or does not find a required program that this shell finds.
    """
    of_systemd = systemd.read_unit_environment(_loaded(seen), seen.environment)
    of_unit = child_environment(seen.fleet.passes, of_systemd, seen.state.root)
    here = missing_programs(sorted(seen.tools), seen.environment)
    there = missing_programs(sorted(seen.tools), of_unit)
    differences = host_checks.environment_differences(seen.environment, of_unit)
    return host_checks.check_environment(seen.unit, differences, [tool for tool in there if tool not in here])


def check_credentials(seen: Inspection) -> HostCheck:
    """Return the check of the files that the systemd unit names as its credentials (`LoadCredential=`).

    * OK: all files are there.
    * NOT_CHECKED: no file is missing as far as this user can see, but the user cannot look at some file.
    * FAILED: a file is missing.
    """
    _loaded(seen)
    files = systemd.read_credential_files(seen.unit, seen.environment)
    failed = {f"{name}: {path}": error for name, path in files.items() if (error := _stat_error(path))}
    missing = [file for file, error in failed.items() if isinstance(error, _NOT_THERE)]
    unread = [file for file, error in failed.items() if not isinstance(error, _NOT_THERE)]
    return unit_checks.check_credentials(seen.unit, missing, unread, len(files))


def _answered(seen: Inspection) -> systemd.Properties:
    """Return systemd's properties of the unit in which passes run. Raise NotCheckedError if systemd did not answer."""
    if isinstance(seen.service, NotCheckedError):
        raise seen.service
    return seen.service


def _loaded(seen: Inspection) -> systemd.Properties:
    """Return systemd's properties of the unit in which passes run.

    Raise NotCheckedError if systemd could not be asked, or has not loaded the unit.
    """
    service = _answered(seen)
    if service.get("LoadState") != "loaded":
        raise NotCheckedError(f"systemd has not loaded {seen.unit}")
    return service


def _stat_error(path: Path) -> OSError | None:
    """Return the error that looking at the file `path` raises; None if the file exists."""
    try:
        path.stat()
    except OSError as failed:
        return failed
    return None
