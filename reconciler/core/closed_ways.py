"""Decides whether a way of a canonical has closed: it was open before, and now is not."""

from collections.abc import Sequence

from desired.model import WayName
from desired.releases import Release
from desired.versions import version_key
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import RecordedWay, WayResult

_YES_OR_NO = frozenset({WayAnswer.YES, WayAnswer.NO})


def closed_way(
    recorded: Sequence[RecordedWay], version: str, commit: str, way: WayName = WayName.BACK
) -> tuple[WayResult, WayResult] | None:
    """Return two results if the answer of `way` changed from YES to NO: the earlier one, and the later one. Else None.

    * The later one is the newest result of the canonical's release, which has this `version` and `commit`. Its answer
      must be NO.
    * The earlier one is the last result before the later one that can be compared with it (see `_answers_same`). Its
      answer must be YES.

    A SKIP, an ERROR and a try by hand do not count. `recorded` are the results of one recipe, the oldest first.
    """
    answered = [each.result for each in recorded if each.by_pass and each.result.answer in _YES_OR_NO]
    results = [one for one in answered if one.way is way]
    release = Release(version, commit)
    last = next((at for at, one in reversed([*enumerate(results)]) if one.release == release), None)
    if last is None or results[last].answer is not WayAnswer.NO:
        return None
    present = results[last]
    before = [one for one in results[:last] if _answers_same(one, present)]
    return (before[-1], present) if before and before[-1].answer is WayAnswer.YES else None


def _answers_same(before: WayResult, present: WayResult) -> bool:
    """Return whether `before` can be compared with what is NO in `present`, a later result of the same way.

    * If `before` is of a newer version than `present`: False.
    * A way back or a stop: True if `before` is of an older version, or of the same version with the same base.
    * A leap or a fall: True if a case that is NO in `present` has the answer YES or NO in `before`. True also if a case
      that is NO in `present` starts from data that `before` could not try yet: the data of its own release or of a
      newer one.
    * Else False.
    """
    own, later = version_key(before.release.version), version_key(present.release.version)
    if not present.cases:
        return own < later or (own == later and before.base == present.base)
    answered = {(case.source.release, case.moment) for case in before.cases if case.answer in _YES_OR_NO}
    closed = [case for case in present.cases if case.answer is WayAnswer.NO]
    return own <= later and any(
        (case.source.release, case.moment) in answered or version_key(case.source.version) >= own for case in closed
    )
