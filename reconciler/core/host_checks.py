"""The checks of `reconcile doctor`. Each function turns what was found on this host into a result and a hint."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from reconciler.core.sizes import size
from state.notifications import DroppedMessage


class CheckResult(StrEnum):
    """The result of one check. Only FAILED makes `reconcile doctor` exit with 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@frozen
class HostCheck:
    """One check of `reconcile doctor`.

    * `name`: what is checked.
    * `found`: what was found, as text.
    * `hint`: what to do about it; "" for nothing.
    """

    name: str
    result: CheckResult
    found: str
    hint: str = ""


@frozen
class TimerFacts:
    """What systemd reports about the timer of a unit.

    * `timer`: the name of the timer; "" if systemd has loaded no timer that starts the unit.
    * `enabled`: True if the timer is started when the host boots.
    * `active`: True if the timer runs now.
    * `last`: when the timer last started the unit; None if unknown.
    * `next`: when the timer will start the unit next; None if unknown.
    """

    timer: str
    enabled: bool = False
    active: bool = False
    last: datetime | None = None
    next: datetime | None = None


MIB: Final = 1024**2
LEAST_FREE: Final = 1024 * MIB
"""In bytes. A disk with less free space than this is called full."""
LEAST_INODES: Final = 10_000
COPIES_IN_A_PASS: Final = 3
"""A promotion keeps the data in a slot, in the candidate, and in the slot of the last deployment at one time."""
STALE: Final = timedelta(days=15)
"""A timer that did not start its unit for so long is called stale. The unit's own timer starts it each week."""
CERTIFICATE_DAYS: Final = 14
"""A certificate that ends within these days is reported."""
SHOWN_UPSTREAMS: Final = 3


def doctor_exit_code(checks: Iterable[HostCheck]) -> int:
    """Return 1 if a check failed, else 0."""
    return int(any(check.result is CheckResult.FAILED for check in checks))


def check_tools(missing: Sequence[str], found: int) -> HostCheck:
    """Return the check of the programs that recipes and drivers need. The check is FAILED if one of them is missing.

    `missing` names the programs that are not in PATH. `found` is the number of the programs that are in PATH.
    """
    if missing:
        return HostCheck(
            "tools", CheckResult.FAILED, f"not in PATH: {', '.join(missing)}", "install them, or complete PATH"
        )
    return HostCheck("tools", CheckResult.OK, f"{found} of {found} in PATH")


def check_disk(free: int, inodes: int, largest: int) -> HostCheck:
    """Return the check of the state folder's disk. The check is FAILED if a pass may need more room than there is.

    `free` is the free space in bytes. `inodes` is how many more files can be made, 0 if the file system does not count
    them. `largest` is the size of the largest canonical's data in bytes.
    """
    needed = max(LEAST_FREE, COPIES_IN_A_PASS * largest)
    sizes = f"{size(free)} free, a pass may need {size(needed)}"
    if free < needed:
        sizes += f": {size(needed - free)} too little" if size(free) == size(needed) else ""
        hint = "make room, or give the state folder a larger disk"
        return HostCheck("disk", CheckResult.FAILED, sizes, hint)
    if 0 < inodes < LEAST_INODES:
        return HostCheck("disk", CheckResult.FAILED, f"room for {inodes} more files only", "delete files on this disk")
    return HostCheck("disk", CheckResult.OK, sizes)


def check_timer(unit: str, facts: TimerFacts, now: datetime, stale: timedelta = STALE) -> HostCheck:
    """Return the check of the timer that starts the systemd unit `unit`.

    The check is FAILED if there is no timer, if the timer is not enabled or not active, or if it last started the unit
    longer ago than `stale`, or in the future.
    """
    enable = f"systemctl enable --now {facts.timer or 'reconcile.timer'}"
    if not facts.timer:
        return HostCheck(
            "timer", CheckResult.FAILED, f"systemd has loaded no timer that starts {unit}", f"run: {enable}"
        )
    if not facts.enabled or not facts.active:
        lacks = "not enabled" if not facts.enabled else "not active"
        return HostCheck("timer", CheckResult.FAILED, f"{facts.timer} is {lacks}", f"run: {enable}")
    following = f", next on {facts.next:%Y-%m-%d %H:%M} UTC" if facts.next else ""
    if facts.last is None:
        return HostCheck("timer", CheckResult.OK, f"{facts.timer} has not started {unit} yet{following}")
    found = f"{facts.timer} started {unit} on {facts.last:%Y-%m-%d %H:%M} UTC{following}"
    if facts.last > now:
        return HostCheck("timer", CheckResult.FAILED, found, "that is in the future; check the clock: timedatectl")
    if now - facts.last > stale:
        hint = f"that is more than {stale.days} days ago; see: systemctl status {facts.timer}"
        return HostCheck("timer", CheckResult.FAILED, found, hint)
    return HostCheck("timer", CheckResult.OK, found)


def check_certificate(address: str, ends: datetime, now: datetime) -> HostCheck:
    """Return the check of the proxy's certificate. It is a WARNING if the certificate ends within `CERTIFICATE_DAYS`.

    `address` is the address of the proxy. `ends` is when the certificate ends.
    """
    left = (ends - now).days
    found = f"{address} answers, its certificate is valid until {ends:%Y-%m-%d}"
    if left < CERTIFICATE_DAYS:
        return HostCheck("proxy", CheckResult.WARNING, found, f"renew it, {left} days are left")
    return HostCheck("proxy", CheckResult.OK, found)


def check_upstreams(unreadable: Mapping[str, str], asked: int) -> HostCheck:
    """Return the check of the upstreams. The check is FAILED if one could not be read, NOT_CHECKED if none was asked.

    `unreadable` maps the recipes whose upstream could not be read to the reason. `asked` is how many upstreams were
    asked.
    """
    if not asked:
        return HostCheck("upstreams", CheckResult.NOT_CHECKED, "there is no recipe whose upstream could be asked")
    if not unreadable:
        return HostCheck("upstreams", CheckResult.OK, f"{asked} of {asked} answer")
    first = "; ".join(f"{name}: {reason}" for name, reason in sorted(unreadable.items())[:SHOWN_UPSTREAMS])
    more = f"; {len(unreadable) - SHOWN_UPSTREAMS} more" if len(unreadable) > SHOWN_UPSTREAMS else ""
    found = f"{asked - len(unreadable)} of {asked} answer; {first}{more}"
    return HostCheck("upstreams", CheckResult.FAILED, found, "see: reconcile drift")


def environment_differences(here: Mapping[str, str], unit: Mapping[str, str]) -> tuple[str, ...]:
    """Return a text for each difference between the environments of child processes in this shell and in the unit.

    `here` and `unit` map names of variables to values. Values may be secret, so the texts have only names of variables
    and the folders of PATH.
    """
    return (*_path_differences(here.get("PATH", ""), unit.get("PATH", "")), *_variable_differences(here, unit))


def _path_differences(here: str, unit: str) -> Iterable[str]:
    ours, theirs = here.split(":"), unit.split(":")
    if lacking := [folder for folder in ours if folder not in theirs]:
        yield f"PATH of the unit lacks {', '.join(lacking)}"
    if more := [folder for folder in theirs if folder not in ours]:
        yield f"PATH of the unit also has {', '.join(more)}"
    if not lacking and not more and here != unit:
        yield "PATH of the unit has another order"


def _variable_differences(here: Mapping[str, str], unit: Mapping[str, str]) -> Iterable[str]:
    for name in sorted({*here, *unit} - {"PATH"}):
        if name not in unit:
            yield f"{name} is set only in this shell"
        elif name not in here:
            yield f"{name} is set only in the unit"
        elif here[name] != unit[name]:
            yield f"{name} has another value in the unit"


def check_environment(unit: str, differences: Sequence[str], missing: Sequence[str]) -> HostCheck:
    """Return the check of the environment of the systemd unit `unit`, compared with the environment of this shell.

    * FAILED if the unit lacks a program or a variable that this shell has.
    * Else a WARNING if there is any other difference.
    * Else OK.

    `differences` are the texts that `environment_differences` returns. `missing` are the required programs that are in
    the PATH of this shell, but not in the PATH of the unit.
    """
    hint = f"set it in the unit: systemctl edit {unit}"
    if missing:
        found = "; ".join([f"{unit} does not find {', '.join(missing)}", *differences])
        return HostCheck("environment", CheckResult.FAILED, found, hint)
    only_here = [text for text in differences if text.endswith("only in this shell")]
    if only_here:
        return HostCheck("environment", CheckResult.FAILED, "; ".join(differences), hint)
    if differences:
        return HostCheck("environment", CheckResult.WARNING, "; ".join(differences), hint)
    return HostCheck("environment", CheckResult.OK, f"children of {unit} get what those of this shell get")


def check_notify(
    found: Mapping[str, str], failed: Mapping[str, str], waiting: int, dropped: Sequence[DroppedMessage] = ()
) -> HostCheck:
    """Return the check of the targets of messages.

    The check is FAILED if a target cannot be reached. Else it is NOT_CHECKED if no target is declared, and a WARNING if
    messages wait to be sent.

    * `found`: for each target that can be reached, what was found.
    * `failed`: for each other target, why it cannot be reached.
    * `waiting`: how many messages could not be sent yet.
    * `dropped`: the messages that a target never got, the oldest first. The check names the last of these messages.
    """
    parts = [f"{name}: {text}" for name, text in (*found.items(), *failed.items())]
    parts += [f"last dropped by {each.target} on {each.at:%Y-%m-%d}: {each.subject}" for each in dropped[-1:]]
    if failed:
        return HostCheck("notify", CheckResult.FAILED, "; ".join(parts), "try: reconcile notify --test")
    if not found:
        return HostCheck("notify", CheckResult.NOT_CHECKED, "the fleet declares nobody to notify")
    if waiting:
        parts.append(f"messages that wait: {waiting}")
        return HostCheck("notify", CheckResult.WARNING, "; ".join(parts), "send them: reconcile notify")
    return HostCheck("notify", CheckResult.OK, "; ".join(parts))
