"""The check of the clock for `reconcile doctor`."""

from datetime import datetime
from typing import Final

from reconciler.core.host_checks import CheckResult, HostCheck

_HINT: Final = "synchronise the clock: timedatectl set-ntp true"


def check_clock(
    now: datetime, last_line: datetime | None, last_promotion: datetime | None, *, synchronised: bool | None
) -> HostCheck:
    """Return the check of the clock. The check is FAILED if something was recorded at a later time than `now`.

    * `last_line`: the time of the last line of the ledger; None if it has no line.
    * `last_promotion`: the time of the latest promotion of a canonical; None if there is none.
    * `synchronised`: whether a time server sets the clock. If it is False, the check is a WARNING; None means that
      systemd could not be asked.

    If all three are None, the check is NOT_CHECKED.
    """
    records = {"the last line of the ledger": last_line, "the latest promotion": last_promotion}
    times = {what: time for what, time in records.items() if time is not None}
    if later := {what: time for what, time in times.items() if time > now}:
        found = "; ".join(f"{what} is of {time:%Y-%m-%d %H:%M}" for what, time in later.items())
        return HostCheck("clock", CheckResult.FAILED, f"it is {now:%Y-%m-%d %H:%M} here, but {found}", _HINT)
    if synchronised is False:
        return HostCheck("clock", CheckResult.WARNING, "no time server sets it", _HINT)
    if synchronised:
        return HostCheck("clock", CheckResult.OK, "set by a time server")
    if times:
        return HostCheck("clock", CheckResult.OK, f"not earlier than {', and not than '.join(times)}")
    found = "systemd could not be asked whether a time server sets it, and there is no record to compare it with"
    return HostCheck("clock", CheckResult.NOT_CHECKED, found)
