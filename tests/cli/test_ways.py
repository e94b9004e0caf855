"""The way back and the stop of a release, tried by real passes over an app that shows each kind."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.folders import entries_below
from tests.reconcile_command import ReconcileResult
from tests.repositories import UpstreamRepository
from tests.ways_apps import CHECK, MARK, NEWER, OLDER


def declare(jot: OneRecipeFleet, setting: str = "") -> None:
    jot.declare(f"[install.env]\n{setting}\n")
    (jot.recipe / "mark.py").write_text(MARK)
    (jot.recipe / "check.py").write_text(CHECK)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> OneRecipeFleet:
    """The app at its second release, upgraded from the first; not to be changed."""
    jot = OneRecipeFleet(tmp_path_factory.mktemp("upgraded"))
    UpstreamRepository.make(jot.upstream.path)
    for version, text in ((FIRST, OLDER), (SECOND, NEWER)):
        declare(jot)
        jot.release(version, app_py=text)
        done = jot.run()
        assert done.code == 0, done
    return jot


@pytest.fixture
def lived(upgraded: OneRecipeFleet, tmp_path: Path) -> OneRecipeFleet:
    """The upgraded app, with everything in a folder of its own."""
    shutil.copytree(upgraded.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    jot = OneRecipeFleet(tmp_path)
    declare(jot)
    return jot


def ways_of(told: ReconcileResult) -> dict[str, dict[str, Any]]:
    """Return the entries of the recipe's ways in a JSON document, by the way's name."""
    assert told.code == 0, told
    return {each["way"]: each for each in told.row("jot")["ways"]}


def unchanged_facts(jot: OneRecipeFleet) -> Sequence[object]:
    """Return what trying ways must not change: canonicals, reds, damage and last trials, and the snapshots' hashes."""
    records = jot.registry.read()
    remembered = {name: (each.reds, each.damage, each.last_trial) for name, each in records.memories.items()}
    return records.canonicals, records.generations, remembered, entries_below(jot.state / "canonicals")


def way_lines(jot: OneRecipeFleet) -> list[tuple[str, str]]:
    return [(str(each.entry.body["way"]), str(each.entry.body["answer"])) for each in jot.registry.lines(kind="way")]


@pytest.mark.parametrize("kind", ["hides", "loses", "damages"])
def test_a_closed_way_back_is_told_by_what_became_of_the_data(lived: OneRecipeFleet, kind: str) -> None:
    declare(lived, f'OLDER = "{kind}"')
    back = ways_of(lived.json("--ways=back"))["back"]
    assert (back["answer"], back["kind"], back["to"], back["proves_writes"]) == ("no", kind, FIRST, True)
    assert back["dangerous"] is (kind == "damages")


def test_a_release_that_writes_only_at_its_end_is_no_release_to_kill(lived: OneRecipeFleet) -> None:
    declare(lived, 'NEWER = "forgets"')
    stop = ways_of(lived.json("--ways=stop"))["stop"]
    assert (stop["answer"], stop["kind"], stop["dangerous"]) == ("no", "unclean", True)
    assert (stop["stop"]["exit_codes"], stop["stop"]["killed"]) == ({"web": 3}, [])


def test_ways_are_tried_once_for_a_release_and_its_tests_and_change_nothing_else(lived: OneRecipeFleet) -> None:
    before = unchanged_facts(lived)
    assert "note: jot 1.1.0+v2: a pass would try: back, stop" in lived.run("--ways", "--dry-run").out
    ways = ways_of(lived.json("--ways"))
    assert {name: way["answer"] for name, way in ways.items()} == {"back": "yes", "stop": "yes"}, ways
    assert ways["stop"]["stop"]["grace"] == 120.0
    assert ways["stop"]["stop"]["exit_codes"] == {"web": -15}
    assert way_lines(lived) == [("back", "yes"), ("stop", "yes")]
    assert ways_of(lived.json("--ways")) == {}
    assert {name: way["answer"] for name, way in ways_of(lived.json("status")).items()} == {
        "back": "yes",
        "stop": "yes",
    }

    declare(lived, 'OLDER = "refuses"')
    back = ways_of(lived.json("--ways=back"))["back"]
    assert (back["kind"], back["dangerous"]) == ("refuses", False)
    assert "the data is of a newer format" in back["reason"]
    assert way_lines(lived)[2:] == [("back", "no")]
    drift = lived.run("drift")
    assert f"the way back has closed: {SECOND} could go back to {FIRST}" in " ".join(drift.out.split()), drift
    for looking in (lived.run("status", "jot"), lived.run("explain", "jot"), lived.run("history", "jot")):
        assert f"no to {FIRST}: it does not come up, and leaves the data as it was" in " ".join(looking.out.split())
    assert unchanged_facts(lived) == before
    assert lived.run("audit").code == 0
    lived.assert_nothing_is_left()


def test_a_trial_by_hand_tries_the_ways_of_its_candidate_and_keeps_no_pass_from_it(lived: OneRecipeFleet) -> None:
    said = lived.run("trial", "jot", "--ways=back", "--junit", "report.xml")
    assert said.code == 0, said
    suite = ET.parse(lived.folder / "report.xml").getroot()  # noqa: S314  we have just written it
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases["back"] == []
    assert [line.split()[:2] for line in said.out.splitlines() if line.startswith("back ")] == [["back", "yes"]]
    assert way_lines(lived) == [("back", "yes")]
    assert "note: jot 1.1.0+v2: a pass would try: back" in lived.run("--ways=back", "--dry-run").out


def test_a_check_that_cannot_see_what_the_release_writes_is_said(lived: OneRecipeFleet) -> None:
    lived.declare('[ways]\nrun = ["back"]\n')
    assert "its ways would be tried: back" in lived.run("prove").out
    back = ways_of(lived.json())["back"]
    assert (back["answer"], back["proves_writes"]) == ("yes", False)
    assert "data.check cannot tell whether what 1.1.0+v2 writes is there" in back["reason"]


def test_a_release_whose_gate_is_closed_waits_until_the_gate_is_taken_away(tmp_path: Path) -> None:
    jot = OneRecipeFleet(tmp_path)
    UpstreamRepository.make(jot.upstream.path)
    gate = 'OLDER = "refuses"\n[ways]\ngates = ["back"]\n'
    declare(jot, gate)
    jot.release(FIRST, app_py=OLDER)
    assert jot.run().code == 0
    before = entries_below(jot.state / "canonicals")
    jot.release(SECOND, app_py=NEWER)
    refused = jot.run()
    assert refused.code == 4, refused
    assert entries_below(jot.state / "canonicals") == before
    assert way_lines(jot) == [("back", "no")]
    assert jot.registry.read().memories["jot"].reds.keys() == {SECOND}
    told = jot.run("explain", "jot")
    assert " ".join(told.out.split()).count("the data is of a newer format") >= 1, told
    assert "no longer names back" in " ".join(told.out.split())
    assert jot.run().code == 4
    declare(jot, 'OLDER = "refuses"')
    assert jot.run().code == 0
    canonical = jot.canonical()
    assert canonical is not None
    assert canonical.version == SECOND
    jot.assert_nothing_is_left()


def test_a_way_that_does_not_exist_is_refused(lived: OneRecipeFleet) -> None:
    refused = lived.run("--ways=forth")
    assert (refused.code, refused.out) == (64, "")
    assert "no way forth" in refused.err
