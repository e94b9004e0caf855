"""The cases of a way that has several: the older releases of a leap, the moments of a fall. Decides only."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import frozen

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_kinds import GRAVEST_FIRST, WayAnswer, WayKind, is_danger, kind_words


class Moment(StrEnum):
    """At which part of its start a release is killed, when it starts for the first time on older data."""

    EARLY = "early"
    MIDDLE = "middle"
    LATE = "late"

    def of(self, seconds: float) -> float:
        """Return after how many seconds a release is killed at this moment, if its whole start takes `seconds`."""
        return seconds * {Moment.EARLY: 0.15, Moment.MIDDLE: 0.5, Moment.LATE: 0.9}[self]


@frozen
class DataSource:
    """The data of an older release, over which a release is tried.

    * `version`: the version of the older release. If a text in `[upgrade] also` names no existing release: that text.
    * `commit`: the commit of the older release; "" if there is no such release.
    * `generation`: the kept generation that has the data; None if the older release is installed fresh to get it.
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
    """When a release was killed during its start. Both times are in seconds since its first process was seen.

    * `after`: when the release was killed.
    * `start`: how long a start without a kill takes: until Canon last finds the release not ready.
    """

    after: float
    start: float


@frozen
class WayCase:
    """The result of one case of a way. A leap has one for each older release, a fall for each moment of the kill.

    * `source`: the data over which the release was deployed.
    * `kind`: why the answer is NO; None for any other answer.
    * `reason`: one sentence, with the words of the app if there are any.
    * `proves_writes`: True if data.check can tell when something that the older release wrote is missing.
    * `moment`: when the release was to be killed in a fall; None for a leap.
    * `kill`: when the release was in fact killed; None if it was not.
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
    """Return the answer of a way whose cases are `cases`: the first of NO, ERROR and YES that a case has, else SKIP."""
    answers = {each.answer for each in cases}
    order = (WayAnswer.NO, WayAnswer.ERROR, WayAnswer.YES)
    return next((each for each in order if each in answers), WayAnswer.SKIP)


def gravest_kind(cases: Iterable[WayCase]) -> WayKind | None:
    """Return the gravest of the reasons why cases of a way have the answer NO; None if no case has the answer NO."""
    kinds = {each.kind for each in cases}
    return next((kind for kind in GRAVEST_FIRST if kind in kinds), None)


def case_name(case: WayCase) -> str:
    """Return what a case of a leap or a fall is about: older data, and for a fall also the moment of the kill.

    Examples: "from 1.0.0 (generation 3)", "middle, over 1.0.0 (generation 3)".
    """
    return f"from {case.source}" if case.moment is None else f"{case.moment}, over {case.source}"


def case_text(way: WayName, case: WayCase) -> str:
    """Return the result of one case of `way` in one line, such as "no: it does not come up …: exited 1"."""
    kill = case.kill
    when = f"killed after {kill.after:.2f} s of {kill.start:.2f} s until it counts as up" if kill is not None else ""
    why = kind_words(way, case.kind) if case.kind is not None else ""
    return ": ".join(filter(None, (case.answer.value, when, why, case.reason)))


def cases_text(way: WayName, cases: Sequence[WayCase]) -> str:
    """Return the results of all cases of `way` in one line. Cases in which data may be lost come first."""
    ordered = sorted(cases, key=lambda case: not is_danger(case.kind))
    return "; ".join(f"{case_name(each)} {case_text(way, each)}" for each in ordered)
