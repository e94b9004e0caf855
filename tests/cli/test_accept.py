"""What the answer of `reconcile accept` says is left to do."""

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet


def test_after_a_withdrawn_canonical_is_accepted_the_answer_names_the_rollback_that_ends_it(
    settled: OneRecipeFleet,
) -> None:
    settled.release(SECOND)
    assert settled.run("-q").code == 0
    settled.upstream.untag(SECOND)
    said = settled.run("accept", "jot", "--reason", "they withdrew it")
    assert said.code == 0
    assert said.out == (
        f"jot: accepted: 1 release tag is gone: {SECOND}; it still needs you: the canonical's tag {SECOND} is gone "
        f"upstream; to end that: it goes back to generation 1 ({FIRST}), with the data of that generation: "
        "reconcile rollback jot --reason …; all ways: reconcile explain jot\n"
    )
    assert settled.json("--dry-run").code == 4
    assert settled.run("rollback", "jot", "--reason", "they withdrew it", "-q").code == 0
    after = settled.json()
    assert (after.code, after.row("jot")["needs_person"], after.row("jot")["have"]["version"]) == (0, False, FIRST)


def test_an_accepted_move_leaves_nothing_to_a_person_but_a_second_move_does(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    assert settled.run("-q").code == 0
    settled.release(FIRST)
    settled.release(SECOND)
    other = settled.run("accept", "jot", FIRST, "--reason", "rebuilt")
    assert f"; it still needs you: tag {SECOND} named " in other.out
    assert f"is the right commit of {SECOND}: reconcile accept jot {SECOND} --reason …; all ways: " in other.out
    assert "needs you" not in settled.run("accept", "jot", SECOND, "--reason", "rebuilt").out
