"""Handmade reports that show every cause, state, mirror, action, hold and result."""

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve

from desired.model import TierName
from desired.releases import AmbiguousVersion, NeverReleased, Unobservable
from reconciler.core.base import Base, Origin
from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause, MirrorState
from reconciler.core.gate import Condition, ConditionStatus, unheld
from reconciler.core.holds import HoldStatus
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.outcome import Attempt, Outcome, Result
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.report import Report, ReportCommand, Row, Run, summarise
from reconciler.core.tier_results import TierResult, Verdict
from state.records import Canonical
from tests.values import (
    HERE,
    HOLD,
    NEW,
    NOW,
    OLD,
    RED_TIERS,
    ROLLBACK,
    canonical_of,
    finding_of,
    step_left,
    trial_of,
    with_mirror,
)

GATE = (
    Condition("enrolled", ConditionStatus.PASS, "declared"),
    Condition("green", ConditionStatus.OPEN, "not tried yet"),
    Condition("cold", ConditionStatus.OPEN, "not tried yet"),
    Condition("not-ref", ConditionStatus.OPEN, "not tried yet"),
    Condition("tagged", ConditionStatus.OPEN, "upstream is asked again after the trial"),
)
AWAY = Condition("at-home", ConditionStatus.FAIL, "run: systemctl start reconcile.service")
HOME = Condition("at-home", ConditionStatus.PASS, "in reconcile.service")
PASSED = tuple(evolve(each, status=ConditionStatus.PASS, evidence=f"{each.name} it is") for each in GATE)
FELL = CanonicalStatus(State.DOWN, "service app is gone", NOW - timedelta(hours=5))


def row_before(step: Step) -> Row:
    return Row(step, () if step.finding.cause is Cause.ORPHANED else GATE)


def row_after(step: Step, result: Result, reason: str, attempt: Attempt, before: Canonical | None) -> Row:
    """A row after a pass tried to promote; `step` is what is left now."""
    taken = evolve(step, action=Action.PROMOTE, release=NEW, held_back=None, needs_person=False)
    return Row(step, attempt.gate or GATE, Outcome(taken, result, reason, attempt, step.finding.have), before)


def rows_at_rest() -> list[Row]:
    """Rows that no step touches: every cause, every state and every hold."""
    lost = CanonicalStatus(State.DAMAGED, "snapshot.tar is not what was sealed")
    unseen = CanonicalStatus(State.UNKNOWN, "snapshot.tar: Permission denied")
    apart = AmbiguousVersion(("1.2.0+2.3.0", "v1.2.0+2.3.0"))
    down = Unobservable("forge.example: connection refused")
    odd = evolve(
        finding_of("shaarli", Cause.IN_SYNC, OLD, canonical_of("shaarli")),
        not_releases=("latest", "v26"),
        vanished=("0.9.0",),
        unread=("v26",),
    )
    return [
        row_before(step_left(finding_of("etherpad", Cause.IN_SYNC, OLD, canonical_of("etherpad")))),
        row_before(step_left(finding_of("forgejo", Cause.NEVER_RELEASED, NeverReleased()))),
        row_before(step_left(finding_of("hedgedoc", Cause.AMBIGUOUS, apart), you=True)),
        row_before(step_left(finding_of("immich", Cause.AHEAD, OLD, canonical_of("immich", NEW)), you=True)),
        row_before(
            step_left(finding_of("jitsi", Cause.MOVED, NEW, canonical_of("jitsi")), held=HeldBack.QUARANTINED, you=True)
        ),
        row_before(step_left(finding_of("keycloak", Cause.ORPHANED, None, canonical_of("keycloak")), you=True)),
        row_before(step_left(finding_of("lasuite", Cause.UNOBSERVABLE, down, canonical_of("lasuite"), lost))),
        row_before(
            step_left(
                with_mirror(finding_of("mumble", Cause.FIRST_RELEASE), MirrorState.MISSING), held=HeldBack.EXCEPTED
            )
        ),
        row_before(step_left(finding_of("nextcloud", Cause.IN_SYNC, OLD, canonical_of("nextcloud"), unseen))),
        row_before(
            step_left(
                finding_of("outline", Cause.NEW_RELEASE, NEW, canonical_of("outline")),
                held=HeldBack.RED_BEFORE,
                you=True,
            )
        ),
        row_before(step_left(odd)),
        *_decided_rows(),
    ]


def _decided_rows() -> list[Row]:
    """Rows that wait by decision: on hold with two releases that wait, rolled back, too young, and unsigned."""
    wait = HoldStatus(HOLD, waiting=("1.1.5+2.2.9", NEW.version), waiting_since=NOW - timedelta(days=3))
    back = HoldStatus(rollback=ROLLBACK, waiting=(NEW.version,), waiting_since=NOW - timedelta(days=1))
    held = step_left(finding_of("peertube", Cause.NEW_RELEASE, NEW, canonical_of("peertube")), held=HeldBack.HELD)
    copied = evolve(canonical_of("rallly"), copy_of=1)
    left = step_left(finding_of("rallly", Cause.NEW_RELEASE, NEW, copied), held=HeldBack.HELD)
    return [
        Row(evolve(held, hold=wait, reason=f"{held.reason}; {wait}"), (*GATE, *unheld(HOLD))),
        row_before(evolve(left, hold=back, reason=f"{left.reason}; {back}")),
        row_before(
            step_left(finding_of("taiga", Cause.NEW_RELEASE, NEW, canonical_of("taiga")), held=HeldBack.TOO_YOUNG)
        ),
        row_before(
            step_left(finding_of("vikunja", Cause.NEW_RELEASE, NEW, canonical_of("vikunja")), held=HeldBack.OVER_BUDGET)
        ),
        row_before(step_left(finding_of("umap", Cause.FIRST_RELEASE), held=HeldBack.UNSIGNED, you=True)),
    ]


def rows_with_steps() -> list[Row]:
    """Rows of a plan that does something."""
    lost = CanonicalStatus(State.DAMAGED, "snapshot.tar is missing")
    gone = with_mirror(finding_of("drone", Cause.IN_SYNC, OLD, canonical_of("drone")), MirrorState.MISSING)
    late = with_mirror(finding_of("bonfire", Cause.NEW_RELEASE, NEW, canonical_of("bonfire")), MirrorState.BEHIND)
    return [
        row_before(step_left(finding_of("authentik", Cause.FIRST_RELEASE), Action.PROMOTE)),
        row_before(step_left(late, Action.PROMOTE)),
        row_before(step_left(finding_of("cal", Cause.IN_SYNC, OLD, canonical_of("cal"), lost), Action.RETEST)),
        row_before(step_left(gone, Action.REFETCH)),
        row_before(
            step_left(finding_of("element", Cause.IN_SYNC, OLD, canonical_of("element"), FELL), Action.REDEPLOY)
        ),
        row_before(
            step_left(finding_of("funkwhale", Cause.NEW_RELEASE, NEW, canonical_of("funkwhale"), FELL), Action.PROMOTE)
        ),
    ]


def rows_with_outcomes() -> list[Row]:
    """Rows of a pass with every result but none."""
    return [
        _promoted(),
        _repaired(),
        *_raised(),
        _red(),
        _green_not_promoted(),
        _infrastructure(),
        _broken(),
        _not_tried(),
    ]


def _promoted() -> Row:
    now = canonical_of("authentik", NEW, ("1.1.0+2.2.0", "1.2.0+2.3.0"))
    attempt = Attempt(trial_of("authentik"), PASSED)
    step = step_left(finding_of("authentik", Cause.IN_SYNC, NEW, now))
    return row_after(step, Result.PROMOTED, "1.2.0+2.3.0, read back", attempt, canonical_of("authentik"))


def _repaired() -> Row:
    now = canonical_of("bonfire", NEW, ("1.2.0+2.3.0",))
    broom = evolve(trial_of("bonfire"), findings=("install: 2 processes had to be ended",))
    step = step_left(finding_of("bonfire", Cause.IN_SYNC, NEW, now))
    return row_after(step, Result.REPAIRED, "1.2.0+2.3.0, read back", Attempt(broom, PASSED), None)


def _raised() -> list[Row]:
    """A deployment that is up again, while a red holds the release back; one that is not."""
    down = step_left(finding_of("dokuwiki", Cause.NEW_RELEASE, NEW, canonical_of("dokuwiki"), FELL), Action.REDEPLOY)
    held = step_left(
        finding_of("dokuwiki", Cause.NEW_RELEASE, NEW, canonical_of("dokuwiki")), held=HeldBack.RED_BEFORE, you=True
    )
    again = Outcome(down, Result.REPAIRED, "1.1.0+2.2.0 is up again", Attempt(), canonical_of("dokuwiki"))
    fell = step_left(finding_of("element", Cause.IN_SYNC, OLD, canonical_of("element"), FELL), Action.REDEPLOY)
    reason = f"its deployment is still down: {FELL.reason}"
    return [
        Row(held, GATE, again, canonical_of("dokuwiki")),
        Row(
            fell,
            GATE,
            Outcome(fell, Result.INFRASTRUCTURE, reason, Attempt(), canonical_of("element")),
            canonical_of("element"),
        ),
    ]


def _red() -> Row:
    failed = evolve(
        trial_of("cal", RED_TIERS), tail=("sqlite3.OperationalError: no such column: body", "exit status 1")
    )
    step = step_left(finding_of("cal", Cause.NEW_RELEASE, NEW, canonical_of("cal")), held=HeldBack.RED_BEFORE, you=True)
    return row_after(
        step, Result.RED, "1.2.0+2.3.0: upgrade failed: data.check exited 1", Attempt(failed), canonical_of("cal")
    )


def _green_not_promoted() -> Row:
    attempt = Attempt(trial_of("drone"), (*PASSED, AWAY), (AWAY,))
    step = step_left(finding_of("drone", Cause.FIRST_RELEASE), Action.PROMOTE)
    return row_after(step, Result.GREEN_NOT_PROMOTED, f"green, not promoted: {AWAY}", attempt, None)


def _infrastructure() -> Row:
    missing = (TierResult(TierName.INSTALL, Verdict.ERROR, "required and missing here: git-lfs", 0.02),)
    attempt = Attempt(evolve(trial_of("gitea", missing), base=Base(None, Origin.NONE, "no older release")))
    step = step_left(finding_of("gitea", Cause.FIRST_RELEASE), Action.PROMOTE)
    return row_after(step, Result.INFRASTRUCTURE, "1.2.0+2.3.0: install could not be judged", attempt, None)


def _broken() -> Row:
    attempt = Attempt(trial_of("pad"), PASSED, promotion_error="RAISED: the candidate is not ready: 502")
    step = step_left(finding_of("pad", Cause.NEW_RELEASE, NEW, canonical_of("pad")), held=HeldBack.RED_BEFORE, you=True)
    reason = "green, not promoted: RAISED: the candidate is not ready: 502"
    return row_after(step, Result.GREEN_NOT_PROMOTED, reason, attempt, canonical_of("pad"))


def _not_tried() -> Row:
    attempt = Attempt(untried_reason="its slot is held by: trial, pid 4711")
    step = step_left(finding_of("wiki", Cause.NEW_RELEASE, NEW, canonical_of("wiki")), Action.PROMOTE)
    return row_after(step, Result.NOT_TRIED, attempt.untried_reason, attempt, canonical_of("wiki"))


# ---- the reports ----


def run_of(command: ReportCommand) -> Run:
    return Run(command, "20260302T040000Z-1", NOW - timedelta(minutes=3), NOW, HERE, "0.1.0+canon", "fleet-rev")


def report_of(command: ReportCommand, rows: Sequence[Row], notes: Sequence[str] = ()) -> Report:
    """A report whose sums close: everything but an orphan is declared, all but the excepted enrolled."""
    orphans = {row.recipe for row in rows if row.finding.cause is Cause.ORPHANED}
    selected = {row.recipe: row.step.held_back is not HeldBack.EXCEPTED for row in rows if row.recipe not in orphans}
    return summarise(run_of(command), ExpectedRecipes(len(selected), selected, len(selected), orphans), rows, notes)


def plan_report(command: ReportCommand = ReportCommand.PLAN) -> Report:
    return report_of(command, [*rows_at_rest(), *rows_with_steps()])


def pass_report() -> Report:
    note = "a dead pass was cleared away: slot cal"
    return report_of(ReportCommand.PASS, [*rows_at_rest(), *rows_with_outcomes()], [note])


def calm_report(command: ReportCommand = ReportCommand.PLAN) -> Report:
    """Everything is as it should be."""
    rows = [
        row_before(step_left(finding_of(name, Cause.IN_SYNC, OLD, canonical_of(name)))) for name in ("etherpad", "wiki")
    ]
    return report_of(command, rows)
