"""Hollow green: what has no check of its own is a skip, said so, and the level shows it."""

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.reconcile_command import ReconcileResult

BARE = '[recipe]\nupstream = "file://{path}"\n'
NO_CHECKS = {
    "install": ("pass", ""),
    "backup": ("skip", "no-check: no [backup] is declared"),
    "restore": ("skip", "no-check: no [backup] is declared"),
    "custom": ("skip", "no-check: no [custom] tests are declared"),
}


def bare(jot: OneRecipeFleet, more: str = "") -> None:
    """Declare jot with its upstream alone, and `more`."""
    (jot.recipe / "recipe.toml").write_text(BARE.format(path=jot.upstream.path) + more)


def tiers(said: ReconcileResult) -> dict[str, tuple[str, str]]:
    return {tier["name"]: (tier["verdict"], tier["reason"]) for tier in said.row("jot")["tiers"]}


def test_a_recipe_without_checks_gets_skips_and_a_level_that_shows_them(jot: OneRecipeFleet) -> None:
    bare(jot)
    first = jot.json()
    assert (first.code, first.row("jot")["level"]) == (0, "1/4")
    assert tiers(first) == {**NO_CHECKS, "upgrade": ("skip", "no-base: no older release")}

    jot.release(SECOND)
    second = jot.json()
    came_up = "no-check: came up over the base's data, but no [data] check proves that data"
    assert (second.code, second.row("jot")["level"]) == (0, "1/5")
    assert tiers(second) == {**NO_CHECKS, "upgrade": ("skip", came_up)}

    table = jot.run("status").out.splitlines()
    assert (table[0].split()[4], table[1].split()[4]) == ("LEVEL", "1/5")
    card = [line.split(None, 1) for line in jot.run("status", "jot").out.splitlines()]
    assert ["custom", "skip, 0.0 s: no [custom] tests are declared"] in card
    recorded = jot.json("status", "jot")
    assert (recorded.row("jot")["level"], tiers(recorded)["backup"][0]) == ("1/5", "skip")


def test_a_trial_by_hand_shows_each_skip_and_no_tier_without_a_check_passes(settled: OneRecipeFleet) -> None:
    bare(settled, "[tiers]\ncustom = 'wants a camera'\n")
    said = settled.run("trial", "jot")
    assert said.code == 0
    rows = {line.split()[0]: line.split(None, 3)[1:] for line in said.out.splitlines() if line[:1].islower()}
    assert rows["backup"] == ["skip", "-", "no-check: no [backup] is declared"]
    assert rows["custom"] == ["skip", "-", "declared: wants a camera"]
    assert rows["upgrade"] == ["skip", "-", "no-base: no older release"]
    assert said.out.splitlines()[-1].startswith("green, level 1/3, ")


def test_a_backup_command_without_a_restore_command_is_refused_and_a_restore_that_restores_nothing_is_red(
    settled: OneRecipeFleet,
) -> None:
    settled.declare('[backup]\ntake = ["true"]\n')
    assert settled.json("--dry-run").code == 78
    settled.declare('[backup]\ntake = ["true"]\nrestore = ["true"]\n')
    told = settled.json("trial", "jot")
    assert (told.code, told.row("jot")["result"]) == (4, "red")
    assert tiers(told)["backup"] == ("pass", "")
    assert tiers(told)["restore"] == ("fail", "data.check exited 1")
    canonical = settled.canonical()
    assert canonical is not None
    assert canonical.version == FIRST
