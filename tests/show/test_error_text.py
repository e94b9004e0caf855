from hypothesis import given
from hypothesis import strategies as st

from desired.declarations.problems import Problem
from reconciler.show.text.error_text import render_error, render_next_commands, render_problems
from reconciler.show.text.screen import Screen

FILE = Screen()


def test_every_problem_is_one_line_that_editors_can_jump_to() -> None:
    problems = [
        Problem("recipes/cal/recipe.toml", 3, 1, "unknown key driverr", "driver"),
        Problem("recipes/cal/recipe.toml", 9, 5, "steps is no list"),
        Problem("fleet.toml", 1, 1, "format is missing"),
    ]
    assert render_problems(problems, FILE).splitlines() == [
        "recipes/cal/recipe.toml:3:1: unknown key driverr; did you mean driver?",
        "recipes/cal/recipe.toml:9:5: steps is no list",
        "fleet.toml:1:1: format is missing",
        "3 problems in 2 files; nothing was done",
    ]


def test_an_error_is_printed_with_its_hint() -> None:
    assert render_error("the lock is held", "wait for it", FILE) == "reconcile: the lock is held\n  wait for it\n"
    assert render_error("the disk is full", "", FILE) == "reconcile: the disk is full\n"


def test_an_error_without_a_command_to_run_next_is_its_message_alone() -> None:
    assert render_next_commands("no fleet", [("reconcile init", "make one")], FILE).endswith(
        "no fleet\n  reconcile init   make one\n"
    )
    assert render_next_commands("no fleet", [], FILE) == render_error("no fleet", "", FILE)


@given(st.text())
def test_an_error_cannot_control_the_terminal(word: str) -> None:
    text = render_error(f"a{word}", f"b{word}", FILE)
    assert text.replace("\n", "", 2).isprintable()
