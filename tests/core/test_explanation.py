"""What the next pass does, what the trial of a red showed, and why tags are no releases: each in one explanation."""

import pytest
from attrs import evolve

from desired.mirror import Mirror
from desired.model import CanonicalPolicy, Keep
from reconciler.core.events import Event, events_of
from reconciler.core.explanation import Explanation, Freshness, explain
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, State
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from tests.core.test_blockers import case_of
from tests.values import NOW, canonical, circumstances, commit, observation, red

A, B = commit("a"), commit("b")
SETTLED = observation({"1.0.0": A}, canonical("1.0.0", A))


def explained(seen: Observation, *events: Event) -> Explanation:
    return explain(case_of(seen), events, None, Freshness(asked=True, seen_at=NOW, same_since=None))


def kept_and_down(seen: Observation) -> Observation:
    kept = evolve(seen.recipe, canonical=CanonicalPolicy(keep=Keep.RUNNING))
    return evolve(seen, recipe=kept, status=CanonicalStatus(State.DOWN, "service app is gone"))


def mirror_unreadable(seen: Observation) -> Observation:
    return evolve(seen, mirror=MirrorContents(unreadable="not a repository"))


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (kept_and_down(SETTLED), "the next pass deploys the canonical again from its snapshot"),
        (mirror_unreadable(SETTLED), "the next pass fetches the mirror anew"),
        (
            observation({"1.0.0": A, "1.1.0": B}, canonical("1.0.0", A)),
            "the next pass tries 1.1.0, and promotes it if it is green",
        ),
    ],
)
def test_the_next_step_is_named_with_the_command_that_does_it_now(seen: Observation, what: str) -> None:
    coming = explained(seen).next
    assert coming is not None
    assert (coming.fact, coming.command) == (what, "reconcile -r notes")


@pytest.mark.parametrize(("result", "is_green"), [("green-not-promoted", True), ("red", False)])
def test_a_red_whose_trial_was_green_says_so(result: str, *, is_green: bool) -> None:
    memory = {"1.1.0": red("1.1.0", circumstances(B))}
    seen = observation({"1.0.0": A, "1.1.0": B}, canonical("1.0.0", A))
    seen = evolve(seen, memory=evolve(seen.memory, reds=memory))
    body = {"trial": "trial-r", "pass": "p1", "version": "1.1.0", "level": "5/5", "result": result}
    told = explained(seen, *events_of([LedgerLine(1, LedgerEntry(NOW, "trial", "notes", body))]))
    green = next(each for each in told.conditions if each.name == "green")
    assert (green.status, "level 5/5 in trial trial-r" in green.evidence) == ("pass" if is_green else "fail", is_green)


def test_each_tag_that_is_no_release_is_named_with_the_reason() -> None:
    long = f"1.{'0' * 600}.0"
    seen = observation({"1.0.0": A, "1.2.0": None, long: B, "1.3": B, "latest": B}, canonical("1.0.0", A))
    assert {each.tag: each.why for each in explained(seen).not_read if each.tag != long} == {
        "1.2.0": "names no commit",
        "1.3": "looks like a version, but is not named x.y.z or x.y.z+APP",
        "latest": "does not look like a version",
    }
    [of_long] = [each.why for each in explained(seen).not_read if each.tag == long]
    assert of_long.startswith("has more than ")


def test_a_mirror_is_pushed_to_the_address_with_the_name_of_its_recipe() -> None:
    assert Mirror("ssh://git@forge.example/{recipe}.git").address("notes") == "ssh://git@forge.example/notes.git"
