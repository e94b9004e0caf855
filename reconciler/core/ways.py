"""Decides what follows from a way: what is tried of a release beside its tiers, the way back or the stop."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from desired.model import WayName
from desired.releases import Release
from desired.versions import is_release_name, version_key
from reconciler.core.way_cases import DataSource, WayCase, cases_text
from reconciler.core.way_kinds import StopFacts, WayAnswer, WayKind, is_danger, kind_words
from state.records import Canonical


@frozen
class WayResult:
    """The result of one way.

    * `release`: the release that was tried.
    * `base`: the older release of a way back; None for a stop, or if there is none.
    * `kind`: why the answer is NO; None for any other answer.
    * `reason`: one sentence, with the words of the app if there are any.
    * `proves_writes`: True if data.check can tell when something that the newer release wrote is missing.
    * `stop`: how the release ended after SIGTERM; None if it was not stopped.
    * `cases`: the result of each case of a leap or a fall; () for other ways. `kind` is then the kind of the gravest
      case.
    * `tests`: the digest of everything on which the answer depends, besides the releases.
    * `seconds`: how long the way took.
    * `log`: the log of the way, relative to the state folder.
    """

    recipe: str
    way: WayName
    answer: WayAnswer
    release: Release
    base: Release | None = None
    kind: WayKind | None = None
    reason: str = ""
    proves_writes: bool = False
    stop: StopFacts | None = None
    cases: tuple[WayCase, ...] = ()
    tests: str = ""
    seconds: float = 0.0
    log: str = ""


@frozen
class GatingWays:
    """The results of the ways on which a promotion depends.

    `nothing_older` is True if no older release of the recipe is known, to which a way back could lead.
    """

    results: Sequence[WayResult] = ()
    nothing_older: bool = False


@frozen
class RecordedWay:
    """A result of a way in the ledger, and when it was recorded.

    `by_pass` is False if a person tried the way by hand. A pass then tries the way once more.
    """

    result: WayResult
    at: datetime
    by_pass: bool


def way_base(canonical: Canonical, tags: Mapping[str, str], generations: Iterable[Canonical] = ()) -> Release | None:
    """Return the older release to which a canonical's recipe might have to go back; None if there is none.

    This is the release from which the canonical was upgraded. If there was no upgrade, or if that release is not known,
    it is the newest older release in `tags`.

    * `tags`: the commit of each known tag.
    * `generations`: the recorded generations of the recipe, the newest first. They are used to find the commit of the
      release from which the canonical was upgraded.
    """
    base = upgraded_from(canonical, tags, generations)
    return older_release(Release(canonical.version, canonical.commit), base, tags)


def upgraded_from(
    canonical: Canonical, tags: Mapping[str, str], generations: Iterable[Canonical] = ()
) -> Release | None:
    """Return the release from which a canonical was upgraded; None if it is not known, or if there was no upgrade.

    The canonical's evidence has only the version of that release. Its commit is found in the older generation with this
    version or, if there is none, in the tag of this version.

    * `tags`: the commit of each known tag.
    * `generations`: the recorded generations of the recipe, the newest first.
    """
    version = canonical.evidence.base.version
    if version is None:
        return None
    own = (each for each in generations if each.generation < canonical.generation and each.version == version)
    kept = next(own, None)
    if kept is not None:
        return Release(version, kept.commit)
    # The tag of the canonical's own version has moved since, if it names another commit.
    return Release(version, tags[version]) if version in tags and version != canonical.version else None


def older_release(release: Release, base: Release | None, tags: Mapping[str, str]) -> Release | None:
    """Return the older release to which a recipe might have to go back from `release`; None if there is none.

    This is `base`, unless `base` is on the same commit as `release`. Otherwise it is the newest release in `tags` that
    is older than `release` and on another commit. If the name of `release` is no version, as for a branch, all releases
    in `tags` count as older.

    * `base`: the release from which `release` was upgraded; None if there was no upgrade.
    * `tags`: the commit of each known tag.
    """
    if base is not None and base.commit != release.commit:
        return base
    own = version_key(release.version) if is_release_name(release.version) else None
    older = [
        tag
        for tag, commit in tags.items()
        if is_release_name(tag) and (own is None or version_key(tag) < own) and commit != release.commit
    ]
    newest = max(older, key=version_key, default=None)
    return Release(newest, tags[newest]) if newest is not None else None


def due_ways(  # noqa: PLR0913, PLR0917  all that an answer depends on
    asked: Iterable[WayName],
    release: Release,
    base: Release | None,
    tests: str,
    recorded: Iterable[RecordedWay],
    sources: Mapping[WayName, Collection[DataSource]] | None = None,
) -> tuple[WayName, ...]:
    """Return the ways in `asked` that have not been tried yet, in the order of `WayName`.

    A way counts as tried if a pass recorded an answer for the same release, `base`, `tests` and `sources`. An ERROR is
    no answer.

    * `base`: the older release of a way back; None if there is none. Other ways do not depend on it.
    * `tests`: the digest of everything else on which answers depend.
    * `recorded`: the earlier results of the recipe's ways.
    * `sources`: for a leap and a fall, the older data that they start from; None if neither is asked for.
    """
    results = [each.result for each in recorded if each.by_pass and _is_answered(each.result)]
    same = [one for one in results if (one.release, one.tests) == (release, tests)]
    tried = {one.way for one in same if _same_base(one, base) and _same_sources(one, sources or {})}
    wanted = set(asked)
    return tuple(way for way in WayName if way in wanted and way not in tried)


def _is_answered(result: WayResult) -> bool:
    """Return whether neither the way nor one of its cases ended with ERROR, which is no answer."""
    return WayAnswer.ERROR not in {result.answer, *(case.answer for case in result.cases)}


def _same_sources(result: WayResult, sources: Mapping[WayName, Collection[DataSource]]) -> bool:
    return {case.source for case in result.cases} == set(sources.get(result.way, ()))


def _same_base(result: WayResult, base: Release | None) -> bool:
    return result.way is not WayName.BACK or result.base == base


def is_dangerous(result: WayResult) -> bool:
    """Return whether the result shows that data which was safe before may be lost."""
    return is_danger(result.kind)


def way_text(result: WayResult) -> str:
    """Return the result of a way in one line, such as "no to 1.0.0: what the newer release wrote is lost: exited 1"."""
    if result.cases:
        return f"{result.answer}: {cases_text(result.way, result.cases)}"
    why = kind_words(result.way, result.kind) if result.kind is not None else ""
    to = f"to {result.base.version}" if result.base is not None else ""
    return ": ".join(filter(None, (" ".join(filter(None, (result.answer.value, to))), why, result.reason)))


def stop_text(facts: StopFacts) -> str:
    """Return how a release ended after SIGTERM, such as "ended in 1.2 s of 120 s, exit code web 0"."""
    how = "was killed after" if facts.killed else "ended in"
    grace = f" of {facts.grace:g} s" if facts.grace is not None else ""
    codes = ", ".join(f"{name} {code}" for name, code in sorted(facts.exit_codes.items()))
    return f"{how} {facts.seconds:.1f} s{grace}" + (f", exit code {codes}" if codes else "")
