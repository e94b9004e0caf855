"""Recipes in states that a plan must handle."""

from attrs import evolve

from reconciler.core.findings import compare
from reconciler.core.observation import CanonicalStatus, Observation, State
from reconciler.core.plan import Action, HeldBack, Step, make_plan
from tests.values import AROUND, commit

A, B, C = commit("a"), commit("b"), commit("c")
NONE, PROMOTE = Action.NONE, Action.PROMOTE
RETEST, REFETCH, REDEPLOY = Action.RETEST, Action.REFETCH, Action.REDEPLOY
QUARANTINED, RED_BEFORE, EXCEPTED = HeldBack.QUARANTINED, HeldBack.RED_BEFORE, HeldBack.EXCEPTED


def down(seen: Observation) -> Observation:
    return evolve(seen, status=CanonicalStatus(State.DOWN, "service app is gone"))


def planned(seen: Observation) -> Step:
    return make_plan(compare({"notes": seen}, {}), {"notes": seen}, AROUND).steps["notes"]
