"""The checks of `reconcile doctor` that ask systemd about the unit in which passes run."""

from datetime import UTC, datetime

from reconciler.cli.doctor_inspection import Inspection
from reconciler.core import host_checks
from reconciler.core.host_checks import CheckResult, HostCheck
from reconciler.host import systemd_units as systemd
from reconciler.host.command_runner import missing_programs
from reconciler.host.environment import child_environment


def check_unit(seen: Inspection) -> HostCheck:
    """Return OK if systemd knows the unit in which passes run and its last run succeeded, FAILED if that run failed.

    If systemd does not know the unit, return FAILED if the fleet declares it, else a WARNING.
    """
    if seen.service is None:
        hint = "copy systemd/reconcile.service and reconcile.timer to /etc/systemd/system"
        result = CheckResult.FAILED if seen.fleet.unit else CheckResult.WARNING
        return HostCheck("unit", result, f"systemd knows no {seen.unit} here", hint)
    ended = seen.service.get("Result", "")
    if ended not in {"", "success"}:
        hint = f"see: journalctl --unit {seen.unit}"
        return HostCheck("unit", CheckResult.FAILED, f"the last run of {seen.unit} failed: {ended}", hint)
    return HostCheck("unit", CheckResult.OK, f"{seen.unit} is installed")


def check_timer(seen: Inspection) -> HostCheck:
    """Check that a timer that starts the unit is enabled and active, and started it lately. Return OK or FAILED.

    Return NOT_CHECKED if systemd does not know the unit.
    """
    if seen.service is None:
        return HostCheck("timer", CheckResult.NOT_CHECKED, f"there is no {seen.unit}")
    facts = systemd.read_timer(seen.service, seen.environment)
    return host_checks.check_timer(seen.unit, facts, datetime.now(UTC))


def check_environment(seen: Inspection) -> HostCheck:
    """Compare the environment of child processes in the unit with that in this shell. Return OK if they are the same.

    Return FAILED if the unit lacks a variable of this shell or does not find a required program, a WARNING for other
    differences, and NOT_CHECKED if systemd does not know the unit.
    """
    if seen.service is None:
        return HostCheck("environment", CheckResult.NOT_CHECKED, f"there is no {seen.unit}")
    of_systemd = systemd.read_unit_environment(seen.service, seen.environment)
    of_unit = child_environment(seen.fleet.passes, of_systemd, seen.state.root)
    here = missing_programs(sorted(seen.tools), seen.environment)
    there = missing_programs(sorted(seen.tools), of_unit)
    differences = host_checks.environment_differences(seen.environment, of_unit)
    return host_checks.check_environment(seen.unit, differences, [tool for tool in there if tool not in here])


def check_credentials(seen: Inspection) -> HostCheck:
    """Check that the files exist that the unit names as its credentials (`LoadCredential=`). Return OK or FAILED.

    Return NOT_CHECKED if systemd does not know the unit.
    """
    if seen.service is None:
        return HostCheck("credentials", CheckResult.NOT_CHECKED, f"there is no {seen.unit}")
    files = systemd.read_credential_files(seen.unit, seen.environment)
    missing = [f"{name}: {path}" for name, path in files.items() if not path.exists()]
    return host_checks.check_credentials(seen.unit, missing, len(files))
