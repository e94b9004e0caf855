"""Looking changes nothing: not a byte, not a time, whatever runs or died."""

from pathlib import Path

from tests.child_processes import kill_child, next_line, python_child
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, paused
from tests.folders import entries_below
from tests.reconcile_command import ReconcileResult

LOOKS = (
    ("--dry-run",),
    ("--dry-run", "-o", "wide"),
    ("drift",),
    ("status",),
    ("status", "jot"),
    ("logs", "jot"),
    ("explain",),
    ("history",),
    ("events",),
    ("explain", "jot", "--offline"),
    ("audit",),
    ("report", "--html", "-"),
)
ALWAYS_0 = {"explain": 0, "history": 0, "events": 0, "audit": 0, "report": 0}
IN_JSON = (("--dry-run",), ("drift",), ("status", "jot"), ("logs", "jot"), ("explain", "jot"), ("audit",))

# A cache of one page makes SQLite write into the database long before the commit.
HALF_A_TRANSACTION = """
import sys, time
from pathlib import Path
from state.registry.database import writing
with writing(Path(sys.argv[1])) as connection:
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("CREATE TABLE half (text TEXT)")
    connection.executemany("INSERT INTO half VALUES (?)", [("x" * 3000,)] * 50)
    print("half", flush=True)
    time.sleep(600)
"""


def looks(jot: OneRecipeFleet) -> dict[str, ReconcileResult]:
    """Every look as text and as JSON; the state folder is as it was before."""
    before = entries_below(jot.state)
    told = {" ".join(words): jot.run(*words) for words in LOOKS}
    told |= {" ".join((*words, "json")): jot.json(*words) for words in IN_JSON}
    assert entries_below(jot.state) == before
    return told


def codes(told: dict[str, ReconcileResult]) -> dict[str, int]:
    """How the looks at upstream ended, and all others, which tell it by their exit code alone."""
    return {words.partition(" ")[0]: said.code for words, said in told.items()}


def test_a_dry_run_while_nothing_is_deployed_changes_nothing(settled: OneRecipeFleet) -> None:
    assert codes(looks(settled)) == {"--dry-run": 0, "drift": 0, "status": 0, "logs": 0, **ALWAYS_0}


def test_looking_while_a_pass_runs_neither_waits_nor_changes_anything(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "custom") as running:
        assert codes(looks(settled)) == {"--dry-run": 2, "drift": 2, "status": 0, "logs": 0, **ALWAYS_0}
        assert running.poll() is None
        (settled.folder / "go").touch()
        assert running.wait() == 0
    assert settled.row_of("drift")["cause"] == "in-sync"


def test_looking_after_a_killed_pass_shows_what_it_left_and_changes_nothing(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    with paused(settled, "raised") as running:
        running.kill()
        running.wait()
        told = looks(settled)
        assert codes(told) == {"--dry-run": 2, "drift": 2, "status": 0, "logs": 0, **ALWAYS_0, "audit": 3}
        # What still runs is in no lock's slot any more; all that is recorded agrees.
        stray = [claim for claim in told["audit json"].document["claims"] if claim["verdict"] == "disagree"]
        assert [claim["claim"] for claim in stray] == ["processes"]
        assert told["status jot json"].row("jot")["have"]["version"] == FIRST
        assert settled.running() != []
        (settled.folder / "go").touch()
        mended = settled.json()
        settled.assert_nothing_is_left()
    assert (mended.code, mended.row("jot")["result"]) == (0, "promoted")
    assert mended.document["notes"] == [
        "jot: a slot left by a dead run was removed",
        f"jot: the promotion of {SECOND}, begun by a dead pass, was undone",
    ]
    assert settled.lines() == [FIRST, "marked", SECOND]


def test_reading_a_registry_with_a_left_journal_uses_a_copy_and_says_so(settled: OneRecipeFleet) -> None:
    with python_child(HALF_A_TRANSACTION, settled.state / "canon.db") as writer:
        assert next_line(writer) == "half"
        kill_child(writer)
    journal = settled.state / "canon.db-journal"
    assert journal.stat().st_size > 0
    told = looks(settled)
    assert codes(told) == {"--dry-run": 0, "drift": 0, "status": 0, "logs": 0, **ALWAYS_0}
    said = "a dead pass left a journal of SQLite: a private copy of the registry was read; the next pass recovers it"
    assert told["--dry-run json"].document["notes"] == [said]
    assert f"note: {said}" in told["drift"].out.splitlines()
    assert settled.run().code == 0
    assert not journal.exists()


def test_looking_at_a_state_folder_that_is_not_there_makes_none(jot: OneRecipeFleet, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    told = {words: jot.run(*words) for words in (*LOOKS, ("-o", "json", "drift"), ("status", "-o", "json"))}
    assert {
        words[0]: said.code for words, said in told.items() if words[0] in {"--dry-run", "drift", "status", "explain"}
    } == {
        "--dry-run": 2,
        "drift": 2,
        "status": 0,
        "explain": 0,
    }
    assert told["status",].out.splitlines()[-1].startswith("1 recipe: 0 with a canonical")
    assert (told["logs", "jot"].code, told["logs", "jot"].err.splitlines()[1]) == (
        64,
        "reconcile: no trial of jot is logged",
    )
    assert {path.name for path in tmp_path.iterdir()} == before
