"""What a person reads who declared something wrong, or nothing at all."""

import re
import shutil

import pytest

from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.reconcile_command import ReconcileResult

EVERY_OTHER = (("--dry-run",), ("drift",), ("status",), ("trial", "jot"), ("raise", "jot"), ("logs", "jot"))


def refused(jot: OneRecipeFleet, *words: str) -> list[str]:
    """The lines of stderr of a command that finds the declarations wrong, which JSON tells just so."""
    said = jot.run(*words)
    assert (said.code, said.out) == (78, "")
    told = jot.json(*words)
    assert told.code == 78
    *lines, total = said.err.splitlines()
    assert re.fullmatch(r"\d+ problems? in \d+ files?; nothing was done", total)
    assert [where(error) for error in told.document["errors"]] == [":".join(line.split(":")[:3]) for line in lines]
    assert not jot.state.exists()
    return lines


def where(error: dict[str, object]) -> str:
    return f"{error['file']}:{error['line']}:{error['column']}"


def usage(jot: OneRecipeFleet, *words: str) -> str:
    """Stderr of a command line that asks for what there is not."""
    said, told = jot.run(*words), jot.json(*words)
    assert (said.code, said.out, told.code) == (64, "", 64)
    assert [error["file"] for error in told.document["errors"]] == [None]
    assert not jot.state.exists()
    return said.err


def hollow(jot: OneRecipeFleet) -> ReconcileResult:
    """A dry run which says that nothing is enrolled, as JSON does."""
    told = jot.json("--dry-run")
    assert (told.code, told.document["errors"][0]["message"]) == (5, "nothing is enrolled")
    said = jot.run("--dry-run")
    assert said.code == 5
    assert "note: nothing is enrolled" in said.out.splitlines()
    assert not jot.state.exists()
    return said


def test_a_missing_fleet_folder_is_reported_by_every_command(jot: OneRecipeFleet) -> None:
    shutil.rmtree(jot.fleet)
    said = jot.run()
    first, *commands = said.err.splitlines()
    assert (said.code, first) == (78, f"reconcile: there is no fleet: {jot.fleet} is missing")
    assert [line.strip().partition("   ")[0] for line in commands] == [
        f"reconcile init {jot.fleet}",
        "reconcile --fleet DIR",
        "reconcile demo canon-demo --tell",
    ]
    assert {jot.json(*words).code for words in EVERY_OTHER} == {78}
    assert not jot.state.exists()
    assert jot.run("init", str(jot.fleet)).code == 0
    assert jot.run("--dry-run").code == 5


def test_an_empty_fleet_folder_lacks_a_file_and_a_folder(jot: OneRecipeFleet) -> None:
    shutil.rmtree(jot.fleet)
    jot.fleet.mkdir()
    assert refused(jot, "--dry-run") == [f"{jot.fleet}/{name}:1:1: is missing" for name in ("fleet.toml", "recipes")]


def test_a_recipe_folder_without_its_declaration_is_reported(jot: OneRecipeFleet) -> None:
    (jot.fleet / "recipes" / "bare").mkdir()
    assert refused(jot) == [f"{jot.fleet}/recipes/bare/recipe.toml:1:1: is missing"]


def test_a_fleet_without_recipes_is_hollow(jot: OneRecipeFleet) -> None:
    shutil.rmtree(jot.recipe)
    closing = hollow(jot).out.splitlines()[-1]
    assert closing.startswith("0 enrolled, 0 decided: 0 in sync,")
    nothing = jot.run("explain")
    note = f"note: there is no state folder at {jot.state} yet: the first pass makes it"
    said = [note, f"nothing to explain: {jot.fleet} declares no recipe, and none is recorded"]
    assert (nothing.code, nothing.out.splitlines(), nothing.err) == (0, said, "")
    assert jot.json("explain").document["explanations"] == []


def test_a_fleet_with_every_recipe_excepted_is_hollow_and_shows_why_each_is(jot: OneRecipeFleet) -> None:
    text = (jot.recipe / "recipe.toml").read_text()
    excepted = 'enrolled = false\nexception = "waits for a camera"\n'
    (jot.recipe / "recipe.toml").write_text(text.replace("[data]", f"{excepted}[data]"))
    lines = hollow(jot).out.splitlines()
    assert re.fullmatch(r"jot +1\.0\.0\+v1 +- +first-release +none +none +excepted", lines[1])
    assert "jot: excepted: waits for a camera" in lines
    assert lines[-1].endswith("; 1 excepted, 0 orphaned")


def test_a_pass_over_a_hollow_fleet_is_hollow_too(jot: OneRecipeFleet) -> None:
    shutil.rmtree(jot.recipe)
    assert jot.run().code == 5
    assert jot.json().document["population"]["declared"] == 0


def test_a_misspelt_key_is_reported_with_its_place_and_the_nearest_key(jot: OneRecipeFleet) -> None:
    jot.declare("[custom]\ntimeuot = '5m'\n")
    assert refused(jot, "drift") == [
        f"{jot.recipe}/recipe.toml:7:1: custom.timeuot is not a known key; did you mean timeout?"
    ]


def test_a_wrong_type_is_reported_with_its_place(jot: OneRecipeFleet) -> None:
    jot.declare("[canonical]\ngenerations = 'two'\n")
    [line] = refused(jot, "status")
    assert line.startswith(f"{jot.recipe}/recipe.toml:7:1: canonical.generations ")
    assert '"two"' in line


def test_a_duplicate_key_is_reported_at_its_second_place(jot: OneRecipeFleet) -> None:
    jot.declare("[canonical]\ngenerations = 2\ngenerations = 3\n")
    [line] = refused(jot)
    assert line.startswith(f"{jot.recipe}/recipe.toml:8:1: ")
    assert "generations" in line


def test_three_errors_in_two_files_are_reported_at_once(jot: OneRecipeFleet) -> None:
    jot.declare("[redy]\nhttp = '/'\n[upgrade]\nbase = 1\n")
    fleet = jot.fleet / "fleet.toml"
    fleet.write_text(fleet.read_text().replace("[fleet]\n", "[fleet]\nuntis = 'x.service'\n"))
    first, second, third = refused(jot, "--dry-run")
    assert first == f"{jot.fleet}/fleet.toml:5:1: fleet.untis is not a known key; did you mean unit?"
    assert second == f"{jot.recipe}/recipe.toml:6:2: redy is not a known key; did you mean ready?"
    assert third.startswith(f"{jot.recipe}/recipe.toml:9:1: upgrade.base ")


@pytest.mark.parametrize(
    "words", [("-r", "jto"), ("status", "jto"), ("trial", "jto"), ("--retry", "jto")], ids=" ".join
)
def test_a_recipe_that_is_not_declared_is_named_with_the_nearest_one(
    jot: OneRecipeFleet, words: tuple[str, ...]
) -> None:
    said = usage(jot, *words)
    assert said.splitlines() == [f"reconcile: no recipe jto in {jot.fleet}", "  did you mean jot?"]


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--dryrun",), "--dryrun"),
        (("drift", "--retry", "jot"), "--retry"),
        (("jot",), "jot"),
        (("trial",), "NAME"),
        (("accept", "jot"), "--reason"),
        (("trial", "jot", "--tiers", "custm"), "custm"),
        (("raise", "jot", "--for", "long"), "long"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_line_that_means_nothing_is_usage(jot: OneRecipeFleet, words: tuple[str, ...], wrong: str) -> None:
    assert wrong in usage(jot, *words)


def test_help_and_version_need_no_fleet(jot: OneRecipeFleet) -> None:
    shutil.rmtree(jot.fleet)
    for words in (("--help",), ("--version",), ("trial", "--help")):
        assert jot.run(*words).code == 0


def test_one_of_many_is_said_to_be_selected(jot: OneRecipeFleet) -> None:
    other = jot.fleet / "recipes" / "other"
    shutil.copytree(jot.recipe, other)
    said = jot.run("--dry-run", "-r", "jot")
    assert said.code == 2
    assert said.out.splitlines()[-1].startswith("1 of 2 selected: 1 enrolled, 1 decided: 0 in sync, 1 to promote,")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-r", "jot", "--retry", "other"), "--retry other: this run is not about other"),
        (("-r", "jot", "--dry-run", "--retry", "other"), "--retry other: this run is not about other"),
        (("status", "-r", "jot", "other"), "--recipe jot beside other"),
        (("-r", "jot", "hold", "other", "--reason", "why"), "--recipe jot beside other"),
        (("trial", "jot", "-r", "jot", "-r", "other"), "--recipe jot --recipe other beside jot"),
    ],
)
def test_recipes_that_a_command_would_pass_over_are_a_usage_error(
    jot: OneRecipeFleet, words: tuple[str, ...], message: str
) -> None:
    shutil.copytree(jot.recipe, jot.fleet / "recipes" / "other")
    assert message in usage(jot, *words)


def test_the_same_recipe_named_in_both_ways_is_looked_at(jot: OneRecipeFleet) -> None:
    assert jot.run("status", "-r", "jot", "jot").out == jot.run("status", "jot").out != ""


def test_an_unknown_output_format_is_a_usage_error(jot: OneRecipeFleet) -> None:
    said = jot.run("-o", "yaml", "drift")
    assert (said.code, said.out) == (64, "")
    assert said.err.splitlines()[-1] == "  see: reconcile --help"
