"""What a leap and a fall conclude, over an app in a world in memory that does as asked."""

from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import WayName
from desired.releases import Signature
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import WayResult, way_text
from reconciler.ports.commands import CommandResult
from tests.older_world import OLDEST, OlderWorld
from tests.ways_world import NEWER, OLDER, TIMED_OUT
from tests.world import Behaviour

YES, NO, SKIP, ERROR = WayAnswer
GOOD = Signature(signer="ada (ABCD)")


@pytest.fixture
def notes(tmp_path: Path) -> OlderWorld:
    made = OlderWorld.upgraded(tmp_path)
    assert isinstance(made, OlderWorld)
    made.world.tag("notes", OLDEST)
    return made


def rows(result: WayResult) -> dict[str, tuple[str, str | None]]:
    """Return answer and kind of each case, by its older release or by its moment."""
    return {str(each.moment or each.source.version): (each.answer, each.kind) for each in result.cases}


def test_a_release_leaps_from_kept_generations_and_from_what_the_fleet_names(notes: OlderWorld) -> None:
    notes.also(OLDEST, ">=1.0,<1.1", ">=7")
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (YES, None), OLDEST: (YES, None), ">=7": (SKIP, None)}
    assert (leap.answer, leap.kind, leap.proves_writes) == (YES, None, True)
    assert [each.source.generation for each in leap.cases] == [1, None, None]
    assert leap.cases[2].reason == f"it names no known release before {NEWER}"


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        ({"exits"}, "refuses"),
        ({"damages"}, "damages"),
        ({"damages", "exits"}, "damages"),
        ({"spoils", "exits"}, "breaks"),
    ],
)
def test_the_older_release_tells_what_a_failed_leap_left_of_its_data(
    notes: OlderWorld, does: set[str], kind: str
) -> None:
    notes.also(OLDEST)
    notes.over[OLDEST] = does
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (YES, None), OLDEST: (NO, kind)}
    assert (leap.answer, leap.kind) == (NO, kind)
    assert ("DANGER" in way_text(leap)) == (kind != "refuses")


def test_a_leap_after_which_the_older_release_has_all_data_only_hides_it(notes: OlderWorld) -> None:
    notes.answers[NEWER, "check MARK_ID"] = [CommandResult(1, "not shown")]
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (NO, "hides")}
    assert "not shown" in way_text(leap)


@pytest.mark.parametrize("release", [OLDER, NEWER])
def test_a_leap_that_times_out_twice_shows_no_damage(notes: OlderWorld, release: str) -> None:
    notes.over[OLDER] = {"damages"}
    notes.answers[release, "check MARK_ID"] = [None, None, TIMED_OUT] * 2 if release == OLDER else [TIMED_OUT] * 2
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (ERROR, None)}
    assert [each.way for each in notes.tried(WayName.LEAP)] == [WayName.LEAP]


def test_a_leap_is_tried_anew_only_if_what_it_starts_from_changes(notes: OlderWorld) -> None:
    assert [rows(each) for each in notes.tried(WayName.LEAP)] == [{OLDER: (YES, None)}]
    assert notes.tried(WayName.LEAP) == []
    notes.also(OLDEST)
    assert [rows(each) for each in notes.tried(WayName.LEAP)] == [{OLDER: (YES, None), OLDEST: (YES, None)}]
    notes.also(OLDEST, "0.9.0")
    assert notes.tried(WayName.LEAP) == []


def test_an_older_release_that_does_not_start_says_nothing_of_the_newer_one(notes: OlderWorld) -> None:
    notes.world.tag("notes", "0.8.0", Behaviour(starts=False))
    notes.also("0.8.0")
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (YES, None), "0.8.0": (SKIP, None)}
    assert "0.8.0 does not work by itself, which says nothing of 1.1.0" in leap.cases[1].reason


@pytest.mark.parametrize(
    ("does", "beside", "case"),
    [
        ({"exits"}, set(), (NO, "refuses")),
        ({"exits"}, {OLDER}, (SKIP, None)),
        ({"spoils", "exits"}, set(), (NO, "breaks")),
        (set(), {OLDER}, (YES, None)),
    ],
)
def test_a_release_is_not_blamed_for_what_the_newer_apps_beside_it_did(
    tmp_path: Path, does: set[str], beside: set[str], case: tuple[str, str | None]
) -> None:
    notes = OlderWorld.with_needs(tmp_path)
    notes.over[OLDER], notes.beside = does, beside
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: case}
    assert (f"{OLDER} also fails beside accounts 2.0.0 alone" in way_text(leap)) == (case[0] is SKIP)


def test_an_unsigned_release_is_no_release_to_leap_from_until_it_is_signed(tmp_path: Path) -> None:
    notes = OlderWorld.upgraded(tmp_path, signed=True)
    assert isinstance(notes, OlderWorld)
    notes.world.tag("notes", OLDEST)
    notes.world.signatures[notes.commit_of(NEWER)] = notes.world.signatures[notes.commit_of(OLDER)] = GOOD
    notes.world.run()
    notes.also("<1")
    before = len(notes.world.deployed)
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap)["<1"] == (SKIP, None), leap
    assert OLDEST not in {version for _, version, _ in notes.world.deployed[before:]}
    notes.world.signatures[notes.commit_of(OLDEST)] = GOOD
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap)[OLDEST] == (YES, None)


def test_a_fall_kills_a_release_at_each_moment_of_its_first_start_on_older_data(notes: OlderWorld) -> None:
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall) == dict.fromkeys(("early", "middle", "late"), (YES, None))
    assert (fall.answer, fall.proves_writes) == (YES, True)
    assert {each.source.generation for each in fall.cases} == {1}
    after = [each.kill.after / each.kill.start for each in fall.cases if each.kill is not None]
    assert after == pytest.approx([0.15, 0.5, 0.9])
    assert notes.tried(WayName.FALL) == []


@pytest.mark.parametrize(
    ("does", "kind", "words"),
    [({"damages"}, "damages", "DANGER"), ({"spoils"}, "breaks", "DANGER"), ({"stalls"}, "twice", "first start")],
)
def test_a_fall_tells_at_which_moment_a_kill_damages_the_data(
    notes: OlderWorld, does: set[str], kind: str, words: str
) -> None:
    notes.falls = [set(), does, set()]
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall) == {"early": (YES, None), "middle": (NO, kind), "late": (YES, None)}
    assert words in way_text(fall)


def test_a_fall_whose_check_times_out_twice_shows_no_damage(notes: OlderWorld) -> None:
    notes.falls = [{"damages"}] * 2
    notes.answers[NEWER, "check MARK_ID"] = [None, TIMED_OUT, TIMED_OUT]
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall) == {"early": (ERROR, None), "middle": (YES, None), "late": (YES, None)}


def test_data_that_a_release_lost_when_it_took_too_long_is_told_although_it_does_not_the_next_time(
    notes: OlderWorld,
) -> None:
    notes.over[OLDER] = {"damages", "hangs", "once"}
    [leap] = notes.tried(WayName.LEAP)
    assert rows(leap) == {OLDER: (NO, "damages")}
    assert "tried once more, since something took too long: yes" in way_text(leap)


@pytest.mark.parametrize("second", ["hangs", "lingers"])
def test_a_first_start_that_failed_is_told_although_the_second_took_too_long(notes: OlderWorld, second: str) -> None:
    notes.falls = [{"stalls", second}]
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall) == {"early": (NO, "twice"), "middle": (YES, None), "late": (YES, None)}
    assert "it ended; at the second start: " in way_text(fall)


def test_a_start_that_ends_before_the_kill_is_measured_again_and_never_called_a_fall(notes: OlderWorld) -> None:
    notes.quick = 2
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall)["early"] == (YES, None)
    notes.world.declare("notes", ways=notes.world.recipes["notes"].ways)
    (notes.world.recipes["notes"].folder / "changed").touch()
    notes.quick = 3
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall)["early"] == (SKIP, None)


def test_a_kill_that_comes_when_the_release_is_ready_is_no_fall_and_proves_nothing(notes: OlderWorld) -> None:
    notes.late = 2
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall)["early"] == (YES, None)
    assert notes.late == 0
    (notes.world.recipes["notes"].folder / "changed").touch()
    notes.late = 3
    [fall] = notes.tried(WayName.FALL)
    assert rows(fall) == {"early": (SKIP, None), "middle": (YES, None), "late": (YES, None)}


def test_no_release_is_killed_in_the_time_in_which_it_is_ready_and_canon_does_not_know_it(notes: OlderWorld) -> None:
    notes.blind = timedelta(hours=1)
    [fall] = notes.tried(WayName.FALL)
    kills = [each.kill for each in fall.cases if each.kill is not None]
    assert len(kills) == 3
    assert all(each.after < each.start < notes.blind.total_seconds() for each in kills), kills


def test_without_an_older_release_there_is_neither_a_leap_nor_a_fall(tmp_path: Path) -> None:
    notes = OlderWorld.upgraded(tmp_path)
    assert isinstance(notes, OlderWorld)
    notes.world.declare("wiki")
    notes.world.tag("wiki", "1.0.0")
    notes.world.recipes["wiki"] = notes.world.declare("wiki", ways=notes.world.recipes["notes"].ways)
    notes.tried(WayName.LEAP, WayName.FALL)
    notes.world.declare("wiki", ways=notes.world.recipes["notes"].ways)
    [row] = [row for row in notes.world.run().report.rows if row.recipe == "wiki"]
    assert [(each.way, each.answer, each.cases) for each in row.ways] == [("leap", SKIP, ()), ("fall", SKIP, ())]
