"""Reads what `reconcile doctor` checks of systemd: the timer, environment and credentials of a unit.

It runs `systemctl`, which works for root even on a host without a bus.
"""

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from desired.unprintable import escape_unprintable
from reconciler.core.host_checks import TimerFacts
from reconciler.errors import NotCheckedError
from reconciler.host.run import CommandSpec, capture

# Exists while systemd runs this host, see sd_booted(3).
_RUNS = Path("/run/systemd/system")
_SECONDS = 30.0
_TIME = "%a %Y-%m-%d %H:%M:%S UTC"
_SERVICE = ("LoadState", "TriggeredBy", "Environment", "EnvironmentFiles", "UnsetEnvironment", "Result")
_TIMER = ("UnitFileState", "ActiveState", "LastTriggerUSec", "NextElapseUSecRealtime")
_ENABLED = ("enabled", "enabled-runtime")

Properties = Mapping[str, str]
"""The values of a unit's properties by name. A value has several lines if `systemctl show` prints several values."""


def read_service(unit: str, environment: Mapping[str, str]) -> Properties:
    """Return those properties of the service `unit` that this module reads; {} if systemd does not run this host.

    The property LoadState is "loaded" if systemd knows the unit. `environment` is the environment of `systemctl`. Raise
    NotCheckedError if systemd could not be asked.
    """
    return _show(unit, _SERVICE, environment) if _RUNS.is_dir() else {}


def read_timer(service: Properties, environment: Mapping[str, str]) -> TimerFacts:
    """Return what systemd reports about the first timer that starts a service. `service` has the service's properties.

    If no timer starts the service, `timer` of the result is "". `environment` is the environment of `systemctl`. Raise
    NotCheckedError if systemd could not be asked.
    """
    timers = [name for name in service.get("TriggeredBy", "").split() if name.endswith(".timer")]
    if not timers:
        return TimerFacts("")
    properties = _show(timers[0], _TIMER, environment)
    return TimerFacts(
        timer=timers[0],
        enabled=properties.get("UnitFileState") in _ENABLED,
        active=properties.get("ActiveState") == "active",
        last=parse_time(properties.get("LastTriggerUSec", "")),
        next=parse_time(properties.get("NextElapseUSecRealtime", "")),
    )


def read_unit_environment(service: Properties, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that systemd gives a service. `service` has the service's properties.

    `environment` is the environment of `systemctl`. An EnvironmentFile that does not exist counts as empty. Raise
    NotCheckedError if systemd could not be asked, or if an EnvironmentFile cannot be read.
    """
    manager = _ask(("systemctl", "show-environment"), environment)
    files: dict[str, str] = {}
    for line in service.get("EnvironmentFiles", "").splitlines():
        files |= _read_environment_file(Path(line.rpartition(" (")[0]))
    own, unset = _words(service.get("Environment", "")), _words(service.get("UnsetEnvironment", ""))
    return unit_environment(variables(_words(manager)), variables(own), files, unset)


def unit_environment(
    manager: Mapping[str, str], own: Mapping[str, str], files: Mapping[str, str], unset: tuple[str, ...]
) -> dict[str, str]:
    """Return the environment of a service, merged as systemd.exec(5) says.

    * `manager`: the variables that every service gets.
    * `own`: the service's own variables. They override `manager`.
    * `files`: the variables in its EnvironmentFiles. They override `manager` and `own`.
    * `unset`: what the service does not get. NAME removes a variable; NAME=VALUE removes it if it has this value.
    """
    merged = {**manager, **own, **files}
    return {name: value for name, value in merged.items() if name not in unset and f"{name}={value}" not in unset}


def variables(words: tuple[str, ...]) -> dict[str, str]:
    """Return variables by name: {"LANG": "C"} for the word "LANG=C". Words without "=" are left out."""
    return {name: value for name, separator, value in (word.partition("=") for word in words) if separator}


def read_credential_files(unit: str, environment: Mapping[str, str]) -> dict[str, Path]:
    """Return the files that `LoadCredential=` of the unit `unit` names, by the names of the credentials.

    The unit's own files are read (`systemctl cat`), since `systemctl show` prints "[unprintable]" for credentials.
    `environment` is the environment of `systemctl`. Raise NotCheckedError if systemd could not be asked.
    """
    return credential_files(_ask(("systemctl", "cat", "--no-pager", "--", unit), environment))


def credential_files(text: str) -> dict[str, Path]:
    """Return the files that `LoadCredential=NAME:PATH` names in the text of a unit, by the names of the credentials.

    A later line replaces an earlier line with the same name. A line `LoadCredential=` without a value removes all lines
    before it, see systemd.exec(5). Relative paths are left out: they name systemd's own credentials, not files.
    """
    files: dict[str, Path] = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        name, _, path = value.strip().partition(":")
        if key.strip() != "LoadCredential":
            continue
        if not name:
            files.clear()
        elif path.startswith("/"):
            files[name] = Path(path)
    return files


def is_clock_synchronised(environment: Mapping[str, str]) -> bool | None:
    """Return whether a time server sets this host's clock, as systemd reports; None if systemd could not be asked."""
    with suppress(NotCheckedError):
        shown = _ask(("timedatectl", "show", "--property=NTPSynchronized", "--value"), environment)
        return {"yes": True, "no": False}.get(shown.strip())
    return None


def parse_time(text: str) -> datetime | None:
    """Return the time in a text that systemd printed, such as "Sun 2026-11-29 03:20:00 UTC".

    Return None for any other text: systemd prints another text if there is no time, for example no next start.
    """
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _show(unit: str, names: tuple[str, ...], environment: Mapping[str, str]) -> Properties:
    """Return the properties `names` of a unit: values by name. Raise NotCheckedError if systemd could not be asked."""
    wanted = (f"--property={name}" for name in names)
    properties: dict[str, str] = {}
    for line in _ask(("systemctl", "show", *wanted, "--", unit), environment).splitlines():
        name, _, value = line.partition("=")
        properties[name] = f"{properties[name]}\n{value}" if name in properties else value
    return properties


def _ask(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Run a program of systemd, with UTC as its time zone. Return what it prints.

    Raise NotCheckedError if the program is missing or fails.
    """
    buses = {name: os.environ[name] for name in ("DBUS_SYSTEM_BUS_ADDRESS",) if name in os.environ}
    captured = capture(CommandSpec(command, {**environment, **buses, "TZ": "UTC"}, Path("/"), _SECONDS))
    if captured.ok:
        return captured.out.decode("utf-8", "replace")
    messages = captured.err.decode("utf-8", "replace").split("\n")
    why = f"{command[0]} is missing" if captured.result.missing else next(filter(None, messages), "no answer")
    hint = "" if os.geteuid() == 0 else "without its bus, it answers only root"
    raise NotCheckedError(f"systemd could not be asked: {escape_unprintable(why)}", hint)


def _words(text: str) -> tuple[str, ...]:
    """Split a list that systemd prints with quotes as in a shell. Return its words; () if a quote is not closed."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()


def _read_environment_file(path: Path) -> dict[str, str]:
    """Return the variables of an EnvironmentFile by name; {} if it does not exist or has a quote that does not end.

    Raise NotCheckedError if the file exists, but cannot be read.
    """
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as failed:
        raise NotCheckedError(f"{path} could not be read: {failed.strerror}") from None
    return variables(_words(" ".join(line for line in lines if line.strip()[:1] not in {"#", ";"})))
