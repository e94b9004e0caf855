"""`reconcile prove` certifies a state that stands still, and waits for nobody."""

from tests.cli.one_recipe_fleet import SECOND, OneRecipeFleet, paused
from tests.ledger_lines import ledger_lines


def test_a_settled_fleet_is_proved_and_a_new_release_ends_that(settled: OneRecipeFleet) -> None:
    said = settled.json("prove")
    assert (said.code, said.document["proved"], said.document["unsettled"]) == (0, True, [])
    certificates = ledger_lines(settled.registry, kind="proved")
    assert [line.entry.body["plan"] for line in certificates] == [said.document["plan"]]
    settled.release(SECOND)
    text = settled.run("prove")
    assert (text.code, text.out.splitlines()[1].split()[:2]) == (2, ["jot", "promote:"])
    assert len(ledger_lines(settled.registry, kind="proved")) == 1


def test_nothing_is_proved_while_a_pass_runs(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "custom"):
        assert settled.run("prove").code == 75
