"""A raised copy: one line, as long as it was asked for, and nothing where there is no data to raise."""

import re
import shutil

from tests.cli.one_recipe_fleet import FIRST, OneRecipeFleet


def test_a_copy_that_was_raised_for_a_while_ends_well_and_leaves_nothing(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    said = settled.run("raise", "jot", "--for", "1s")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"jot 1\.0\.0\+v1 [0-9a-f]{40} http://127\.0\.0\.1:(\d+) 127\.0\.0\.1:\1\n", said.out)
    settled.assert_nothing_is_left()
    assert settled.promoted_state() == kept


def test_a_recipe_without_a_canonical_is_not_raised_and_no_address_is_printed(jot: OneRecipeFleet) -> None:
    said, told = jot.run("raise", "jot"), jot.json("raise", "jot")
    assert (said.code, said.out, told.code) == (1, "", 1)
    assert said.err.splitlines()[-2:] == ["reconcile: jot has no canonical yet", "  a pass promotes one: reconcile"]
    assert told.document.keys() == {"format", "errors", "exit_code"}
    assert not jot.state.exists()


def test_a_damaged_canonical_is_not_deployed_is_reported_by_every_command_and_is_repaired(
    settled: OneRecipeFleet,
) -> None:
    snapshot = settled.state / "canonicals" / "jot" / "1" / "snapshot.tar.zst"
    content = bytearray(snapshot.read_bytes())
    content[60] ^= 1
    snapshot.write_bytes(content)
    said = settled.run("raise", "jot")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"reconcile: the snapshot of {FIRST} is damaged: ")
    settled.assert_nothing_is_left()

    drift, status = settled.run("drift"), settled.json("status")
    assert (drift.code, status.code, status.row("jot")["state"]) == (3, 3, "damaged")
    assert ", 1 damaged, " in drift.out.splitlines()[-1]
    assert f"the data of {FIRST} is lost; tested again at {FIRST}" in drift.out
    told = settled.json()
    assert (told.code, told.row("jot")["result"], told.row("jot")["have"]["generation"]) == (0, "repaired", 2)
    assert settled.lines() == [FIRST, "marked"]


def test_a_mirror_that_is_gone_is_fetched_again_and_nothing_is_tried(settled: OneRecipeFleet) -> None:
    shutil.rmtree(settled.state / "mirrors" / "jot.git")
    assert settled.json("--dry-run").code == 0
    tried = settled.tried()
    told = settled.json()
    assert (told.code, told.row("jot")["result"], settled.tried()) == (0, "repaired", tried)
    assert settled.json("--dry-run").row("jot")["mirror"] == "equal"
