"""`reconcile hold` and `reconcile resume`, run as a person runs them."""

import shutil

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, paused
from tests.ledger_lines import ledger_lines


def test_a_held_recipe_shows_what_waits_and_is_promoted_after_it_was_resumed(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    said = settled.run("hold", "jot", "--reason", "the fair", "--until", "2999-03-01")
    assert (said.code, said.err) == (0, "")
    assert said.out == "jot: on hold until 2999-03-01, 00:00 UTC; nothing is tried or promoted\n"
    for words in (["--dry-run"], ["drift"], ["--retry", "jot"]):
        told = settled.json(*words)
        row = told.row("jot")
        assert (told.code, row["held_back"], row["cause"], row["action"]) == (0, "held", "new-release", "none")
        assert (row["hold"]["reason"], row["hold"]["until"], row["waiting"]) == ("the fair", "2999-03-01", [SECOND])
        assert told.document["summary"]["held_back"] == 1
    assert "1.1.0+v2 waits" in settled.run("drift").out
    status = settled.json("status")
    assert (status.code, status.row("jot")["held_back"], status.document["summary"]["held_back"]) == (0, "held", 1)
    assert "on hold by" in settled.run("status", "jot").out
    assert {each["name"]: each["verdict"] for each in settled.row_of("--dry-run")["gate"]}["unheld"] == "fail"

    assert settled.run("resume", "jot").code == 0
    assert settled.json().row("jot")["result"] == "promoted"
    lines = [line.entry for kind in ("held", "resumed") for line in ledger_lines(settled.registry, "jot", kind)]
    assert [(line.kind, line.body["reason"]) for line in lines] == [("held", "the fair"), ("resumed", "")]
    assert all(line.body["who"] for line in lines)


def test_a_hold_is_set_while_a_pass_runs_and_that_pass_does_not_promote(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "custom", "-o", "json", "-q") as running:
        assert settled.run("hold", "jot", "--reason", "not now").code == 0
        (settled.folder / "go").touch()
        out, _ = running.communicate(timeout=120)
    assert '"result": "green-not-promoted"' in out
    assert "unheld: on hold by" in out
    canonical = settled.canonical()
    assert canonical is not None
    assert canonical.version == FIRST


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hold", "jot", "--reason", " "], "--reason is empty"),
        (["hold", "jot", "--reason", "why", "--until", "2020-01-01"], "--until 2020-01-01 is not after today"),
        (["hold", "jot", "--reason", "why", "--until", "monday"], "--until monday is no day"),
        (["hold", "jto", "--reason", "why"], "no recipe jto in"),
        (["resume", "jot"], "jot is neither on hold nor rolled back"),
        (["resume", "jto"], "no recipe jto in"),
    ],
)
def test_a_wrong_hold_or_resume_is_refused_in_one_line_and_records_nothing(
    promoted: OneRecipeFleet, words: list[str], said: str
) -> None:
    before = (promoted.state / "canon.db").read_bytes()
    told = promoted.run(*words)
    assert (told.code, told.out) == (64, "")
    assert told.err.startswith(f"reconcile: {said}")
    assert (promoted.state / "canon.db").read_bytes() == before


def test_sudo_is_not_the_author(settled: OneRecipeFleet) -> None:
    settled.variables = {"SUDO_USER": "maria", "USER": "root"}
    assert settled.run("hold", "jot", "--reason", "the fair").code == 0
    assert settled.registry.read().holds["jot"].who == "maria"


def test_a_recipe_that_is_resumed_and_not_enrolled_or_not_declared_says_that_nothing_is_tried(
    settled: OneRecipeFleet,
) -> None:
    assert settled.run("hold", "jot", "--reason", "the fair").code == 0
    file = settled.recipe / "recipe.toml"
    file.write_text(file.read_text().replace("[data]", 'enrolled = false\nexception = "waits for a camera"\n[data]'))
    said = settled.run("resume", "jot").out
    assert said.endswith("; nothing is tried: it is not enrolled (waits for a camera)\n")
    assert settled.run("hold", "jot", "--reason", "the fair").code == 0
    shutil.rmtree(settled.recipe)
    assert settled.run("resume", "jot").out.endswith("; nothing is tried: it is not declared\n")
