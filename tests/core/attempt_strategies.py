"""Hypothesis strategies for steps, their attempts, and what is read back afterwards."""

from attrs import evolve
from hypothesis import strategies as st

from desired.model import TierName
from desired.releases import Release
from reconciler.core.findings import Cause, Finding
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, ReadBack, judge
from reconciler.core.plan import Action, Step
from reconciler.core.report import Row
from reconciler.core.tier_results import Skip, TierResult, Trial, Verdict
from tests.strategies import usual_commit, weighted
from tests.values import canonical, circumstances, commit, finding, tier, trial


@st.composite
def acting_steps(draw: st.DrawFn) -> Step:
    """Draw a promotion, a repair of a damaged canonical or a deployment that is down, or a fetch of a mirror."""
    wanted, had = Release("3.0.1+v2.0.0", usual_commit("3.0.1+v2.0.0")), canonical("0.2.0", usual_commit("0.2.0"))
    kind = draw(weighted({"first": 3, "new": 3, "repair": 3, "raise": 2, "fetch": 1}))
    if kind == "first":
        return _step(finding(cause=Cause.FIRST_RELEASE, state=State.NONE), Action.PROMOTE, wanted)
    if kind == "new":
        return _step(evolve(finding(cause=Cause.NEW_RELEASE), have=had), Action.PROMOTE, wanted)
    if kind == "repair":
        damaged = evolve(finding(state=State.DAMAGED), have=had)
        return _step(damaged, Action.RETEST, Release(had.version, had.commit))
    if kind == "raise":
        return Step(evolve(finding(state=State.DOWN), have=had), Action.REDEPLOY, "its deployment is down")
    return Step(evolve(finding(), have=had), Action.REFETCH, "the mirror is missing")


def _step(found: Finding, action: Action, release: Release) -> Step:
    return Step(found, action, found.reason, release, circumstances=circumstances(release.commit))


@st.composite
def tier_results(draw: st.DrawFn) -> tuple[TierResult, ...]:
    """Draw the tiers of a trial. It ends at the first tier that does not pass, or is interrupted."""
    found: list[TierResult] = []
    verdicts = {Verdict.PASS: 12, Verdict.SKIP: 3, Verdict.FAIL: 2, Verdict.ERROR: 1}
    for name in TierName:
        drawn = tier(name, draw(weighted(verdicts)))
        skip = draw(st.sampled_from(Skip)) if drawn.verdict is Verdict.SKIP else None
        found.append(evolve(drawn, skip=skip))
        if drawn.verdict in {Verdict.FAIL, Verdict.ERROR} or draw(weighted({False: 30, True: 1})):
            break
    return tuple(found)


@st.composite
def trials(draw: st.DrawFn, release: Release, name: str = "notes") -> Trial:
    """Draw a trial by a pass, sometimes with one flaw."""
    tidy = trial(release, name)
    flaw = draw(weighted({"": 6, "by hand": 1, "warm": 1, "altered": 1, "tests": 1}))
    return evolve(
        tidy,
        by_pass=flaw != "by hand",
        tiers=draw(draw(weighted({tier_results(): 2, st.just(tidy.tiers): 1}))),
        slots_were_empty=flaw != "warm",
        altered=("app.py",) if flaw == "altered" else (),
        tests_unchanged=flaw != "tests",
        checks_data=draw(st.booleans()),
    )


@st.composite
def attempts(draw: st.DrawFn, of: Step) -> Attempt:
    """Draw an attempt of a step, sometimes with another release than requested."""
    asked = of.release or Release("0.2.0", usual_commit("0.2.0"))
    release = draw(weighted({asked: 9, Release(asked.version, commit("elsewhere")): 1}))
    tried = draw(draw(weighted({trials(release, of.recipe): 3, st.none(): 1})))
    refused = draw(weighted({(): 5, (Condition("tagged", ConditionStatus.FAIL, "it moved"),): 1}))
    hindered = draw(weighted({True: 1, False: 2})) if of.release is None else tried is None
    return Attempt(
        trial=tried,
        refusals=refused,
        untried_reason="its slot is held by a trial" if hindered else "",
        promotion_error=draw(weighted({"": 4, "the candidate does not come up": 1})),
        host_fault=draw(weighted({False: 1, True: 1})),
    )


@st.composite
def read_backs(draw: st.DrawFn, of: Step, tried: Trial | None) -> ReadBack:
    """Draw what is read back: the record from before, the tested release, or one that differs in a field."""
    before = of.finding.have
    kind = draw(weighted({"before": 2, "tested": 9, "recipe": 1, "version": 1, "commit": 1, "trial": 1}))
    mirrored = draw(st.booleans())
    if tried is None and of.release is not None and kind == "tested":
        meanwhile = canonical(of.release.version, of.release.commit, of.recipe, "trial-1")
        return ReadBack(evolve(meanwhile, generation=draw(st.sampled_from((1, 2)))), has_mirror=mirrored)
    if tried is None or kind == "before":
        down = draw(weighted({"": 2, "service app is gone": 1})) if of.action is Action.REDEPLOY else ""
        return ReadBack(before, has_mirror=mirrored, down=down)
    tested = canonical(tried.release.version, tried.release.commit, tried.recipe, tried.id)
    off = {
        "recipe": evolve(tested, recipe="another"),
        "version": evolve(tested, version="9.9.9"),
        "commit": evolve(tested, commit=commit("elsewhere")),
        "trial": evolve(tested, evidence=evolve(tested.evidence, trial="trial-0")),
    }
    return ReadBack(off.get(kind, tested), draw(weighted({"": 5, "snapshot.tar is shorter": 1})), mirrored)


@st.composite
def rows(draw: st.DrawFn, of: Step) -> Row:
    """Draw a row of a plan, or a row with an outcome."""
    if draw(weighted({True: 1, False: 2})):
        return Row(of, ())
    attempt = draw(attempts(of))
    return Row(of, (), judge(of, attempt, draw(read_backs(of, attempt.trial))))
