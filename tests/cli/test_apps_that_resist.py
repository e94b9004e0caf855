"""An app, or what a test left in it, that does not end when it is asked to: what it wrote may be cut off."""

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet

GRACE = '[stop]\ngrace = "1s"\n'
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def test_a_release_that_has_to_be_killed_is_red_and_nothing_of_it_is_kept(settled: OneRecipeFleet) -> None:
    before = settled.promoted_state().without_tags()
    settled.declare(GRACE)
    settled.release(SECOND, app_py=STUBBORN + tiny_fleet.APP.decode())
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"], row["have"]["version"]) == (4, "red", FIRST)
    assert (
        "jot did not end in the time it has to stop and was killed, so its data may be cut off: web: " in row["reason"]
    )
    assert "(1 s); it has to end on SIGTERM, or needs more time: [stop] grace" in row["reason"]
    assert settled.promoted_state().without_tags() == before
    settled.assert_nothing_is_left()


def test_a_test_command_fails_if_a_process_that_it_leaves_running_has_to_be_killed(settled: OneRecipeFleet) -> None:
    settled.declare(GRACE + '[custom]\nrun = [["sh", "custom.sh"]]\n', custom="trap '' TERM; sleep 1000 & exit 0")
    settled.release(SECOND)
    told = settled.json()
    assert (told.code, told.row("jot")["result"]) == (4, "red")
    assert "custom test 1 left sleep (pid " in told.row("jot")["reason"]
    settled.assert_nothing_is_left()
