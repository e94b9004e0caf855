"""Handmade rows of `reconcile status`."""

from attrs import evolve

from reconciler.core.holds import HoldStatus
from reconciler.core.observation import CanonicalStatus, State
from reconciler.show.text.status import Recorded
from state.disk_use import DiskUse
from state.records import Memory
from tests.reports import FELL
from tests.values import HOLD, NEW, ROLLBACK, canonical_of, circumstances, red


def status_rows() -> list[Recorded]:
    """Return rows: intact, damaged with a red, down, excepted, on hold and rolled back, and an unreadable orphan."""
    reds = {NEW.version: red(NEW.version, circumstances(NEW.commit))}
    lost = CanonicalStatus(State.DAMAGED, "snapshot.tar is not what was sealed")
    unseen = CanonicalStatus(State.UNKNOWN, "snapshot.tar: Permission denied")
    intact = CanonicalStatus(State.INTACT)
    kept = Recorded(
        "cal", declared=True, exception="", canonical=canonical_of("cal"), status=intact, memory=Memory("cal")
    )
    peaks = (DiskUse(slots=3 * 1024**2, candidate=1024**2), DiskUse(volumes=1024**2))
    return [
        evolve(kept, memory=Memory("cal", peaks=peaks), stored=2 * 1024**2),
        evolve(kept, recipe="drone", canonical=canonical_of("drone"), status=lost, memory=Memory("drone", reds=reds)),
        evolve(kept, recipe="element", canonical=canonical_of("element"), status=FELL),
        evolve(
            kept, recipe="mumble", exception="it needs a phone line", canonical=None, status=CanonicalStatus(State.NONE)
        ),
        evolve(
            kept,
            recipe="peertube",
            canonical=evolve(canonical_of("peertube"), copy_of=1),
            decisions=HoldStatus(HOLD, ROLLBACK),
        ),
        evolve(kept, recipe="wiki", declared=False, canonical=canonical_of("wiki"), status=unseen),
    ]
