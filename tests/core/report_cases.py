"""Rows of reports with the bucket in which each counts."""

from attrs import frozen

from reconciler.core.findings import Cause
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Outcome, Result
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.report import (
    ReportBucket,
    ReportCommand,
    Row,
    Run,
)
from tests.values import HERE, NOW, finding

RUN = Run(ReportCommand.PLAN, "pass-1", NOW, NOW, HERE, "canon-1", "fleet-1")
NONE, PROMOTE = Action.NONE, Action.PROMOTE
RETEST, REFETCH, REDEPLOY = Action.RETEST, Action.REFETCH, Action.REDEPLOY
INTACT, DAMAGED, DOWN, UNKNOWN, NO_STATE = State.INTACT, State.DAMAGED, State.DOWN, State.UNKNOWN, State.NONE
EXCEPTED, RED_BEFORE, QUARANTINED = HeldBack.EXCEPTED, HeldBack.RED_BEFORE, HeldBack.QUARANTINED
HELD = HeldBack.HELD


@frozen
class BucketCase:
    """What is left of one recipe and what a pass did about it before; where it counts and the exit code it makes."""

    about: str
    cause: Cause
    state: State
    slice: ReportBucket
    code: int
    action: Action = NONE
    held_back: HeldBack | None = None
    result: Result = Result.NONE

    def row(self, name: str = "notes") -> Row:
        found = finding(name, self.cause, self.state)
        asks = self.held_back in {RED_BEFORE, QUARANTINED} or self.cause in ASKING
        step = Step(found, self.action, found.reason, held_back=self.held_back, needs_person=asks)
        outcome = Outcome(step, self.result, "it was so", Attempt(), None)
        return Row(step, (), None if self.result is Result.NONE else outcome)


ASKING = {Cause.MOVED, Cause.AHEAD, Cause.AMBIGUOUS, Cause.ORPHANED}


CASES = [
    BucketCase("in sync", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0),
    BucketCase("promoted", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, result=Result.PROMOTED),
    BucketCase("repaired", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, result=Result.REPAIRED),
    BucketCase("mirror missing", Cause.IN_SYNC, INTACT, ReportBucket.IN_SYNC, 0, REFETCH),
    BucketCase("never released", Cause.NEVER_RELEASED, NO_STATE, ReportBucket.NEVER_RELEASED, 0),
    BucketCase("excepted", Cause.IN_SYNC, INTACT, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("excepted and unseen", Cause.UNOBSERVABLE, UNKNOWN, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("excepted and damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.EXCEPTED, 0, held_back=EXCEPTED),
    BucketCase("first release", Cause.FIRST_RELEASE, NO_STATE, ReportBucket.TO_PROMOTE, 2, PROMOTE),
    BucketCase("new release", Cause.NEW_RELEASE, INTACT, ReportBucket.TO_PROMOTE, 2, PROMOTE),
    BucketCase("not tried", Cause.NEW_RELEASE, INTACT, ReportBucket.TO_PROMOTE, 2, PROMOTE, result=Result.NOT_TRIED),
    BucketCase("on hold", Cause.NEW_RELEASE, INTACT, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("on hold, in sync", Cause.IN_SYNC, INTACT, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("on hold, never released", Cause.NEVER_RELEASED, NO_STATE, ReportBucket.HELD, 0, held_back=HELD),
    BucketCase("too young", Cause.NEW_RELEASE, INTACT, ReportBucket.HELD, 0, held_back=HeldBack.TOO_YOUNG),
    BucketCase("on hold, damaged", Cause.NEW_RELEASE, DAMAGED, ReportBucket.DAMAGED, 3, held_back=HELD),
    BucketCase("on hold, down", Cause.NEW_RELEASE, DOWN, ReportBucket.DAMAGED, 3, REDEPLOY, held_back=HELD),
    BucketCase("on hold, ahead", Cause.AHEAD, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=HELD),
    BucketCase("on hold, unobservable", Cause.UNOBSERVABLE, INTACT, ReportBucket.UNOBSERVABLE, 1, held_back=HELD),
    BucketCase("damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.DAMAGED, 3, RETEST),
    BucketCase("down", Cause.IN_SYNC, DOWN, ReportBucket.DAMAGED, 3, REDEPLOY),
    BucketCase("down, new release", Cause.NEW_RELEASE, DOWN, ReportBucket.DAMAGED, 3, PROMOTE),
    BucketCase(
        "down, red before", Cause.NEW_RELEASE, DOWN, ReportBucket.NEEDS_PERSON, 4, REDEPLOY, held_back=RED_BEFORE
    ),
    BucketCase("down, unobservable", Cause.UNOBSERVABLE, DOWN, ReportBucket.UNOBSERVABLE, 1, REDEPLOY),
    BucketCase(
        "down, not raised", Cause.IN_SYNC, DOWN, ReportBucket.INFRASTRUCTURE, 1, REDEPLOY, result=Result.INFRASTRUCTURE
    ),
    BucketCase("damaged, new release", Cause.NEW_RELEASE, DAMAGED, ReportBucket.DAMAGED, 3, PROMOTE),
    BucketCase("damaged, not tried", Cause.IN_SYNC, DAMAGED, ReportBucket.DAMAGED, 3, RETEST, result=Result.NOT_TRIED),
    BucketCase("red before", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE),
    BucketCase("red before, damaged", Cause.NEW_RELEASE, DAMAGED, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE),
    BucketCase("red", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=RED_BEFORE, result=Result.RED),
    BucketCase("red, forgotten", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, PROMOTE, result=Result.RED),
    BucketCase(
        "green, not", Cause.NEW_RELEASE, INTACT, ReportBucket.NEEDS_PERSON, 4, PROMOTE, result=Result.GREEN_NOT_PROMOTED
    ),
    BucketCase("ambiguous", Cause.AMBIGUOUS, INTACT, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("ahead", Cause.AHEAD, INTACT, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("ahead, damaged", Cause.AHEAD, DAMAGED, ReportBucket.NEEDS_PERSON, 4),
    BucketCase("moved", Cause.MOVED, INTACT, ReportBucket.NEEDS_PERSON, 4, held_back=QUARANTINED),
    BucketCase("orphaned", Cause.ORPHANED, INTACT, ReportBucket.ORPHANED, 4),
    BucketCase("orphaned, damaged", Cause.ORPHANED, DAMAGED, ReportBucket.ORPHANED, 4),
    BucketCase("orphaned, unknown", Cause.ORPHANED, UNKNOWN, ReportBucket.ORPHANED, 1),
    BucketCase("unobservable", Cause.UNOBSERVABLE, INTACT, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("unobservable, damaged", Cause.UNOBSERVABLE, DAMAGED, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("unknown", Cause.IN_SYNC, UNKNOWN, ReportBucket.UNOBSERVABLE, 1),
    BucketCase("ambiguous, unknown", Cause.AMBIGUOUS, UNKNOWN, ReportBucket.UNOBSERVABLE, 1),
    BucketCase(
        "host", Cause.NEW_RELEASE, INTACT, ReportBucket.INFRASTRUCTURE, 1, PROMOTE, result=Result.INFRASTRUCTURE
    ),
    BucketCase(
        "host, damaged", Cause.IN_SYNC, DAMAGED, ReportBucket.INFRASTRUCTURE, 1, RETEST, result=Result.INFRASTRUCTURE
    ),
]


BOTH = {"a": True, "b": True}
A, B = (next(case for case in CASES if case.about == "in sync").row(name) for name in BOTH)
