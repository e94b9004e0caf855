"""The cases of a way that has several: the older releases of a leap, the moments of a fall. Decides only."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import frozen

from desired.model import Release, WayName
from reconciler.core.way_kinds import GRAVEST_FIRST, WayAnswer, WayKind, is_danger, kind_words


class Moment(StrEnum):
    """When a release is killed while it first starts on older data."""

    EARLY = "early"
    MIDDLE = "middle"
    LATE = "late"

    def of(self, seconds: float) -> float:
        """Return the moment, in seconds since the start, of a start that takes `seconds`."""
        return seconds * {Moment.EARLY: 0.15, Moment.MIDDLE: 0.5, Moment.LATE: 0.9}[self]


@frozen
class DataSource:
    """Data of an older release.

    * `version`: the older release. If the fleet asks for a release that there is not: what it asks for.
    * `commit`: its commit; "" if there is no such release.
    * `generation`: the kept generation that has the data; None if the release is installed fresh.
    """

    version: str
    commit: str = ""
    generation: int | None = None

    @property
    def release(self) -> Release:
        return Release(self.version, self.commit)

    def __str__(self) -> str:
        if not self.commit:
            return self.version
        how = "installed fresh" if self.generation is None else f"generation {self.generation}"
        return f"{self.version} ({how})"


@frozen
class Kill:
    """When a release was killed.

    * `after`: how long after its first process was seen, in seconds.
    * `start`: how long its start takes if it is not killed, in seconds.
    """

    after: float
    start: float


@frozen
class WayCase:
    """What came of one case of a way.

    * `source`: the data over which the release was deployed.
    * `kind`: what is wrong; None unless the answer is NO.
    * `reason`: one sentence, with the words of the app if there are any.
    * `proves_writes`: True if data.check can tell whether what the older release wrote is there.
    * `moment`: when a fall was to kill the release; None for a leap. `kill`: when it did; None if it did not.
    * `seconds`: how long the case took.
    """

    source: DataSource
    answer: WayAnswer
    kind: WayKind | None = None
    reason: str = ""
    proves_writes: bool = False
    moment: Moment | None = None
    kill: Kill | None = None
    seconds: float = 0.0


def answer_of(cases: Iterable[WayCase]) -> WayAnswer:
    """Return the answer of a way from those of its cases: NO if one is no; else ERROR, YES or SKIP if one is that."""
    answers = {each.answer for each in cases}
    order = (WayAnswer.NO, WayAnswer.ERROR, WayAnswer.YES)
    return next((each for each in order if each in answers), WayAnswer.SKIP)


def gravest_kind(cases: Iterable[WayCase]) -> WayKind | None:
    """Return the gravest thing that is wrong with one of the cases; None if nothing is."""
    kinds = {each.kind for each in cases}
    return next((kind for kind in GRAVEST_FIRST if kind in kinds), None)


def case_name(case: WayCase) -> str:
    """Return what a case is about, such as "from 1.0.0 (generation 3)", or "middle, over 1.0.0 (generation 3)"."""
    return f"from {case.source}" if case.moment is None else f"{case.moment}, over {case.source}"


def case_text(way: WayName, case: WayCase) -> str:
    """Return what came of a case of `way` in one line, such as "no: it does not come up …: exited 1"."""
    kill = case.kill
    when = f"killed after {kill.after:.2f} s of {kill.start:.2f} s" if kill is not None else ""
    why = kind_words(way, case.kind) if case.kind is not None else ""
    return ": ".join(filter(None, (case.answer.value, when, why, case.reason)))


def cases_text(way: WayName, cases: Sequence[WayCase]) -> str:
    """Return what came of all cases of `way` in one line, the dangerous ones first."""
    ordered = sorted(cases, key=lambda case: not is_danger(case.kind))
    return "; ".join(f"{case_name(each)} {case_text(way, each)}" for each in ordered)
