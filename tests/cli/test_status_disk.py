"""`status` with what recipes take on the disk, after a real pass."""

from tests.cli.one_recipe_fleet import OneRecipeFleet


def test_status_shows_what_the_trial_took_and_what_its_generation_takes(settled: OneRecipeFleet) -> None:
    disk = settled.json("status").document["disk"]
    jot = disk["recipes"]["jot"]
    assert jot["peak"]["slots"] > 0 < jot["peak"]["candidate"]
    assert jot["peak"]["total"] == jot["peak"]["slots"] + jot["peak"]["candidate"]
    assert 0 < jot["generations"] == disk["generations"] <= disk["total"]
    assert (disk["free"] > 0, disk["budget"]) == (True, None)
    wide = settled.run("status", "-o", "wide").out
    assert {"STORED", "PEAK"} <= set(wide.split())
    assert " in the state folder, " in wide
    assert " in the state folder, " not in settled.run("status").out
