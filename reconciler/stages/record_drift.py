"""Records at the end of a pass how recipes differ. The ledger keeps when each difference began and ended."""

from collections.abc import Mapping, Sequence

from reconciler.core.drift import DriftChange, drift_changes, without_findings
from reconciler.core.findings import Finding
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from state.drift_record import DriftRecord
from state.records import LedgerEntry


def record_drift(
    host: Host, findings: Sequence[Finding], before: Mapping[str, DriftRecord], *, whole: bool
) -> tuple[str, ...]:
    """Record in the registry and the ledger how recipes differ now, if that has changed.

    Return (), or a note if recording fails.

    * `findings`: how recipes differ now. A recipe that does not differ has a finding too.
    * `before`: what the last pass recorded, by recipe.
    * `whole`: True if `findings` are about the whole fleet. A recipe in `before` without a finding is then no longer in
      the fleet, and its differences have ended.
    """
    try:
        gone = without_findings(findings, before) if whole else ()
        changes = (*drift_changes(findings, before, host.clock.now()), *gone)
        if changes:
            host.registry.record_drift([change.record for change in changes], [_entry(host, each) for each in changes])
    except Exception as failed:  # noqa: BLE001  a note reports it; no recipe depends on it
        return (f"since when recipes differ could not be recorded: {reason_of(failed)}",)
    return ()


def _entry(host: Host, change: DriftChange) -> LedgerEntry:
    """Return a ledger entry on `change`: which differences of a recipe began, and which ended."""
    body = {"pass": host.pass_id, "began": dict(change.began), "ended": list(change.ended)}
    return LedgerEntry(host.clock.now(), "drift", change.record.recipe, body)
