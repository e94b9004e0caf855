"""What people run by hand: trials of anything, logs, forgetting, a new fleet; and how it looks on a terminal."""

import os
import pty
import shutil
import subprocess
import termios
from xml.etree import ElementTree as ET

import pytest

from reconciler.cli.decisions import author
from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, THIRD, OneRecipeFleet
from tests.ledger_lines import ledger_lines
from tests.reconcile_command import BIN
from tests.state.promotions import spoil

SGR = "\x1b["


def test_a_trial_takes_a_release_a_branch_a_commit_or_a_tag_that_is_no_release(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    commit = settled.release(SECOND)
    settled.upstream.git("update-ref", "refs/heads/fix", commit)
    settled.upstream.tag("nightly", commit)
    for ref in (SECOND, "fix", commit, "nightly", "main"):
        told = settled.json("trial", "jot", "--ref", ref, "--tiers", "install")
        row = told.row("jot")
        assert (told.code, row["want"]) == (0, {"version": ref, "commit": commit})
        assert {tier["name"]: tier["verdict"] for tier in row["tiers"]}["install"] == "pass"
    assert settled.canonical() == kept.canonical
    assert settled.row_of("--dry-run")["action"] == "promote"
    unknown = settled.run("trial", "jot", "--ref", "nowhere")
    assert (unknown.code, unknown.out) == (64, "")
    assert unknown.err.splitlines()[-2:] == [
        "reconcile: jot: neither a release nor a branch nor a commit is named nowhere",
        f"  newest releases are: {SECOND}, {FIRST}",
    ]
    assert settled.run("trial", "jot", "--ref", "nihgtly").err.splitlines()[-1] == "  did you mean nightly?"


def test_a_trial_upgrades_the_canonicals_data_and_says_what_the_gate_would(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    before = settled.promoted_state().without_tags()
    said = settled.run("trial", "jot", "--junit", "report.xml")
    assert said.code == 0
    lines = said.out.splitlines()
    assert f"base: {FIRST}: the canonical, with its data" in lines
    assert lines[-1].startswith("green, level 2/5, ")
    assert lines[-1].endswith("a trial never promotes; no condition that was checked prevents a pass from promoting it")
    assert [line.split()[:3] for line in lines if line.startswith("not-ref")] == [["not-ref", "does", "not"]]
    suite = ET.parse(settled.folder / "report.xml").getroot()  # noqa: S314  we have just written it
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases == {"install": [], "upgrade": [], "backup": ["skipped"], "restore": ["skipped"], "custom": ["skipped"]}
    assert settled.promoted_state().without_tags() == before
    settled.assert_nothing_is_left()


def test_a_tier_that_was_not_asked_for_is_said_and_leaves_nothing_green(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    said = settled.run("trial", "jot", "--tiers", "custom")
    assert said.code == 0
    gate = {line.split()[0]: line.split(None, 4)[4] for line in said.out.splitlines() if "does not hold" in line}
    assert gate["cold"] == "a tier was left out or not reached"
    assert sum("not-asked: not asked for" in line for line in said.out.splitlines()) == 3
    last = settled.run("history", "jot").out.splitlines()[-1].split()
    assert last[5:] == ["trial", SECOND, author(), "by", "hand,", "green,", "level", "1/5"]


def test_logs_show_the_last_trial_or_the_one_that_is_named(settled: OneRecipeFleet) -> None:
    [first] = settled.tried()
    settled.declare('[custom]\nrun = [["echo", "second time"]]\n')
    assert settled.run("trial", "jot", "-q").code == 0
    last = settled.run("logs", "jot")
    assert (last.code, "second time" in last.out) == (0, True)
    named = settled.run("logs", "jot", first)
    assert (named.code, "second time" in named.out) == (0, False)
    assert named.out.splitlines()[0] == f"==> {first} install <=="
    told = settled.json("logs", "jot", first)
    assert told.document["trial"] == first
    ends = {tier["name"]: tier["text"].splitlines()[-1] for tier in told.document["tiers"]}
    assert list(ends) == ["install", "upgrade", "backup", "restore", "custom", "promote"]
    assert ends["install"] == "==> install pass"
    assert ends["upgrade"] == "==> upgrade skip: no-base: no older release"
    assert ends["custom"] == "==> custom skip: no-check: no [custom] tests are declared"
    wrong = settled.run("logs", "jot", "../../canon.db")
    assert (wrong.code, wrong.out) == (64, "")
    assert settled.run("logs", "../jot").code == 64


def test_an_orphan_is_shown_and_forgotten_whole_and_the_ledger_keeps_that_it_was(settled: OneRecipeFleet) -> None:
    tiny_fleet.make_recipe(settled.folder, "other").commit()
    declared = settled.run("forget", "jot", "--reason", "moved away")
    assert (declared.code, declared.out) == (64, "")
    settled.recipe.rename(settled.folder / "gone")
    said, told = settled.run("--dry-run"), settled.json("drift")
    assert (said.code, told.code) == (4, 4)
    assert "recorded, but no longer declared; if it is to go: reconcile forget jot --reason …" in said.out
    assert said.out.splitlines()[-1].endswith("; 0 excepted, 1 orphaned")
    assert told.row("jot")["cause"] == "orphaned"
    assert settled.run("logs", "jot").code == 0

    wordless = settled.run("forget", "jot", "--reason", " ")
    assert (wordless.code, wordless.err.splitlines()[0]) == (64, "reconcile: --reason is empty")
    forgotten = settled.run("forget", "jot", "--reason", "moved away")
    assert (forgotten.code, forgotten.out) == (0, f"jot: forgotten, with its canonical {FIRST}\n")
    for path in ("canonicals/jot", "logs/jot", "mirrors/jot.git", "work/jot"):
        assert not (settled.state / path).exists(), path
    [kept] = ledger_lines(settled.registry, "jot", "forgotten")
    assert (kept.entry.body["reason"], kept.entry.body["version"]) == ("moved away", FIRST)
    after = settled.json("--dry-run")
    assert (after.code, [row["name"] for row in after.document["recipes"]]) == (0, ["other"])
    assert settled.json("forget", "jot", "--reason", "again").code == 64


@pytest.mark.parametrize("generation", [1, 2])
def test_a_recipe_of_which_a_record_was_changed_by_another_hand_is_forgotten_and_what_is_left_is_named(
    settled: OneRecipeFleet, generation: int
) -> None:
    settled.release(SECOND)
    assert settled.run("-q").code == 0
    spoil(settled.state / "canon.db", generation)
    settled.recipe.rename(settled.folder / "gone")
    said = settled.run("forget", "jot", "--reason", "its record is rotten")
    left = settled.state / "canonicals" / "jot"
    assert (said.code, f"left as it is: {left}" in said.out) == (0, True), said
    assert [path.name for path in left.iterdir()] == [str(generation)]
    assert settled.registry.read().canonicals == {}
    assert settled.registry.generations("jot") == ()


@pytest.mark.parametrize(
    "words",
    [("-r", "jot"), ("-r", "jot", "--dry-run"), ("--retry", "jot"), ("raise", "jot"), ("trial", "jot")],
    ids=" ".join,
)
def test_an_orphan_that_is_named_is_said_to_be_one_with_what_can_be_done(
    settled: OneRecipeFleet, words: tuple[str, ...]
) -> None:
    settled.recipe.rename(settled.folder / "gone")
    said = settled.run(*words)
    assert (said.code, said.out) == (64, "")
    assert said.err.splitlines() == [
        f"reconcile: jot is recorded, but no longer declared in {settled.fleet}",
        "  see it: reconcile status jot; drop it: reconcile forget jot --reason …",
    ]
    assert settled.run("status", "jot").code == 0
    assert settled.run("-r", "jto").err.splitlines()[0] == f"reconcile: no recipe jto in {settled.fleet}"


def test_a_new_fleet_is_hollow_until_it_has_a_recipe_and_is_never_made_over_another(jot: OneRecipeFleet) -> None:
    said = jot.run("init", "new")
    assert (said.code, said.err) == (0, "")
    assert said.out == "new is a new fleet; next: make new/recipes/NAME/recipe.toml with [recipe] and its upstream\n"
    assert jot.json("--fleet", "new", "--dry-run").code == 5
    again = jot.json("init", "fleet")
    assert (again.code, again.document["errors"][0]["hint"]) == (4, "name a new folder")
    assert (jot.fleet / "fleet.toml").read_text() == tiny_fleet.FLEET


def on_a_terminal(jot: OneRecipeFleet, *words: str) -> tuple[int, str]:
    """Exit code and all that a command writes to a terminal that is both its stdout and its stderr."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 200))
    command = subprocess.Popen(
        [BIN / "reconcile", *words], cwd=jot.folder, env=jot.environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # how Linux tells that nobody has the other end open any more
        pass
    finally:
        os.close(ours)
    return command.wait(), said.decode()


def test_on_a_terminal_a_live_line_tells_what_runs_and_is_gone_in_the_end(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    settled.variables = {"TERM": "xterm-256color"}
    code, said = on_a_terminal(settled)
    assert code == 0
    assert f"jot: {SECOND}: install (" in said
    assert ", last time " in said
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")
    assert f"{SGR}32mpromoted" in said


def test_elsewhere_each_step_is_one_line_without_colour(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    said = settled.run()
    assert SGR not in said.out + said.err
    assert [line for line in said.err.splitlines() if not line.startswith("jot: promoted: ")] == [
        "jot: fetching into the mirror",
        f"jot: trying {SECOND}",
        *(f"jot: {SECOND}: {tier}" for tier in ("install", "upgrade", "backup", "restore", "custom", "promoting")),
    ]
    settled.release(THIRD)
    assert settled.run("-q").err == ""


def test_no_color_keeps_a_terminal_plain(settled: OneRecipeFleet) -> None:
    settled.variables = {"TERM": "xterm"}
    assert SGR in on_a_terminal(settled, "status")[1]
    assert SGR not in on_a_terminal(settled, "status", "--no-color")[1]
    settled.variables = {**settled.variables, "NO_COLOR": "1"}
    assert SGR not in on_a_terminal(settled, "status")[1]


def test_where_docker_is_down_what_runs_as_processes_is_tried_accepted_and_forgotten(settled: OneRecipeFleet) -> None:
    settled.variables = {"DOCKER_HOST": f"unix://{settled.folder}/nowhere.sock"}
    other = settled.fleet / "recipes" / "swarmed"
    other.mkdir()
    declared = (settled.recipe / "recipe.toml").read_text().replace('driver = "process"', "")
    (other / "recipe.toml").write_text(declared.replace("[recipe]", '[recipe]\ndriver = "swarm"'))
    for script in ("mark.py", "check.py"):
        (other / script).write_text((settled.recipe / script).read_text())
    assert settled.run("status").code == 0
    assert settled.run("drift", "-r", "jot").code == 0
    assert settled.run("trial", "jot").code == 0
    commit = settled.release(SECOND)
    settled.upstream.git("update-ref", f"refs/tags/{FIRST}", commit)
    assert settled.run("accept", "jot", FIRST, "--reason", "it was cut again").code == 0
    shutil.rmtree(settled.recipe)
    assert settled.run("forget", "jot", "--reason", "gone").code == 0
    assert settled.canonical() is None
