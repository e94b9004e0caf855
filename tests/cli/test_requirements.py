"""What a recipe needs from this host, from a maker of secrets, from another recipe, and from its unit."""

import re
from pathlib import Path

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.repositories import UpstreamRepository

READS = "import os\nopen(os.environ['SECRETS_DIR'] + '/key').read()\n" + tiny_fleet.APP.decode()
SAMPLE = "SECRET_KEY_VERSION=v1\n"
REASONS = {"lost": "no such file", "bare": "no x bit", "returns": "carriage return", "given": "no such file"}


def install(folder: Path, tool: str, script: str) -> None:
    path = folder / tool
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def with_tools(jot: OneRecipeFleet) -> Path:
    """An empty folder that is the first of PATH."""
    folder = jot.folder / "tools"
    folder.mkdir()
    jot.variables = {"PATH": f"{folder}:{jot.environment['PATH']}"}
    return folder


def test_a_missing_tool_is_infrastructure_deploys_nothing_and_is_remedied_by_installing_it(
    settled: OneRecipeFleet,
) -> None:
    tools = with_tools(settled)
    settled.release(SECOND)
    settled.declare()
    text = (settled.recipe / "recipe.toml").read_text()
    (settled.recipe / "recipe.toml").write_text(text.replace("[data]", 'requires = ["jot-tool"]\n[data]'))
    planned = settled.run("--dry-run")
    assert (planned.code, "required here and missing: jot-tool" in planned.out) == (2, True)
    said = settled.run()
    assert said.code == 1
    assert "install could not be judged: required and missing here: jot-tool; install it on this host" in said.out
    assert "fix the host; the next pass tries again" in said.out
    assert ", 1 infrastructure; " in said.out.splitlines()[-1]
    logged = settled.run("logs", "jot").out.splitlines()
    assert logged[1] == "==> install error: required and missing here: jot-tool; install it on this host"
    assert logged[4::3] == [f"==> {tier} not reached" for tier in ("upgrade", "backup", "restore", "custom")]
    assert settled.row_of("--dry-run")["held_back"] is None

    install(tools, "jot-tool", "true")
    told = settled.json()
    assert (told.code, told.row("jot")["result"]) == (0, "promoted")
    assert told.row("jot")["have"]["evidence"]["tools"]["jot-tool"] != ""


def test_a_script_that_cannot_be_executed_is_the_fleets_fault_and_never_the_releases(settled: OneRecipeFleet) -> None:
    other = tiny_fleet.make_recipe(settled.folder, "other")
    tiny_fleet.release(other, FIRST)
    commit = settled.release(SECOND)
    commands = '["./lost.sh"], ["./bare.sh"], ["./returns.sh"], ["sh", "-e", "given.sh"]'
    settled.declare(f"[custom]\nrun = [{commands}]\n", bare="", returns="")
    (settled.recipe / "returns.sh").write_bytes(b"#!/bin/sh\r\ntrue\r\n")
    (settled.recipe / "returns.sh").chmod(0o755)
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"], told.row("other")["result"]) == (1, "infrastructure", "promoted")
    for name, why in REASONS.items():
        assert re.search(rf"{settled.recipe}/{name}\.sh: [^;]*{why}", row["reason"])
    assert settled.row_of("--dry-run", "-r", "jot")["held_back"] is None

    install(settled.recipe, "given.sh", "true")
    install(settled.recipe, "lost.sh", "true")
    install(settled.recipe, "bare.sh", "true")
    install(settled.recipe, "returns.sh", "true")
    mended = settled.row_of()
    assert (mended["result"], mended["have"]["commit"]) == ("promoted", commit)


def test_a_maker_whose_program_is_missing_is_infrastructure_and_one_that_fails_is_red(settled: OneRecipeFleet) -> None:
    tools = with_tools(settled)
    settled.release(SECOND, app_py=READS, _env_sample=SAMPLE)
    settled.declare('[install]\nsecrets = { key = ["make-key"] }\n')
    missing = settled.json()
    assert (missing.code, missing.row("jot")["result"]) == (1, "infrastructure")
    assert "secret key make-key, which makes it, is not found in PATH" in missing.row("jot")["reason"]

    install(tools, "make-key", "echo the vault is closed >&2; exit 3")
    failing = settled.json()
    assert (failing.code, failing.row("jot")["result"]) == (4, "red")
    assert "secret key make-key ended with exit code 3: the vault is closed" in failing.row("jot")["reason"]

    install(tools, "make-key", "echo 0123456789abcdef")
    made = settled.json("--retry", "jot")
    assert (made.code, made.row("jot")["result"]) == (0, "promoted")


def test_a_secret_without_a_maker_is_red_and_names_the_key_to_declare(settled: OneRecipeFleet) -> None:
    settled.release(SECOND, app_py=READS, _env_sample=SAMPLE)
    told = settled.json()
    assert (told.code, told.row("jot")["result"]) == (4, "red")
    assert "secret key has no length or no known charset in .env.sample, and no maker" in told.row("jot")["reason"]
    assert '[install] secrets = { key = ["…"] }' in told.row("jot")["reason"]


def test_a_recipe_that_needs_another_is_raised_beside_it_and_finds_it(jot: OneRecipeFleet) -> None:
    accounts = tiny_fleet.make_recipe(jot.folder, "accounts")
    accounts.commit()
    jot.declare('[install]\nneeds = ["accounts"]\n[custom]\nrun = [["sh", "custom.sh"]]\n', custom=FINDS)
    unreleased = jot.json()
    assert (unreleased.code, unreleased.row("jot")["result"]) == (2, "not-tried")
    lacks = "neither a canonical nor a release that may be deployed: reconcile explain accounts"
    assert unreleased.row("jot")["reason"] == f"jot needs accounts, which has {lacks}"

    tiny_fleet.release(accounts, FIRST)
    told = jot.json()
    assert (told.code, told.row("jot")["result"], told.row("accounts")["result"]) == (0, "promoted", "promoted")
    assert jot.lines() == [FIRST, "marked"]


def test_a_trial_by_hand_finds_what_a_needed_recipe_needs(jot: OneRecipeFleet) -> None:
    for name, more in (("names", ""), ("accounts", '[install]\nneeds = ["names"]\n')):
        tiny_fleet.release(tiny_fleet.make_recipe(jot.folder, name, more), FIRST)
    jot.declare('[install]\nneeds = ["accounts"]\n[custom]\nrun = [["sh", "custom.sh"]]\n', custom=FINDS)
    said = jot.run("trial", "jot")
    assert "green, level" in said.out, said.err


FINDS = """\
test -n "$ACCOUNTS_URL"
python3 -c 'import sys, urllib.request; assert b"1.0.0+v1" in urllib.request.urlopen(sys.argv[1]).read()' "http://$ACCOUNTS_PEER"
"""


def test_away_from_its_unit_a_green_release_is_not_promoted_and_not_blamed(jot: OneRecipeFleet) -> None:
    with (jot.fleet / "fleet.toml").open("a") as file:
        file.write('unit = "reconcile.service"\n')
    said = jot.run()
    assert said.code == 4
    assert "green-not-promoted" in said.out.splitlines()[1]
    assert "  next       run: systemctl start reconcile.service" in said.out.splitlines()
    assert jot.canonical() is None
    planned = jot.json("--dry-run")
    row = planned.row("jot")
    assert (planned.code, row["held_back"], row["action"]) == (2, None, "promote")
    assert row["gate"][-1] == {
        "name": "at-home",
        "verdict": "fail",
        "evidence": "run: systemctl start reconcile.service",
    }
    count = len(jot.tried())
    assert jot.json().row("jot")["result"] == "green-not-promoted"
    assert len(jot.tried()) == count + 1


def test_an_upstream_of_a_recipe_that_was_renamed_is_its_own(jot: OneRecipeFleet) -> None:
    """A fleet may have the same upstream twice, under two names."""
    other = jot.fleet / "recipes" / "jot-two"
    other.mkdir()
    for path in jot.recipe.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    told = jot.json()
    assert (told.code, {row["result"] for row in told.document["recipes"]}) == (0, {"promoted"})
    assert UpstreamRepository(jot.state / "mirrors" / "jot-two.git").refs() == jot.mirrored()
