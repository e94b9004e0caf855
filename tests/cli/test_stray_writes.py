"""Tests of recipes that touch what is not theirs: nothing changes for anyone, and it is said."""

from pathlib import Path

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.folders import entries_below
from tests.procfile_apps import ESCAPE, is_running
from tests.repositories import git

# Leaves a daemon that has forked twice and knows neither our environment nor our session.
ESCAPES = f"cat > escape.py <<'END'\n{ESCAPE}END\npython3 -I -S escape.py "


def cold(row: "dict[str, list[dict[str, str]]]") -> tuple[str, str]:
    condition = next(each for each in row["gate"] if each["name"] == "cold")
    return condition["verdict"], condition["evidence"]


def test_an_untracked_file_a_daemon_and_a_switched_checkout_change_nothing_for_anyone(
    settled: OneRecipeFleet, tmp_path: Path
) -> None:
    settled.release(SECOND)
    checkout = tmp_path / "checkout"
    settled.custom(
        f"test ! -e untracked && touch untracked\n"
        f"git clone -q {settled.upstream.path} mine && git -C mine checkout -q {FIRST}\n"
        f"{ESCAPES}{tmp_path}/daemon\n"
    )
    before = entries_below(settled.fleet), settled.upstream.refs()
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"]) == (0, "promoted"), row
    assert (entries_below(settled.fleet), settled.upstream.refs()) == before
    pid = int((tmp_path / "daemon").read_text())
    assert not is_running(pid)
    assert any("sleep" in finding and f"pid {pid}" in finding for finding in row["findings"]), row["findings"]
    assert cold(row)[0] == "pass"
    assert not checkout.exists()
    settled.assert_nothing_is_left()
    settled.release("1.2.0+v3")
    assert settled.run().code == 0


def test_a_file_changed_in_the_apps_checkout_is_no_cold_test_and_never_promoted(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    settled.custom('"$APP_RUN" sh -c "echo >> app.py; touch added.py"\n')
    kept = settled.promoted_state().without_tags()
    said = settled.run()
    assert said.code == 4
    assert "green-not-promoted" in said.out.splitlines()[1]
    assert "cold: tracked files changed: jot:app.py" in said.out
    assert "note: jot: the run added jot:added.py" in said.out.splitlines()
    assert settled.promoted_state().without_tags() == kept
    settled.assert_nothing_is_left()
    tried = settled.tried()
    again = settled.json()
    assert (again.code, again.row("jot")["held_back"], settled.tried()) == (4, "red-before", tried)


def test_a_test_that_writes_into_the_fleet_is_seen_and_nothing_is_promoted(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    settled.custom(f"date > {settled.recipe}/left\n")
    kept = settled.promoted_state().without_tags()
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"]) == (4, "green-not-promoted")
    assert cold(row) == ("fail", "the fleet folder of the recipe changed during the trial")
    assert "cold: the fleet folder of the recipe changed during the trial" in row["reason"]
    assert settled.promoted_state().without_tags() == kept


def test_no_git_of_a_recipe_reaches_a_work_tree_around_the_state_folder(settled: OneRecipeFleet) -> None:
    around = settled.folder / "mine"
    around.write_text("committed")
    for words in (("init", "-q", "."), ("add", "mine"), ("commit", "-q", "-m", "mine")):
        git(settled.folder, *words)
    around.write_text("not committed yet")
    settled.release(SECOND, _env_sample="SECRET_KEY_VERSION=v1 # generate=false\n")
    settled.declare(
        '[custom]\nrun = [["sh", "custom.sh"]]\n[install]\nsecrets = { key = ["sh", "maker.sh"] }\n',
        custom='git checkout -f && exit 1\n"$APP_RUN" git checkout -f && exit 1\nexit 0\n',
        maker="git checkout -f && exit 1\necho a-secret-of-some-length\n",
    )
    said = settled.run()
    assert said.code == 0, said
    assert around.read_text() == "not committed yet"
    logged = "".join(path.read_text() for path in (settled.state / "logs").rglob("*.log"))
    assert logged.count("not a git repository") == 2


def test_a_fleet_folder_that_is_deleted_during_the_pass_affects_only_its_recipes_tests(
    settled: OneRecipeFleet,
) -> None:
    settled.release(SECOND)
    settled.custom(f"mv {settled.recipe} {settled.folder}/aside\n")
    kept = settled.promoted_state().without_tags()
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"], row["state"], row["cause"]) == (4, "green-not-promoted", "intact", "new-release")
    assert cold(row) == ("fail", "the fleet folder of the recipe changed during the trial")
    assert row["reason"].endswith(cold(row)[1])
    assert settled.promoted_state().without_tags() == kept
    settled.declare()
    assert settled.run().code == 0
