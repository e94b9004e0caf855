"""Handmade rows of a status: what can be recorded of a recipe."""

from attrs import evolve

from reconciler.core.observation import CanonicalStatus, State
from reconciler.show.text.status import Recorded
from state.records import Memory
from tests.reports import FELL, NEW, canonical_of
from tests.values import circumstances, red


def status_rows() -> list[Recorded]:
    """Intact, damaged with a red release remembered, down, excepted without a canonical, an orphan that is unseen."""
    reds = {NEW.version: red(NEW.version, circumstances(NEW.commit))}
    lost = CanonicalStatus(State.DAMAGED, "snapshot.tar is not what was sealed")
    unseen = CanonicalStatus(State.UNKNOWN, "snapshot.tar: Permission denied")
    intact = CanonicalStatus(State.INTACT)
    kept = Recorded(
        "cal", declared=True, exception="", canonical=canonical_of("cal"), status=intact, memory=Memory("cal")
    )
    return [
        kept,
        evolve(kept, recipe="drone", canonical=canonical_of("drone"), status=lost, memory=Memory("drone", reds=reds)),
        evolve(kept, recipe="element", canonical=canonical_of("element"), status=FELL),
        evolve(
            kept, recipe="mumble", exception="it needs a phone line", canonical=None, status=CanonicalStatus(State.NONE)
        ),
        evolve(kept, recipe="wiki", declared=False, canonical=canonical_of("wiki"), status=unseen),
    ]
