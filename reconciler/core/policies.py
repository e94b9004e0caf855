"""The policies of one recipe: what must be true before a release is tried. Each has a verdict and its evidence."""

from collections.abc import Callable
from typing import Final

from desired.releases import AmbiguousVersion, NeverReleased, Release
from desired.want import releases
from reconciler.core.case import Case
from reconciler.core.circumstances import latest_red
from reconciler.core.findings import Cause, MirrorState
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.observation import Observation, State, moved_tags, upstream_tags
from reconciler.core.plan import HeldBack
from reconciler.core.reds import red_now, what_changed
from reconciler.core.step_reasons import missing_tools_text, red_words, too_young_text
from reconciler.core.wanted_release import first_seen, signature_of
from state.records import Red

PASS, FAIL, OPEN = ConditionStatus.PASS, ConditionStatus.FAIL, ConditionStatus.OPEN
MOST: Final = 3


def policies_of(case: Case) -> tuple[Condition, ...]:
    """Return the policies, which are conditions that are judged before a trial, in the order in which they are applied.

    Each policy has whether the recipe meets it, and why. For an orphan, return only the first policy, "declared", which
    an orphan does not meet.
    """
    if case.observation is None:
        return (Condition("declared", FAIL, f"recorded, but no longer declared in {case.fleet.folder}"),)
    judged = (judge(case, case.observation) for judge in _POLICIES)
    return (Condition("declared", PASS, f"in {case.observation.recipe.folder}"), *judged)


def _upstream(case: Case, observed: Observation) -> Condition:
    if case.step.finding.cause is Cause.UNOBSERVABLE:
        return Condition("upstream", FAIL, case.step.finding.reason)
    tags = upstream_tags(observed) or {}
    return Condition("upstream", PASS, f"{observed.recipe.upstream} has {len(tags)} tags")


def _release(case: Case, observed: Observation) -> Condition:
    want, allow = case.step.finding.want, observed.recipe.allow
    match want:
        case Release():
            count = len(releases(upstream_tags(observed) or {}, allow))
            evidence = f'{want.version} is the newest of {count} that `allow = "{allow}"` admits'
            return Condition("release", PASS, evidence)
        case NeverReleased() | AmbiguousVersion():
            return Condition("release", FAIL, case.step.finding.reason)
        case _:
            return Condition("release", OPEN, "upstream could not be seen")


def _old_enough(case: Case, observed: Observation) -> Condition:
    want = case.step.finding.want
    if not observed.recipe.minimum_age or not isinstance(want, Release):
        return Condition("old-enough", PASS, "no minimum age applies")
    if case.step.finding.cause is Cause.IN_SYNC:
        return Condition("old-enough", PASS, f"{want.version} is the canonical's release already")
    young = too_young_text(observed, want)
    evidence = young or f"first seen on {first_seen(observed, want):%Y-%m-%d %H:%M}"
    return Condition("old-enough", FAIL if young else PASS, evidence)


def _signed(case: Case, observed: Observation) -> Condition:
    want = case.step.finding.want
    if not observed.recipe.signed or not isinstance(want, Release):
        return Condition("signed", PASS, "no signature is needed")
    signature = signature_of(observed, want)
    if signature is None:
        is_have = case.step.finding.cause is Cause.IN_SYNC
        waits = "a pass checks it once our copy has the tag"
        return Condition("signed", OPEN, "nothing is to be tried, so it is not checked" if is_have else waits)
    return Condition("signed", FAIL if signature.fault else PASS, signature.fault or f"signed by {signature.signer}")


def _newer(case: Case, observed: Observation) -> Condition:
    finding = case.step.finding
    if finding.cause is Cause.AHEAD:
        return Condition("not-ahead", FAIL, finding.reason)
    if finding.cause is Cause.UNOBSERVABLE:
        return Condition("not-ahead", OPEN, "upstream could not be seen")
    have = observed.canonical
    evidence = f"the canonical is at {have.version}" if have is not None else "no canonical yet"
    return Condition("not-ahead", PASS, evidence)


def _unmoved(case: Case, observed: Observation) -> Condition:
    if case.step.finding.cause is Cause.MOVED:
        return Condition("unmoved", FAIL, case.step.finding.reason)
    moved = moved_tags(observed)
    others = f"; of others {', '.join(sorted(moved)[:MOST])} moved" if moved else ""
    if upstream_tags(observed) is None:
        return Condition("unmoved", OPEN, "upstream could not be seen")
    return Condition("unmoved", PASS, f"the tags of the wanted and the recorded release name the same commits{others}")


def _not_red(case: Case, observed: Observation) -> Condition:
    want = case.step.finding.want
    if not isinstance(want, Release):
        return Condition("not-red", OPEN, "no release is wanted")
    red = red_now(case)
    if red is not None:
        return Condition("not-red", FAIL, _red_text(red))
    earlier = latest_red(observed.memory, want)
    if earlier is None:
        return Condition("not-red", PASS, f"no red of {want.version} is remembered")
    changed = what_changed(case, observed, want, earlier)
    return Condition("not-red", PASS, f"{_red_text(earlier)}; since then changed: {', '.join(changed) or 'nothing'}")


def _red_text(red: Red) -> str:
    return f"{red.version} {red_words(red)} on {red.at:%Y-%m-%d %H:%M} in trial {red.trial}: {red.reason}"


def _unheld(case: Case, _: Observation) -> Condition:
    status = case.step.hold
    if status is None or (status.hold is None and status.rollback is None):
        return Condition("unheld", PASS, "no person holds it back" if status is None else str(status))
    return Condition("unheld", FAIL, str(status))


def _budget(case: Case, _: Observation) -> Condition:
    if case.step.held_back is HeldBack.OVER_BUDGET:
        return Condition("within-budget", FAIL, case.step.reason)
    most = case.fleet.trials
    evidence = f"a pass tries at most {most}, those that wait longest" if most else "a pass tries any number"
    return Condition("within-budget", PASS, evidence)


def _tools(_: Case, observed: Observation) -> Condition:
    if missing := missing_tools_text(observed):
        return Condition("tools", FAIL, missing)
    return Condition("tools", PASS, f"required and here: {', '.join(observed.recipe.requires) or 'none'}")


def _tests(_: Case, observed: Observation) -> Condition:
    if observed.tests_unreadable:
        return Condition("tests", FAIL, observed.tests_unreadable)
    return Condition("tests", PASS, f"those in {observed.recipe.folder}")


def _needs(case: Case, _: Observation) -> Condition:
    missing = [name for name, is_there in case.needs.items() if not is_there]
    if missing:
        return Condition("needs", FAIL, f"without a release that can be deployed: {', '.join(missing)}")
    return Condition("needs", PASS, f"needed and released: {', '.join(case.needs) or 'none'}")


def _canonical(_: Case, observed: Observation) -> Condition:
    status, have = observed.status, observed.canonical
    if status.state is State.UNKNOWN:
        return Condition("canonical", FAIL, f"unknown: {status.reason}")
    if have is None:
        return Condition("canonical", OPEN, "none yet")
    evidence = f"generation {have.generation} at {have.version} is {status.state}"
    if status.state is State.INTACT:
        return Condition("canonical", PASS, evidence)
    return Condition("canonical", FAIL, f"{evidence}: {status.reason}")


def _mirror(case: Case, _: Observation) -> Condition:
    finding = case.step.finding
    if finding.mirror is MirrorState.EQUAL:
        return Condition("mirror", PASS, "our copy has what upstream has")
    if finding.unreadable:
        return Condition("mirror", FAIL, finding.unreadable)
    texts = {
        MirrorState.BEHIND: "a pass fetches what our copy lacks",
        MirrorState.MISSING: "a pass makes our copy",
        MirrorState.UNKNOWN: "upstream could not be seen",
    }
    return Condition("mirror", OPEN, texts[finding.mirror])


_POLICIES: Final[tuple[Callable[[Case, Observation], Condition], ...]] = (
    _upstream,
    _release,
    _newer,
    _unmoved,
    _old_enough,
    _signed,
    _not_red,
    _unheld,
    _budget,
    _tools,
    _tests,
    _needs,
    _canonical,
    _mirror,
)
