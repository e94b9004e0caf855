"""What is decided about ways, and how the ledger keeps their results."""

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_kinds import BackFacts, StopFacts, WayAnswer, WayKind, kind_of_back, kind_of_stop
from reconciler.core.way_records import WAY_LINE, recorded_way, recorded_ways, way_body, way_sentence
from reconciler.core.ways import (
    RecordedWay,
    WayResult,
    due_ways,
    is_dangerous,
    older_release,
    stop_text,
    way_base,
    way_text,
)
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from tests.values import canonical_of

AT = datetime(2026, 11, 29, tzinfo=UTC)
OLD, NEW = Release("1.0.0", "a" * 40), Release("1.1.0", "b" * 40)
BACK = WayResult("notes", WayName.BACK, WayAnswer.YES, NEW, OLD, proves_writes=True, tests="t1", log="logs/notes/1")
CLOSED = evolve(BACK, answer=WayAnswer.NO, kind=WayKind.REFUSES, reason="exited 1", tests="t2")
STOP = WayResult("notes", WayName.STOP, WayAnswer.YES, NEW, stop=StopFacts(1.25, 10.0, (), {"app": 0}), tests="t1")


def recorded(*results: WayResult, by_pass: bool = True) -> tuple[RecordedWay, ...]:
    return tuple(RecordedWay(result, AT, by_pass) for result in results)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (BackFacts(comes_up=True, passes=True), None),
        (BackFacts(comes_up=False, passes=False, is_whole_after=True), WayKind.REFUSES),
        (BackFacts(comes_up=True, passes=False, is_whole_after=True), WayKind.HIDES),
        (BackFacts(comes_up=True, passes=False, rises_after=True, keeps_older=True), WayKind.LOSES),
        (BackFacts(comes_up=False, passes=False, rises_after=True, keeps_older=True), WayKind.LOSES),
        (BackFacts(comes_up=True, passes=False, rises_after=True), WayKind.DAMAGES),
        (BackFacts(comes_up=False, passes=False, rises_after=True), WayKind.DAMAGES),
        (BackFacts(comes_up=True, passes=False), WayKind.BREAKS),
    ],
)
def test_the_kind_of_a_closed_way_back_follows_from_what_became_of_the_data(
    facts: BackFacts, kind: WayKind | None
) -> None:
    assert kind_of_back(facts) is kind


@given(st.builds(BackFacts, *[st.booleans()] * 5))
def test_a_way_back_is_open_only_if_the_older_release_comes_up_and_its_check_passes(facts: BackFacts) -> None:
    assert (kind_of_back(facts) is None) == (facts.comes_up and facts.passes)


def test_a_stop_is_no_if_the_release_is_killed_or_does_not_come_up_again() -> None:
    killed = StopFacts(10.0, 10.0, ("app (10 s)",))
    clean = StopFacts(1.0, 10.0)
    assert kind_of_stop(clean, rises=True, is_after_kill=True) is None
    assert kind_of_stop(clean, rises=False, is_after_kill=True) is WayKind.UNCLEAN
    assert kind_of_stop(clean, rises=False, is_after_kill=False) is WayKind.NO_RESTART
    assert kind_of_stop(killed, rises=True, is_after_kill=False) is WayKind.KILLED
    assert kind_of_stop(killed, rises=False, is_after_kill=False) is WayKind.UNCLEAN


def test_each_kind_that_says_danger_is_dangerous_and_no_other() -> None:
    for kind in WayKind:
        result = evolve(STOP, kind=kind)
        assert is_dangerous(result) == ("DANGER" in way_text(result)), kind
    assert not is_dangerous(STOP)


def test_the_way_back_leads_to_the_release_that_was_upgraded_from_else_to_the_newest_older_one() -> None:
    known = {version: version * 8 for version in ("0.9.0", "1.0.0", "2.0.0", "3.0.0", "nightly")}
    canonical = evolve(canonical_of("notes"), version="2.0.0")
    bases = {
        base: way_base(
            evolve(canonical, evidence=evolve(canonical.evidence, base=evolve(canonical.evidence.base, version=base))),
            known,
        )
        for base in ("0.9.0", "2.0.0", None, "0.1.0")
    }
    newest = Release("1.0.0", "1.0.0" * 8)
    assert bases == {"0.9.0": Release("0.9.0", "0.9.0" * 8), "2.0.0": newest, None: newest, "0.1.0": newest}
    assert way_base(canonical, {}) is None


def test_the_way_back_leads_to_the_commit_that_was_upgraded_from_though_its_tag_moved_or_is_gone() -> None:
    plain = canonical_of("notes", Release("1.0.0", "a" * 40))
    first, before, later = (evolve(plain, generation=number, commit=f"{number}" * 40) for number in (1, 2, 4))
    now = evolve(plain, version="2.0.0", commit="c" * 40)
    now = evolve(now, evidence=evolve(now.evidence, base=evolve(now.evidence.base, version="1.0.0")))
    for tags in ({"1.0.0": "e" * 40, "0.9.0": "f" * 40}, {"0.9.0": "f" * 40}, {}):
        assert way_base(now, tags, [later, now, before, first]) == Release("1.0.0", before.commit)
        release = Release("2.0.0", now.commit)
        assert older_release(release, Release("1.0.0", before.commit), tags) == Release("1.0.0", before.commit)


def test_a_release_is_not_older_than_itself_by_another_name_and_every_one_is_older_than_a_branch() -> None:
    tags = {"1.0.0": "a" * 40, "2.0.0": "b" * 40, "v2.0.0": "b" * 40}
    assert older_release(Release("2.0.0", "b" * 40), Release("v2.0.0", "b" * 40), tags) == Release("1.0.0", "a" * 40)
    assert older_release(Release("main", "c" * 40), None, tags) == Release("2.0.0", "b" * 40)
    assert older_release(Release("main", "b" * 40), None, tags) == Release("1.0.0", "a" * 40)


def test_a_way_is_tried_once_for_the_same_releases_and_tests() -> None:
    both = (WayName.STOP, WayName.BACK)
    assert due_ways(both, NEW, OLD, "t1", ()) == (WayName.BACK, WayName.STOP)
    assert due_ways(both, NEW, OLD, "t1", recorded(BACK, STOP)) == ()
    assert due_ways(both, NEW, OLD, "t2", recorded(BACK, STOP)) == (WayName.BACK, WayName.STOP)
    assert due_ways(both, OLD, None, "t1", recorded(BACK, STOP)) == (WayName.BACK, WayName.STOP)
    assert due_ways(both, NEW, None, "t1", recorded(BACK, STOP)) == (WayName.BACK,)
    assert due_ways(both, NEW, OLD, "t1", recorded(BACK, by_pass=False)) == (WayName.BACK, WayName.STOP)
    assert due_ways([WayName.BACK], NEW, OLD, "t1", recorded(evolve(BACK, answer=WayAnswer.ERROR))) == (WayName.BACK,)


def test_a_danger_is_said_loudly_and_the_measured_time_beside_the_declared_one() -> None:
    assert way_text(BACK) == "yes to 1.0.0"
    assert way_text(CLOSED) == "no to 1.0.0: it does not come up, and leaves the data as it was: exited 1"
    assert "DANGER" in way_text(evolve(CLOSED, kind=WayKind.DAMAGES))
    assert (
        stop_text(StopFacts(1.25, 10.0, (), {"web": 0, "app": -15}))
        == "ended in 1.2 s of 10 s, exit code app -15, web 0"
    )
    assert stop_text(StopFacts(10.0, None, ("app (10 s)",))) == "was killed after 10.0 s"


@pytest.mark.parametrize("result", [BACK, CLOSED, STOP, evolve(STOP, stop=StopFacts(1.0, None, ("app",)), base=None)])
def test_the_ledger_gives_back_the_result_that_it_got(result: WayResult) -> None:
    body = json.loads(json.dumps({"by_pass": True, **way_body(result)}))
    assert recorded_way("notes", AT, body) == RecordedWay(result, AT, by_pass=True)
    assert way_sentence(body) == f"{result.way} {way_text(result)}"


@pytest.mark.parametrize(
    "other", [{"way": "round"}, {"stop": {"seconds": 1, "grace": 1, "killed": [], "exit_codes": None}}]
)
def test_a_line_that_a_newer_canon_wrote_otherwise_is_left_out(other: dict[str, object]) -> None:
    body = {**way_body(BACK), **other, "reason": "unknown"}
    entries = [("notes", way_body(BACK)), ("notes", body), ("wiki", way_body(BACK))]
    lines = [LedgerLine(1, LedgerEntry(AT, WAY_LINE, name, each)) for name, each in entries]
    assert [each.result for each in recorded_ways(lines, "notes")] == [BACK]
    assert way_sentence(body) == "unknown"
