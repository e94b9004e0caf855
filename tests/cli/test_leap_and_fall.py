"""The leap and the fall of a release, tried by real passes over an app that shows their kinds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.cli.test_ways import unchanged_facts
from tests.repositories import UpstreamRepository
from tests.tiny_fleet import APP
from tests.ways_apps import CHECK, MARK, MIGRATING

OLDEST = "0.9.0+v0"


def declare(jot: OneRecipeFleet, what: str) -> None:
    jot.declare(f'also = ["{OLDEST}"]\n[install.env]\nNEWER = "{what}"\n')
    text = (jot.recipe / "recipe.toml").read_text()
    (jot.recipe / "recipe.toml").write_text(text.replace("also =", "[upgrade]\nalso ="))
    (jot.recipe / "mark.py").write_text(MARK)
    (jot.recipe / "check.py").write_text(CHECK)


@pytest.fixture(scope="module")
def jot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneRecipeFleet]:
    """The app at its second release, upgraded from the first; another release is older than both."""
    jot = OneRecipeFleet(tmp_path_factory.mktemp("jot"))
    UpstreamRepository.make(jot.upstream.path)
    for version, text in ((FIRST, APP.decode()), (SECOND, MIGRATING)):
        declare(jot, "careful")
        jot.release(version, app_py=text)
        done = jot.run()
        assert done.code == 0, done
        if version == FIRST:  # so that the oldest release never ran on this data
            jot.release(OLDEST)
    before = unchanged_facts(jot)
    yield jot
    assert unchanged_facts(jot) == before
    jot.assert_nothing_is_left()


def tried(jot: OneRecipeFleet, way: str, what: str) -> dict[str, Any]:
    """Let a pass try one way, and return its entry in the JSON document."""
    declare(jot, what)
    told = jot.json(f"--ways={way}")
    assert told.code == 0, told
    [found] = told.row("jot")["ways"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("what", "kind"), [("careful", None), ("refuses-oldest", "refuses"), ("empties-oldest", "damages")]
)
def test_a_leap_has_a_row_for_the_kept_generation_and_one_for_the_named_release(
    jot: OneRecipeFleet, what: str, kind: str | None
) -> None:
    leap = tried(jot, "leap", what)
    kept, named = leap["cases"]
    assert (kept["from"], kept["generation"], kept["answer"]) == (FIRST, 1, "yes"), leap
    assert (named["from"], named["generation"], named["kind"]) == (OLDEST, None, kind), leap
    assert (leap["answer"], leap["dangerous"], leap["proves_writes"]) == (
        "no" if kind else "yes",
        kind == "damages",
        True,
    )
    looked = " ".join(jot.run("status", "jot").out.split())
    assert f"from {OLDEST} (installed fresh) {named['answer']}" in looked
    assert kind != "refuses" or "cannot migrate from 0.9" in looked


def test_a_release_that_migrates_with_care_may_be_killed_while_it_does(jot: OneRecipeFleet) -> None:
    fall = tried(jot, "fall", "careful")
    assert [case["moment"] for case in fall["cases"]] == ["early", "middle", "late"], fall
    assert {case["answer"] for case in fall["cases"]} == {"yes"}, fall
    assert all(0 < case["killed_after"] < case["start_seconds"] for case in fall["cases"]), fall


def test_a_kill_in_the_middle_of_a_careless_migration_is_told_as_a_danger(jot: OneRecipeFleet) -> None:
    fall = tried(jot, "fall", "careless")
    kinds = {case["moment"]: case["kind"] for case in fall["cases"]}
    assert (kinds["middle"], fall["kind"], fall["dangerous"]) == ("damages", "damages", True), fall
    for looking in (jot.run("status", "jot"), jot.run("explain", "jot"), jot.run("history", "jot")):
        assert "DANGER: it comes up without all the data that was there before" in " ".join(looking.out.split())


def test_a_range_that_is_none_is_refused_where_it_stands(tmp_path: Path) -> None:
    jot = OneRecipeFleet(tmp_path)
    UpstreamRepository.make(jot.upstream.path)
    jot.declare('[upgrade]\nalso = ["1.0.0", ">=1 <2"]\n')
    refused = jot.run("--dry-run")
    assert 'recipe.toml:7:18: upgrade.also[1] wants a version such as "3.4.1"' in refused.err, refused
