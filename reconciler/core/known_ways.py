"""Decides which recorded results of the ways of a release still count, after later ones."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from attrs import evolve

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_cases import Moment, WayCase, answer_of, gravest_kind
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import RecordedWay, WayResult

_Question: TypeAlias = tuple[Release | None, Moment | None]
"""What an answer is about: the older release, and the moment of the kill. Either is None if a way has none."""
_YES_OR_NO = frozenset({WayAnswer.YES, WayAnswer.NO})


def ways_of(recorded: Iterable[RecordedWay], version: str, commit: str) -> tuple[RecordedWay, ...]:
    """Return what is known of the ways of the release with this version and commit, in the order of `WayName`.

    * An answer YES or NO counts until the same is answered again: the way back to the same older release, or the same
      case of a leap or a fall. A try by hand replaces no answer of a pass. If only some cases of a result still count,
      it is returned with only these cases.
    * A SKIP or an ERROR is no answer. It is returned only if it is the last try of the way, or the last by a pass.

    The results of one way are returned the oldest first. `recorded` are the results of one recipe, the oldest first.
    """
    own = _of_release(recorded, version, commit)
    return tuple(each for way in WayName for each in _known([one for one in own if one.result.way is way]))


def answers_of_passes(recorded: Iterable[RecordedWay], version: str, commit: str) -> tuple[WayResult, ...]:
    """Return the newest answer YES or NO that passes recorded of each way of the release, with all its cases.

    For a way without such an answer, return the newest SKIP or ERROR, if there is one. `recorded` are the results of
    one recipe, the oldest first.
    """
    own = [each.result for each in _of_release(recorded, version, commit) if each.by_pass]
    # A later result replaces an earlier one of the same way.
    newest = {each.way: each for each in sorted(own, key=lambda each: each.answer in _YES_OR_NO)}
    return tuple(newest[way] for way in WayName if way in newest)


def _of_release(recorded: Iterable[RecordedWay], version: str, commit: str) -> list[RecordedWay]:
    return [each for each in recorded if each.result.release == Release(version, commit)]


def _known(recorded: Sequence[RecordedWay]) -> list[RecordedWay]:
    """Return the results that still count, the oldest first, with the cases that do (see `ways_of`).

    `recorded` are the results of one way of one release, the oldest first.
    """
    known = []
    for at, each in enumerate(recorded):
        later = [one.result for one in recorded[at + 1 :] if one.by_pass or not each.by_pass]
        answered = {question for one in later for question in _answered(one)}
        left = _without(each.result, answered) if later else each.result
        known += [evolve(each, result=left)] if left is not None else []
    return known


def _answered(result: WayResult) -> frozenset[_Question]:
    """Return what `result` answers with YES or NO.

    Of several cases from the data of one release, at the same moment, each must have such an answer.
    """
    answers = [(_question(case), case.answer) for case in result.cases] or [((result.base, None), result.answer)]
    open_ones = {question for question, answer in answers if answer not in _YES_OR_NO}
    return frozenset(question for question, _ in answers) - open_ones


def _without(result: WayResult, answered: Collection[_Question]) -> WayResult | None:
    """Return `result` with only the cases YES or NO that are not in `answered`. Return None if nothing is left of it.

    A result without cases is left as it is if its answer is YES or NO, and is not in `answered`.
    """
    if not result.cases:
        is_left = result.answer in _YES_OR_NO and (result.base, None) not in answered
        return result if is_left else None
    left = tuple(case for case in result.cases if case.answer in _YES_OR_NO and _question(case) not in answered)
    if len(left) == len(result.cases):
        return result
    return evolve(result, cases=left, answer=answer_of(left), kind=gravest_kind(left)) if left else None


def _question(case: WayCase) -> _Question:
    return case.source.release, case.moment
