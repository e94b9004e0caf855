"""The picture of a recipe's time: what is not drawn is counted and said."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from attrs import evolve

from reconciler.core.activity import PastTrial
from reconciler.core.events import Event
from reconciler.show.page.page import render_page
from reconciler.show.page.timeline import Timeline, timeline_of
from state.records import KnownTag
from tests.folders import scratch_folder
from tests.page_world import facts_of
from tests.values import NOW, commit
from tests.world import World


def trials(count: int, red: int) -> list[PastTrial]:
    """Return so many trials, one a day, of which the first `red` were red."""
    return [
        PastTrial(
            "notes", "1.0.0", f"t{n}", "p", NOW + timedelta(days=n), "red" if n < red else "promoted", "1/1", "", ()
        )
        for n in range(count)
    ]


def promotions(count: int) -> list[Event]:
    return [
        Event(n, NOW + timedelta(days=n), "promoted", "notes", f"1.{n}.0", "promoted", "", "", {}) for n in range(count)
    ]


def drawn(
    known: Mapping[str, KnownTag] | None = None, trials: Sequence[PastTrial] = (), events: Sequence[Event] = ()
) -> Timeline:
    made = timeline_of(known or {}, trials, events, NOW + timedelta(days=99), 4)
    assert made is not None
    return made


def test_the_text_of_a_timeline_counts_what_is_too_old_to_be_drawn() -> None:
    time = drawn(trials=trials(24, red=20))
    assert (len(time.trials), time.earlier) == (4, 20)
    assert "24 trials, 20 of them red" in time.text


def test_the_text_says_how_many_canonicals_it_does_not_name() -> None:
    assert "canonical were 1.2.0, 1.3.0, 1.4.0, 1.5.0, 1.6.0 (the last 5 of 7)." in drawn(events=promotions(7)).text
    assert drawn(events=promotions(5)).text.endswith("1.4.0.")


def test_earlier_marks_of_every_lane_are_counted() -> None:
    held = [Event(n, NOW, "held", "notes", "", "held", "", "", {}) for n in range(5)]
    known = {f"1.{n}.0": KnownTag(commit("c"), NOW + timedelta(days=n)) for n in range(6)}
    assert drawn(known=known, trials=trials(7, red=0), events=[*promotions(8), *held]).earlier == 1 + 2 + 3 + 4
    assert drawn(trials=trials(4, red=0)).earlier == 0


def test_the_page_says_below_the_picture_that_older_marks_are_missing() -> None:
    with scratch_folder() as root:
        facts = facts_of(World.promoted(root, "notes"))
    trial = next(event for event in facts.events if event.kind == "trial")
    for count, said in ((40, ""), (41, "without the oldest mark<"), (43, "without the 3 oldest marks<")):
        others = [event for event in facts.events if event != trial]
        page = render_page(evolve(facts, events=[*others, *[trial] * count]))
        assert ("<figcaption>Time, " in page, said in page) == (bool(said), True)
