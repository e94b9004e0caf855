"""The checks of `reconcile doctor` that are about the systemd unit in which passes run, and its files."""

from collections.abc import Sequence

from reconciler.core.host_checks import CheckResult, HostCheck


def check_unit(unit: str, load_state: str, ended: str, *, is_declared: bool) -> HostCheck:
    """Return the check of the systemd unit `unit`.

    * If the unit is not loaded: FAILED if the fleet declares the unit (`is_declared`), else a WARNING.
    * If its last run failed: FAILED.
    * Else OK.

    `load_state` is the unit's LoadState, such as "masked"; "" if systemd does not run this host. `ended` is the Result
    of its last run; "" if there was none.
    """
    if load_state != "loaded":
        result = CheckResult.FAILED if is_declared else CheckResult.WARNING
        return HostCheck("unit", result, *_why_not_loaded(unit, load_state))
    if ended not in {"", "success"}:
        found = f"the last run of {unit} failed: {ended}"
        return HostCheck("unit", CheckResult.FAILED, found, f"see: journalctl --unit {unit}")
    return HostCheck("unit", CheckResult.OK, f"{unit} is installed")


def _why_not_loaded(unit: str, load_state: str) -> tuple[str, str]:
    """Return two texts: why systemd has not loaded the unit, and a hint what to do about it.

    `load_state` is systemd's LoadState of the unit; "" if systemd does not run this host.
    """
    if not load_state:
        return f"systemd does not run this host, so there is no {unit}", "run passes where systemd runs"
    if load_state == "not-found":
        hint = "copy systemd/reconcile.service and reconcile.timer to /etc/systemd/system"
        return f"systemd knows no {unit} here", hint
    return f"systemd does not load {unit}: {load_state}", f"see: systemctl status {unit}"


def check_credentials(unit: str, missing: Sequence[str], unread: Sequence[str], declared: int) -> HostCheck:
    """Return the check of the secrets' files that `LoadCredential=` of the systemd unit `unit` names.

    * FAILED if a file is missing, because systemd then does not start the unit.
    * Else NOT_CHECKED if this user cannot see of some file whether it exists.
    * Else OK.

    `missing` has the missing files, each as "NAME: PATH". `unread` has the files that this user cannot see. `declared`
    is the number of all files.
    """
    if missing:
        hint = f"make the file, or correct LoadCredential=: systemctl edit {unit}"
        return HostCheck("credentials", CheckResult.FAILED, f"missing: {', '.join(missing)}", hint)
    if unread:
        found = f"could not be looked at: {', '.join(unread)}"
        return HostCheck("credentials", CheckResult.NOT_CHECKED, found, "run this as a user who may")
    return HostCheck("credentials", CheckResult.OK, f"{declared} declared by {unit}")
